// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Keys, key sets and signed tokens as a provider would make them, good and
// bad ones. The module only verifies; here is the other half.
//
//     auto token = mint(rsa_key(), Algorithm::rs256,
//                       claims_with(R"({"aud": "someone-else"})"));
//
// The fixed keys are those published with the standards, so every run sees
// the same ones and no private key of anybody's stands here.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/handle.hpp"
#include "core/base/instant.hpp"
#include "core/oidc/client_settings.hpp"

namespace bff::unit {

using oidc::Algorithm;

// What the claims below are about.
constexpr std::string_view kIssuer = "https://id.example.com";
constexpr std::string_view kClientId = "shop";
constexpr std::string_view kClientSecret = "correct horse battery staple 0123";
constexpr std::string_view kNonce = "n-0S6_WzA2Mj";
const Instant kNow = instant(1'700'000'000);

// Such a client, after check().
oidc::ClientSettings shop_client();

class MintedKey {
public:
    MintedKey(std::string kid, Handle<EVP_PKEY> pkey);

    const std::string &kid() const noexcept { return kid_; }
    EVP_PKEY *pkey() const noexcept { return pkey_.get(); }

    // The public half as a JWK, with `members` (a JSON object) put over it.
    std::string jwk(std::string_view members = "{}") const;

    // As in a JWS: raw r and s for ECDSA, salt as long as the hash for PSS.
    std::string sign(Algorithm algorithm, std::string_view input) const;

private:
    std::string kid_;
    Handle<EVP_PKEY> pkey_;
};

const MintedKey &rsa_key();   // RFC 7515, A.2; kid "rsa"
const MintedKey &p256_key();  // RFC 7515, A.3; kid "p256"
const MintedKey &p521_key();  // RFC 7515, A.4; kid "p521"
const MintedKey &ed_key();    // RFC 8037, A.1; kid "ed"
const MintedKey &p384_key();  // made anew in each run; kid "p384"
const MintedKey &other_rsa(); // likewise; kid "other"

MintedKey fresh_rsa(std::string kid, unsigned bits);

// {"keys": [...]}
std::string jwks(const std::vector<std::string> &entries);
// The public halves of all the keys above but other_rsa().
std::string all_jwks();

// The claims of a good ID token for kIssuer, kClientId, kNonce and kNow, with
// `members` (a JSON object) put over them, or one taken out.
std::string claims_with(std::string_view members = "{}");
std::string claims_without(std::string_view name);

// The same of a good logout token, for "alice" and her session "s-1".
std::string logout_claims_with(std::string_view members = "{}");
std::string logout_claims_without(std::string_view name);

// Header: alg, typ and the key's kid, with `header` put over it.
std::string mint(const MintedKey &key, Algorithm algorithm,
                 std::string_view claims, std::string_view header = "{}");
std::string mint_mac(std::string_view secret, Algorithm algorithm,
                     std::string_view claims, std::string_view header = "{}");
// "alg": "none" and an empty signature.
std::string mint_unsigned(std::string_view claims);

// Signs any header and payload, well-formed or not.
std::string mint_raw(const MintedKey &key, Algorithm algorithm,
                     std::string_view header, std::string_view payload);

// Three segments of base64url.
std::string compact(std::string_view header, std::string_view payload,
                    std::string_view signature);

} // namespace bff::unit
