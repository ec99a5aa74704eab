// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What counts on one level of a configuration: what is written there, and
// what it inherits.

#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/lint/conf_text.hpp"

namespace bff::lint {

struct Level {
    std::string provider; // of "bff"; "": off
    bool is_own = false;  // written on this very level
    bool sends_token = true;
    bool accepts_bearer = false;
    bool has_requirements = false;
    bool has_expires = false;
    const Directive *root = nullptr;
    const Directive *buffers = nullptr; // large_client_header_buffers
    // Directives that a level inherits all of, or none.
    std::map<std::string_view, std::vector<const Directive *>> lists;

    bool is_protected() const { return !provider.empty(); }
    const std::vector<const Directive *> &list(std::string_view name) const;
};

Level level_below(const Level &above, const Block &block);

// The last directive of this name in the block itself; null: none.
const Directive *find(const Block &block, std::string_view name);

// "/api/" of "location ^~ /api/"; "" for a pattern or a name.
std::string_view prefix_of(const Directive &location);
bool is_exact(const Directive &location);
// Of "~ PATTERN" and "~* PATTERN"; "" for others.
std::string_view pattern_of(const Directive &location);
// Does NGINX ask the patterns of the server before it takes this prefix?
bool lets_patterns_first(const Directive &location);

// As it stands in the configuration, for people.
std::string shown(const Directive &location);

} // namespace bff::lint
