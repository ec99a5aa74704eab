// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// A key as the numbers it is made of, read from PEM or from a JWK.
//
// What is private in it is a Secret, and no error tells what stood in a file
// (but for the name of a type or an algorithm).

#pragma once

#include <map>
#include <string>
#include <string_view>

#include "core/base/handle.hpp"
#include "core/base/json.hpp"
#include "core/base/result.hpp"
#include "core/base/secret.hpp"

namespace bff::oidc {

constexpr size_t kMostKeyOctets = 64 * 1024; // of a file

struct KeyMaterial {
    std::string kty; // RSA, EC, OKP
    std::string crv; // P-256, ..., Ed25519; "" for RSA
    std::string kid; // of a JWK; "" when it names none
    std::string alg; // likewise

    // Octets, by their names in a JWK: n, e, d, p, ... or x, y, d.
    std::map<std::string, Secret, std::less<>> numbers;

    // A file with a private key: PEM (PKCS#8, PKCS#1, SEC1) or one JWK.
    // Errors: misconfigured; detail goes on from "cannot use the file: ".
    static Result<KeyMaterial> parse(std::string_view file);

    // What OpenSSL has read; a public key has no d. Errors: misconfigured
    // (a type of key that is not used here).
    static Result<KeyMaterial> of(EVP_PKEY *key);

    // "" when it is not there.
    std::string_view number(std::string_view name) const;

    // The members that RFC 7638, 3.2 names, in its order, and nothing else.
    json::Value public_jwk() const;
    // RFC 7638, with SHA-256.
    std::string thumbprint() const;
};

// A key that is encrypted is an error: nobody is asked for a password.
// Errors: as of KeyMaterial::parse.
Result<Handle<EVP_PKEY>> private_key_of_pem(std::string_view pem);

} // namespace bff::oidc
