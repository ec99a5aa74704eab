// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What an operator may not have meant: directives of other modules that
// answer before a session is asked for, take the token's place, or send it
// where a request says. Nothing is refused here, only told.

#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/lint/conf_text.hpp"

namespace bff::lint {

struct Finding {
    std::string text; // one sentence with the directive and the remedy
    std::string file;
    size_t line;
};

// By the provider's name: how long the session's cookies may get, all in one
// header line.
using CookieOctets = std::map<std::string, size_t, std::less<>>;

// Each directive once for each reason.
std::vector<Finding> lint(const Block &conf, const CookieOctets &cookies);

} // namespace bff::lint
