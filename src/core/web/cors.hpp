// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Who may read an answer (the CORS protocol of Fetch; BFF-12).
//
// Only pages of the origins that the operator has listed, each by its exact
// name; nobody by "*", and nobody else by any header.

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/web/http_message.hpp"
#include "core/web/origin_policy.hpp"

namespace bff::web {

// What lets the page that asks read the answer; none for any but a trusted
// origin. `origin` is the Origin header, `lines` how many there are.
std::vector<Header> cors_headers(const OriginPolicy &policy,
                                 std::optional<std::string_view> origin,
                                 int lines);

// Does the header say who may read an answer? Where origins are trusted, what
// an upstream says about that does not count.
bool is_cors_header(std::string_view name) noexcept;

// A Vary header's value that names `field` too; nullopt: it does already.
std::optional<std::string> vary_with(std::string_view vary,
                                     std::string_view field);

} // namespace bff::web
