// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Reads Cookie, writes Set-Cookie.
//
// A Cookie header is cut at every ';' and nowhere else, quotes or not: that
// is what browsers mean by it, so no value can hide a cookie of ours from us.

#include "core/web/cookie.hpp"

#include <algorithm>

namespace bff::web {
namespace {

bool is_pair(std::string_view header, const CookiePiece &piece);

// What comes to stand first has no separator's space before it.
std::string_view without_blanks(std::string_view others);

std::string_view word(SameSite same_site);

} // namespace

std::vector<CookiePair> cookie_pairs(std::string_view cookie_header)
{
    std::vector<CookiePair> pairs;

    for (size_t at = 0; at <= cookie_header.size();) {
        auto piece = next_piece(cookie_header, at);
        if (is_pair(cookie_header, piece)) {
            pairs.emplace_back(piece.name, text::trim(piece.value));
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
                found.value = text::trim(piece.value);
            }
        }
        at = piece.end + 1;
    }

    return found;
}

std::string OurCookies::others() const
{
    std::string kept;
    bool is_first = true;
    auto keep = [&](size_t begin, size_t end) {
        if (begin < end) { // with the separator behind it
            auto others = header_.substr(begin, end - 1 - begin);
            kept += is_first ? "" : ";";
            kept += is_first && begin > 0 ? without_blanks(others) : others;
            is_first = false;
        }
    };

    size_t at = 0;
    for (size_t i = 0; i < count_; i++) {
        const auto &ours = (*this)[i];
        keep(at, ours.begin);
        at = ours.end + 1;
    }
    keep(at, header_.size() + 1);
    return kept;
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

bool is_pair(std::string_view header, const CookiePiece &piece)
{
    auto raw = header.substr(piece.begin, piece.end - piece.begin);

    return raw.find('=') != std::string_view::npos;
}

std::string_view without_blanks(std::string_view others)
{
    others.remove_prefix(
        std::min(others.find_first_not_of(" \t"), others.size()));
    return others;
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
