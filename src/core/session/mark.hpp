// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What a session is known by when its provider ends it.
//
// A logout names a sid or a sub; the session's head carries the first octets
// of their digests, so that the two are compared without unpacking anything.

#pragma once

#include <string>
#include <string_view>

namespace bff::session {

constexpr size_t kMarkOctets = 8;

// The first octets of SHA-256(issuer '\n' name '\n' value), of a value that
// `name` ("sid" or "sub") says; all zero for an empty value.
std::string mark(std::string_view issuer, std::string_view name,
                 std::string_view value);

} // namespace bff::session
