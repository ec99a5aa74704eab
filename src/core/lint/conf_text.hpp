// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// A configuration of NGINX as a tree of directives, for who wants to see what
// other modules were told: their settings are nobody's business but theirs,
// what was written is everybody's.

#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"

namespace bff::lint {

struct Directive {
    std::vector<std::string> words; // its name first, quotes gone
    std::vector<Directive> block;
    std::string file;
    size_t line = 0;

    std::string_view name() const { return words.front(); }
    // "" when there are not so many.
    std::string_view word(size_t i) const
    {
        return i < words.size() ? std::string_view{words[i]} : "";
    }
};
using Block = std::vector<Directive>;

struct Source {
    std::string file;
    std::string text;
};

// The files of an "include".
using Loader = std::function<std::vector<Source>(std::string_view pattern)>;

// What is included stands where "include" stood. Errors: refused (NGINX would
// not read it in this way either, or it is too deep).
Result<Block> parse_conf(const Source &source, const Loader &load);

} // namespace bff::lint
