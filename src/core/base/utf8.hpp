// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// UTF-8 as Unicode has it: no overlong forms, no surrogates, nothing above
// U+10FFFF.

#pragma once

#include <string>
#include <string_view>

namespace bff::utf8 {

// The length of the sequence at the beginning of a text that is not empty; 0
// when there is none.
size_t valid_octets(std::string_view text) noexcept;

// For a code point that is no surrogate.
void append(std::string &text, char32_t code_point);

} // namespace bff::utf8
