// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What a client says of itself in its own Authorization header.
//
// Read strictly: what two readers could read in two ways, such as a list of
// schemes, is no bearer token.

#include "core/web/credentials.hpp"

#include "core/base/text.hpp"

namespace bff::web {
namespace {

constexpr std::string_view kScheme = "bearer ";
constexpr std::string_view kTokenMarks = "-._~+/";

// b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="
bool is_token(std::string_view text) noexcept;

} // namespace

bool is_bearer(std::string_view authorization) noexcept
{
    if (!text::starts_with_ignoring_case(authorization, kScheme)) {
        return false;
    }

    authorization.remove_prefix(kScheme.size());
    while (authorization.starts_with(' ')) {
        authorization.remove_prefix(1); // 1*SP
    }
    return is_token(authorization);
}

namespace {

bool is_token_character(char c) noexcept
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || kTokenMarks.find(c) != kTokenMarks.npos;
}

bool is_token(std::string_view text) noexcept
{
    size_t length = 0;
    while (length < text.size() && is_token_character(text[length])) {
        length++;
    }

    auto padding = text.substr(length);
    return length > 0 && padding.find_first_not_of('=') == padding.npos;
}

} // namespace

} // namespace bff::web
