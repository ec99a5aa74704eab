// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The keys are what everybody knows, the generators of two curves and a
// number; the signatures are none.

#include "core/oidc/rehearsal.hpp"

#include "core/base/base64url.hpp"
#include "core/base/json.hpp"
#include "core/crypto/digest.hpp"
#include "core/oidc/jws.hpp"

namespace bff::oidc {
namespace {

constexpr std::string_view kX = "axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY";
constexpr std::string_view kY = "T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU";

std::string key_set()
{
    std::string n(256, '\xff'); // 2048 bits
    std::string x(32, '\x66');
    x.front() = '\x58';

    std::string keys{R"({"keys":[{"kty":"RSA","e":"AQAB","n":")"};
    keys.append(base64url::encode(n))
        .append(R"("},{"kty":"EC","crv":"P-256",)");
    keys.append(R"("x":")").append(kX).append(R"(","y":")").append(kY);
    keys.append(R"("},{"kty":"OKP","crv":"Ed25519","x":")");
    keys.append(base64url::encode(x)).append(R"("}]})");
    return keys;
}

void check(Algorithm algorithm, size_t signature_octets, const Jwks &keys)
{
    auto header = json::object();
    json::put(header.get(), "alg", name_of(algorithm));
    std::string signature(signature_octets, '\1');

    auto jws = Jws::parse(base64url::encode(json::print(header.get())) +
                              ".e30." + base64url::encode(signature),
                          {algorithm});
    if (jws) {
        (void)verify(*jws, &keys, Secret{});
    }
}

} // namespace

void rehearse()
{
    auto keys = Jwks::parse(key_set());
    if (!keys) {
        return;
    }

    check(Algorithm::rs256, 256, *keys);
    check(Algorithm::ps256, 256, *keys);
    check(Algorithm::es256, 64, *keys);
    check(Algorithm::eddsa, 64, *keys);
    (void)crypto::hkdf_sha256(crypto::hmac_sha256("key", "text"), "", "", 32);
    (void)crypto::sha384("");
    (void)crypto::sha512("");
}

} // namespace bff::oidc
