// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// SHA-2, HMAC-SHA-256 and HKDF-SHA-256 (RFC 5869), on OpenSSL.

#pragma once

#include <string>
#include <string_view>

#include "core/base/secret.hpp"

namespace bff::crypto {

// Raw digests of 32, 48 and 64 octets.
std::string sha256(std::string_view data);
std::string sha384(std::string_view data);
std::string sha512(std::string_view data);

// 32 octets.
std::string hmac_sha256(std::string_view key, std::string_view data);

// HKDF extract and expand; `octets` of key material.
Secret hkdf_sha256(std::string_view key, std::string_view salt,
                   std::string_view info, size_t octets);

} // namespace bff::crypto
