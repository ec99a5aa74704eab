// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What we do with text: trim, split, ASCII case, small numbers.
//
// Nothing here asks the locale, so a server's language settings never change
// how a header is read.

#include "core/base/text.hpp"

#include <algorithm>
#include <charconv>

namespace bff::text {
namespace {

bool is_digit(char c) noexcept;
bool is_control(char c) noexcept;
bool same_letter(char a, char b) noexcept;
std::string_view html_escape(char c) noexcept;
int hex_value(char c) noexcept;

} // namespace

std::vector<std::string_view> split(std::string_view text, char separator)
{
    std::vector<std::string_view> pieces;

    for (;;) {
        auto end = text.find(separator);
        pieces.push_back(text.substr(0, end));
        if (end == std::string_view::npos) {
            return pieces;
        }
        text.remove_prefix(end + 1);
    }
}

std::vector<std::string_view> words(std::string_view text)
{
    auto pieces = split(text, ' ');
    std::erase_if(pieces, [](auto piece) { return piece.empty(); });

    return pieces;
}

std::string lower(std::string_view text)
{
    std::string lowered{text};
    for (char &c : lowered) {
        c = lower(c);
    }

    return lowered;
}

char lower(char c) noexcept
{
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept
{
    return a == b || (a.size() == b.size() &&
                      std::equal(a.begin(), a.end(), b.begin(), same_letter));
}

bool starts_with_ignoring_case(std::string_view text,
                               std::string_view prefix) noexcept
{
    return equal_ignoring_case(text.substr(0, prefix.size()), prefix);
}

bool contains_ignoring_case(std::string_view text,
                            std::string_view part) noexcept
{
    if (part.empty()) {
        return true;
    }

    auto found = std::search(text.begin(), text.end(), part.begin(), part.end(),
                             same_letter);
    return found != text.end();
}

std::optional<long long> number(std::string_view digits) noexcept
{
    if (digits.empty() || !is_digit(digits.front())) {
        return std::nullopt; // from_chars would take a minus sign
    }

    long long value = 0;
    const char *end = digits.data() + digits.size();
    auto [stop, error] = std::from_chars(digits.data(), end, value);
    if (error != std::errc{} || stop != end) {
        return std::nullopt;
    }

    return value;
}

bool is_printable(std::string_view text) noexcept
{
    return std::none_of(text.begin(), text.end(), is_control);
}

std::string html(std::string_view text)
{
    std::string escaped;
    escaped.reserve(text.size());

    for (char c : text) {
        auto escape = html_escape(c);
        if (escape.empty()) {
            escaped.push_back(c);
        } else {
            escaped += escape;
        }
    }

    return escaped;
}

std::string for_log(std::string_view text, size_t octets)
{
    std::string line{text.substr(0, octets)};
    for (char &c : line) {
        if (c < ' ' || c > '~') { // also bytes above 127, where char is signed
            c = '?';
        }
    }

    return line;
}

std::string hex(std::string_view bytes)
{
    constexpr std::string_view kDigits = "0123456789abcdef";

    std::string digits;
    digits.reserve(bytes.size() * 2);
    for (unsigned char byte : bytes) {
        digits.push_back(kDigits[byte >> 4]);
        digits.push_back(kDigits[byte & 15]);
    }

    return digits;
}

std::optional<std::string> from_hex(std::string_view digits)
{
    if (digits.size() % 2 != 0) {
        return std::nullopt;
    }

    std::string bytes;
    bytes.reserve(digits.size() / 2);
    for (size_t i = 0; i < digits.size(); i += 2) {
        int high = hex_value(digits[i]);
        int low = hex_value(digits[i + 1]);
        if (high < 0 || low < 0) {
            return std::nullopt;
        }
        bytes.push_back(static_cast<char>(high << 4 | low));
    }

    return bytes;
}

namespace {

bool is_digit(char c) noexcept
{
    return c >= '0' && c <= '9';
}

bool is_control(char c) noexcept
{
    auto octet = static_cast<unsigned char>(c);
    return octet < 32 || octet == 127;
}

bool same_letter(char a, char b) noexcept
{
    return lower(a) == lower(b);
}

std::string_view html_escape(char c) noexcept
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return {};
    }
}

int hex_value(char c) noexcept
{
    if (is_digit(c)) {
        return c - '0';
    }

    c = lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

} // namespace
} // namespace bff::text
