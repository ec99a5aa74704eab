// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Who may read an answer (the CORS protocol of Fetch; BFF-12).
//
// "null" is never in the list: the operator cannot write it there.

#include "core/web/cors.hpp"

#include <algorithm>

#include "core/base/text.hpp"

namespace bff::web {
namespace {

constexpr std::string_view kAllowOrigin = "Access-Control-Allow-Origin";
constexpr std::string_view kAllowCredentials =
    "Access-Control-Allow-Credentials";

} // namespace

std::vector<Header> cors_headers(const OriginPolicy &policy,
                                 std::optional<std::string_view> origin,
                                 int lines)
{
    if (!origin || lines != 1 || !policy.trusts(*origin)) {
        return {};
    }

    return {{std::string{kAllowOrigin}, std::string{*origin}},
            {std::string{kAllowCredentials}, "true"}};
}

bool is_cors_header(std::string_view name) noexcept
{
    return text::equal_ignoring_case(name, kAllowOrigin) ||
           text::equal_ignoring_case(name, kAllowCredentials);
}

std::optional<std::string> vary_with(std::string_view vary,
                                     std::string_view field)
{
    if (text::trim(vary).empty()) {
        return std::string{field};
    }

    bool is_named = std::ranges::any_of(text::split(vary, ','), [&](auto name) {
        name = text::trim(name);
        return name == "*" || text::equal_ignoring_case(name, field);
    });
    if (is_named) {
        return std::nullopt;
    }

    return std::string{vary} + ", " + std::string{field};
}

} // namespace bff::web
