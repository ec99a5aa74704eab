// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Private keys as operators keep them: PEM in its forms, and JWKs.

#pragma once

#include <string>
#include <string_view>

#include "support/minted.hpp"

namespace bff::unit {

enum class Pem {
    pkcs8,
    traditional, // PKCS#1 or SEC1
    encrypted,   // PKCS#8, PBES2
    legacy,      // PKCS#1 or SEC1, Proc-Type: 4,ENCRYPTED
    only_public,
};
std::string pem(EVP_PKEY *key, Pem form = Pem::pkcs8);

// The JWK with its private members, with `members` (a JSON object) put over
// it; null takes one out.
std::string private_jwk(const MintedKey &key, std::string_view members = "{}");

// A certificate for this key, signed with `issuer`'s, in PEM.
std::string certificate(const MintedKey &key, const MintedKey &issuer);

} // namespace bff::unit
