// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// A JWT by which this client proves who it is (RFC 7523, 2.2; CA-2).
//
// Its audience is the issuer, one string, at whatever endpoint: an assertion
// for a server of an attacker's choice is worth nothing at the real one. It
// is good for a minute, and for one request.

#include "core/oidc/client_assertion.hpp"

#include "core/base/base64url.hpp"
#include "core/base/json.hpp"
#include "core/crypto/digest.hpp"
#include "core/oidc/private_key.hpp"

namespace bff::oidc {
namespace {

constexpr Seconds kLifetime{60};
constexpr std::string_view kTyp = "JWT";

std::string claims(const ClientSettings &client, std::string_view jti,
                   Instant now);
std::string signed_with_secret(const Secret &secret, std::string_view claims);

} // namespace

Result<std::string> client_assertion(const ClientSettings &client,
                                     const Occasion &occasion)
{
    auto jti = crypto::token(occasion.entropy);
    if (!jti) {
        return jti;
    }

    auto payload = claims(client, *jti, occasion.now);
    if (client.auth == ClientAuth::client_secret_jwt) {
        return signed_with_secret(client.client_secret, payload);
    }

    const auto &key = *client.client_keys.front(); // CA-4
    return key.sign(key.header(kTyp), payload);
}

namespace {

std::string claims(const ClientSettings &client, std::string_view jti,
                   Instant now)
{
    auto claims = json::object();
    json::put(claims.get(), "iss", std::string_view{client.client_id});
    json::put(claims.get(), "sub", std::string_view{client.client_id});
    json::put(claims.get(), "aud", std::string_view{client.issuer});
    json::put(claims.get(), "jti", jti);
    json::put_number(claims.get(), "iat", to_number(now));
    json::put_number(claims.get(), "exp", to_number(now + kLifetime));

    return json::print(claims.get());
}

std::string signed_with_secret(const Secret &secret, std::string_view claims)
{
    auto header = json::object();
    json::put(header.get(), "alg", name_of(Algorithm::hs256));
    json::put(header.get(), "typ", kTyp);

    auto input = base64url::encode(json::print(header.get())) + "." +
                 base64url::encode(claims);
    return input + "." +
           base64url::encode(crypto::hmac_sha256(secret.reveal(), input));
}

} // namespace
} // namespace bff::oidc
