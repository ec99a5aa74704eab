// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Session to bytes and back, with a format version that old readers refuse.
//
//   version u8 = 2 | id 16 | generation u32 | flags u8 (bit 0: has a refresh
//   token) | sid mark 8 | sub mark 8 | created u64 | expires u64 | active u64 |
//   access expires u64 (0: unknown) | access token: length u32, packed |
//   details: length u32, packed
//
// Numbers are big-endian. The access token stands in the first, uncompressed
// part; the details are deflated and opened only when asked for.

#pragma once

#include <string>
#include <string_view>

#include "core/base/result.hpp"
#include "core/session/session.hpp"

namespace bff::session {

std::string encode(const Session &session);
// Errors: forged (anything that encode() did not write).
Result<Session> decode(std::string_view bytes);

Secret pack_details(const Details &details);
// Errors: forged.
Result<Details> unpack_details(const Secret &packed);

} // namespace bff::session
