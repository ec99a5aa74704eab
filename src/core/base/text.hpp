// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What we do with text: trim, split, ASCII case, small numbers.

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bff::text {

// Without spaces and tabs at both ends (OWS of RFC 9110, 5.6.3).
inline std::string_view trim(std::string_view text) noexcept
{
    auto is_space = [](char c) { return c == ' ' || c == '\t'; };

    while (!text.empty() && is_space(text.front())) {
        text.remove_prefix(1);
    }
    while (!text.empty() && is_space(text.back())) {
        text.remove_suffix(1);
    }
    return text;
}

// The pieces between the separators, empty ones too; at least one.
std::vector<std::string_view> split(std::string_view text, char separator);

// The words between spaces, empty ones left out.
std::vector<std::string_view> words(std::string_view text);

// ASCII only: never depends on a locale.
std::string lower(std::string_view text);
char lower(char c) noexcept;
bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept;
bool starts_with_ignoring_case(std::string_view text,
                               std::string_view prefix) noexcept;
bool contains_ignoring_case(std::string_view text,
                            std::string_view part) noexcept;

// A decimal number of digits only, no sign, no overflow.
std::optional<long long> number(std::string_view digits) noexcept;

// No control character (0 to 31, 127).
bool is_printable(std::string_view text) noexcept;

// Escaped for HTML text and double-quoted attributes.
std::string html(std::string_view text);

// Fit for one log line: control characters and bytes above 126 become '?',
// and at most `octets` of it.
std::string for_log(std::string_view text, size_t octets = 200);

std::string hex(std::string_view bytes);
// Lower or upper case hex digits, an even number of them.
std::optional<std::string> from_hex(std::string_view digits);

} // namespace bff::text
