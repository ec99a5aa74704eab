// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The provider's key set: parse, and pick keys by id and algorithm (KEY-*).
//
// Unknown, malformed, weak and private entries are skipped or refused one by
// one (KEY-8), never used.

#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/handle.hpp"
#include "core/base/result.hpp"
#include "core/oidc/client_settings.hpp"

namespace bff::oidc {

// What an algorithm needs of a key (KEY-3); empty for a MAC.
struct KeyType {
    std::string_view kty;
    std::string_view crv; // "" for RSA
};
KeyType key_type(Algorithm algorithm);

// Octets of a coordinate; 0 for a curve that is not used here.
size_t coordinate_octets(std::string_view crv);

struct PublicKey {
    std::string kid; // "" when it has none
    std::string kty; // RSA, EC, OKP
    std::string crv; // P-256, ..., Ed25519; "" for RSA
    std::string alg; // "" when it names none
    // One of the two: cjose for RSA and EC, OpenSSL for Ed25519.
    Handle<cjose_jwk_t> jwk;
    Handle<EVP_PKEY> pkey;
};

class Jwks {
public:
    // The body of a 200 answer. Errors: unsupported (not a key set). A set
    // without one usable key is a set.
    static Result<Jwks> parse(std::string_view json);

    // Keys that may have made such a signature (KEY-3, KEY-4, KEY-5), at
    // most 8. kid nullopt: the token names none.
    std::vector<const PublicKey *>
    candidates(Algorithm algorithm, std::optional<std::string_view> kid) const;

    // Of those that can be used.
    size_t size() const;

private:
    // An RSA or EC key is imported when it is first asked for: importing all
    // of a large set takes a millisecond.
    struct Entry {
        PublicKey key;
        Handle<json_t> plain; // until then

        bool is_usable();
    };

    mutable std::vector<Entry> entries_;
};

} // namespace bff::oidc
