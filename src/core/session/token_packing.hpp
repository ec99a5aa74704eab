// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Makes tokens small: the three parts of a JWT as bytes, and deflate for
// what an API request does not need.

#pragma once

#include <string>
#include <string_view>

#include "core/base/result.hpp"

namespace bff::session {

// A JWT (two dots, each part strict base64url) becomes its parts as octets,
// anything else stays as it is; the first octet tells which. Unpacking gives
// the same text octet by octet.
std::string pack_token(std::string_view token);
// Errors: forged.
Result<std::string> unpack_token(std::string_view packed);

// Raw deflate with a dictionary of usual claim names; what has fewer than
// `least` octets stays as it is. Errors of inflate: forged (damaged, or more
// than `limit` octets).
std::string deflate(std::string_view plain, size_t least = 0);
// The same, in the text's own memory where it stays as it is: one octet more.
std::string deflate(std::string &&plain);
Result<std::string> inflate(std::string_view packed, size_t limit = 256 * 1024);

} // namespace bff::session
