// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Sixteen characters of base64url at once, where the processor can (SSSE3).

#pragma once

#include <cstddef>

namespace bff::base64url {

// How many characters were decoded from the front, a multiple of sixteen; 0
// where the processor cannot. The last 16 of `characters` are always left, as
// each step writes 16 octets for its 12. `bad`: something was no base64url.
size_t decode_blocks(const unsigned char *in, size_t characters, char *out,
                     bool &bad) noexcept;

// Likewise, octets that were encoded, a multiple of twelve; the last four are
// always left, as each step reads 16.
size_t encode_blocks(const unsigned char *in, size_t octets,
                     char *out) noexcept;

} // namespace bff::base64url
