// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Reads Cookie, writes Set-Cookie.
//
// A Cookie header is cut at every ';' and nowhere else, quotes or not: that
// is what browsers mean by it, so no value can hide a cookie of ours from us.

#include "core/web/cookie.hpp"

namespace bff::web {
namespace {

// Behind the first '='; the name in front of it was found already.
std::string_view value_of(std::string_view header, const CookiePiece &piece);

bool is_pair(std::string_view header, const CookiePiece &piece);

std::string_view word(SameSite same_site);

} // namespace

std::vector<CookiePair> cookie_pairs(std::string_view cookie_header)
{
    std::vector<CookiePair> pairs;

    for (size_t at = 0; at <= cookie_header.size();) {
        auto piece = next_piece(cookie_header, at);
        if (is_pair(cookie_header, piece)) {
            pairs.emplace_back(piece.name, value_of(cookie_header, piece));
        }
        at = piece.end + 1;
    }

    return pairs;
}

CookieFound find_cookie(std::string_view cookie_header, std::string_view name)
{
    CookieFound found;

    for (size_t at = 0; at <= cookie_header.size();) {
        auto piece = next_piece(cookie_header, at);
        if (piece.name == name && is_pair(cookie_header, piece)) {
            if (found.times++ == 0) {
                found.value = value_of(cookie_header, piece);
            }
        }
        at = piece.end + 1;
    }

    return found;
}

CookiePiece next_piece(std::string_view cookie_header, size_t from)
{
    auto end = std::min(cookie_header.find(';', from), cookie_header.size());
    auto piece = cookie_header.substr(from, end - from);
    auto equals = piece.find('=');
    if (equals == std::string_view::npos) {
        return {from, end, end, {}};
    }

    return {from, end, from + equals + 1, text::trim(piece.substr(0, equals))};
}

std::string SetCookie::text() const
{
    std::string out = name + '=' + value + "; Path=/";

    if (!domain.empty()) {
        out += "; Domain=" + domain;
    }
    if (max_age) {
        out += "; Max-Age=" + std::to_string(max_age->count());
    }
    if (secure) {
        out += "; Secure";
    }
    out += "; HttpOnly; SameSite=";
    out += word(same_site);

    return out;
}

namespace {

std::string_view value_of(std::string_view header, const CookiePiece &piece)
{
    return text::trim(header.substr(piece.value, piece.end - piece.value));
}

bool is_pair(std::string_view header, const CookiePiece &piece)
{
    auto raw = header.substr(piece.begin, piece.end - piece.begin);

    return raw.find('=') != std::string_view::npos;
}

std::string_view word(SameSite same_site)
{
    switch (same_site) {
    case SameSite::strict:
        return "Strict";
    case SameSite::lax:
        return "Lax";
    case SameSite::none:
        return "None";
    }
    return "Strict";
}

} // namespace

} // namespace bff::web
