// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Reads Cookie, writes Set-Cookie, takes our cookies out (RFC 6265bis).
//
// Names are compared octet by octet (CK-8). What the browser sends is not
// trusted: a name of ours that comes twice is no cookie of ours.

#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/instant.hpp"
#include "core/base/text.hpp"

namespace bff::web {

// name=value pairs in order, separated by ';' with or without space; values
// as they stand, quotes kept; pieces without '=' are left out.
using CookiePair = std::pair<std::string_view, std::string_view>;
std::vector<CookiePair> cookie_pairs(std::string_view cookie_header);

// The value of the cookie, and how often that name occurs.
struct CookieFound {
    std::string_view value;
    size_t times = 0;
};
CookieFound find_cookie(std::string_view cookie_header, std::string_view name);

enum class SameSite { strict, lax, none };

struct SetCookie {
    std::string name;
    std::string value;
    std::string domain = {}; // "" for none
    SameSite same_site = SameSite::strict;
    bool secure = true;
    std::optional<Seconds> max_age = {}; // 0 deletes

    // The whole header value: name=value; Path=/; Secure; HttpOnly; ...
    std::string text() const;
};

// A header without our cookies: every pair whose name is ours goes with one
// separator, everything else stays octet by octet, empty pairs too; "" when
// nothing is left.
// `is_ours` decides by name. nullopt: there was nothing to take out.
template <class IsOurs>
std::optional<std::string> without_cookies(std::string_view cookie_header,
                                           IsOurs is_ours);

// The positions that the template needs: one piece of a Cookie header.
struct CookiePiece {
    size_t begin, end;     // in the header, separator not in it
    size_t value;          // likewise, behind the '='
    std::string_view name; // trimmed; "" for a piece without '='
};
// The piece that begins at `from` (just behind a ';' or at 0).
CookiePiece next_piece(std::string_view cookie_header, size_t from);

template <class IsOurs>
std::optional<std::string> without_cookies(std::string_view header,
                                           IsOurs is_ours)
{
    std::string kept;
    bool found = false;
    bool is_first = true;

    for (size_t at = 0; at <= header.size();) {
        auto piece = next_piece(header, at);
        if (is_ours(piece.name)) {
            found = true;
        } else {
            auto raw = header.substr(piece.begin, piece.end - piece.begin);
            if (!is_first) {
                kept += ';';
            } else if (found) {
                // what now stands first has no separator's space before it
                raw.remove_prefix(
                    std::min(raw.find_first_not_of(" \t"), raw.size()));
            }
            is_first = false;
            kept += raw;
        }
        at = piece.end + 1;
    }

    return found ? std::optional{kept} : std::nullopt;
}

} // namespace bff::web
