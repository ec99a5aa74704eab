// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Strict base64url without padding (RFC 4648, 5; RFC 7515, 2), both ways, and
// the plain base64 of HTTP Basic (one way).
//
// Strict: no padding, no white space, no other alphabet, and the unused bits
// of the last character are zero. So what decodes encodes to the same text.

#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace bff::base64url {

std::string encode(std::string_view bytes);
void append(std::string &text, std::string_view bytes); // the same, behind it
std::optional<std::string> decode(std::string_view text);

// The number of characters that `octets` bytes become.
constexpr size_t encoded_size(size_t octets)
{
    return (octets * 4 + 2) / 3;
}

// RFC 4648, 4, with padding, for `Authorization: Basic`.
std::string encode_standard(std::string_view bytes);

} // namespace bff::base64url
