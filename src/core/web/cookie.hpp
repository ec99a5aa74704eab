// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Reads Cookie, writes Set-Cookie, takes our cookies out (RFC 6265bis).
//
// Names are compared octet by octet (CK-8). What the browser sends is not
// trusted: a name of ours that comes twice is no cookie of ours.

#pragma once

#include <algorithm>
#include <array>
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

// One piece of a Cookie header.
struct CookiePiece {
    size_t begin, end;      // in the header, separator not in it
    std::string_view name;  // trimmed; "" for a piece without '='
    std::string_view value; // as it stands behind that
};
// The piece that begins at `from` (just behind a ';' or at 0).
inline CookiePiece next_piece(std::string_view cookie_header, size_t from)
{
    auto end = std::min(cookie_header.find(';', from), cookie_header.size());
    auto piece = cookie_header.substr(from, end - from);
    auto equals = piece.find('=');
    if (equals == std::string_view::npos) {
        return {from, end, {}, {}};
    }

    return {from, end, text::trim(piece.substr(0, equals)),
            piece.substr(equals + 1)};
}

// Where the cookies of ours are in a header: found in one pass, for who reads
// them and for who takes them out. `is_ours` decides by name.
class OurCookies {
public:
    template <class IsOurs>
    OurCookies(std::string_view cookie_header, IsOurs is_ours);

    std::string_view header() const { return header_; }
    bool empty() const { return count_ == 0; }

    size_t size() const { return count_; }
    const CookiePiece &operator[](size_t i) const
    {
        if (i < few_.size()) {
            return few_[i];
        }
        return more_[i - few_.size()];
    }

    // The header without them: every one goes with one separator, everything
    // else stays octet by octet, empty pairs too; "" when nothing is left.
    // nullopt: there is nothing to take out.
    std::optional<std::string> rest() const
    {
        if (empty()) {
            return std::nullopt;
        }
        return has_others_ ? others() : std::string{};
    }

private:
    void add(const CookiePiece &piece)
    {
        if (count_ < few_.size()) {
            few_[count_] = piece;
        } else {
            more_.push_back(piece);
        }
        count_++;
    }

    std::string others() const;

    std::string_view header_;
    bool has_others_ = false;
    size_t count_ = 0;
    std::array<CookiePiece, 2> few_; // a session seldom has more
    std::vector<CookiePiece> more_;
};

template <class IsOurs>
OurCookies::OurCookies(std::string_view cookie_header, IsOurs is_ours)
    : header_{cookie_header}
{
    for (size_t at = 0; at <= cookie_header.size();) {
        auto piece = next_piece(cookie_header, at);
        if (is_ours(piece.name)) {
            add(piece);
        } else {
            has_others_ = true;
        }
        at = piece.end + 1;
    }
}

} // namespace bff::web
