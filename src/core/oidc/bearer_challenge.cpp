// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What an API says of the access token that it was given (RFC 6750, 3).
//
// Nothing is granted on what stands here, so it is read kindly: any scheme, in
// any order, with quotes or without, but never inside another quoted text.

#include "core/oidc/bearer_challenge.hpp"

#include "core/base/text.hpp"

namespace bff::oidc {
namespace {

// The next piece up to a space or comma outside of quotes, taken off.
std::string_view next_piece(std::string_view &rest) noexcept
{
    bool is_quoted = false;
    size_t end = 0;

    for (; end < rest.size(); end++) {
        if (is_quoted && rest[end] == '\\') {
            end++;
        } else if (rest[end] == '"') {
            is_quoted = !is_quoted;
        } else if (!is_quoted && (rest[end] == ' ' || rest[end] == ',')) {
            break;
        }
    }

    auto piece = rest.substr(0, end);
    rest.remove_prefix(end < rest.size() ? end + 1 : rest.size());
    return piece;
}

} // namespace

bool is_invalid_token(std::string_view www_authenticate) noexcept
{
    constexpr std::string_view name = "error=";

    while (!www_authenticate.empty()) {
        auto piece = next_piece(www_authenticate);
        if (!text::starts_with_ignoring_case(piece, name)) {
            continue;
        }

        auto value = piece.substr(name.size());
        if (value == "invalid_token" || value == "\"invalid_token\"") {
            return true;
        }
    }

    return false;
}

} // namespace bff::oidc
