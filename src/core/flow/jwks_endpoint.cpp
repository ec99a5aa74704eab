// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// GET jwks: the public keys by which the provider knows this client (CA-4).
//
// It is for the provider, which has no session and asks from anywhere. What
// is published is put together of public members; a private one has no way
// in here.

#include "core/flow/jwks_endpoint.hpp"

#include "core/base/json.hpp"
#include "core/flow/answer.hpp"
#include "core/oidc/private_key.hpp"

namespace bff::flow {
namespace {

json::Value published_keys(const oidc::ClientSettings &client);

} // namespace

Step JwksEndpoint::begin(const Visit &visit)
{
    auto set = json::object();
    json::put(set.get(), "keys", published_keys(*visit.party.client));

    Reply reply;
    reply.response = json_answer(200, set.get());
    reply.action = Action::jwks;

    return reply;
}

Step JwksEndpoint::resume(const Visit &visit, const Answer &)
{
    return begin(visit); // it never asks the provider
}

namespace {

json::Value published_keys(const oidc::ClientSettings &client)
{
    auto keys = json::array();
    for (const auto &key : client.client_keys) {
        json::append(keys.get(), key->public_jwk());
    }

    // RFC 8705, 2.2.2: a certificate that nobody signed is registered here.
    if (client.auth == oidc::ClientAuth::self_signed_tls_client_auth) {
        auto jwk = json::parse_object(client.client_certificate->jwk);
        if (jwk) {
            json::append(keys.get(), std::move(*jwk));
        }
    }

    return keys;
}

} // namespace

} // namespace bff::flow
