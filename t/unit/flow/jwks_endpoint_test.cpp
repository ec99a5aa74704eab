// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The client's public keys, for the provider.

#include "core/oidc/private_key.hpp"
#include "flow_stage.hpp"
#include "support/key_files.hpp"

using namespace bff;
using namespace bff::unit;
using oidc::ClientAuth;

namespace {

void add_key(FlowStage &stage, const MintedKey &minted)
{
    auto key = oidc::PrivateKey::parse(private_jwk(minted));
    ck_assert(static_cast<bool>(key));
    stage.client->client_keys.push_back(
        std::make_shared<const oidc::PrivateKey>(std::move(*key)));
}

void show_certificate(FlowStage &stage, const MintedKey &minted)
{
    auto certificate = oidc::ClientCertificate::parse(
        unit::certificate(minted, minted), pem(minted.pkey()));
    ck_assert(static_cast<bool>(certificate));
    stage.client->client_certificate =
        std::make_shared<const oidc::ClientCertificate>(
            std::move(*certificate));
}

flow::Reply asked(FlowStage &stage,
                  const BrowserRequest &request = call("/bff/jwks"))
{
    auto reply = stage.reply(stage.endpoint("jwks", request));
    ck_assert_int_eq(reply.response.status, 200);
    ck_assert(header(reply, "Content-Type") == "application/json");
    ck_assert(header(reply, "Cache-Control") == "no-store");
    ck_assert(is_kept(reply.change));
    ck_assert(reply.action == flow::Action::jwks);
    return reply;
}

} // namespace

TEST(publishes_an_empty_set_when_there_is_nothing_to_publish)
{
    FlowStage stage;
    ck_assert(asked(stage).response.body == R"({"keys":[]})");
}

TEST(publishes_the_public_halves_of_all_keys_in_their_order_ca_4)
{
    FlowStage stage;
    for (const auto *key :
         {&rsa_key(), &p256_key(), &p384_key(), &p521_key(), &ed_key()}) {
        add_key(stage, *key);
    }

    auto set = body(asked(stage));
    const auto *keys = json::array_at(set.get(), "keys");
    ck_assert_uint_eq(json_array_size(keys), 5);

    size_t i = 0;
    for (auto kid : {"rsa", "p256", "p384", "p521", "ed"}) {
        const auto *key = json_array_get(keys, i++);
        ck_assert(json::string_at(key, "kid") == kid);
        ck_assert(json::string_at(key, "use") == "sig");
        ck_assert(json::has(key, "alg"));
        for (auto secret : {"d", "p", "q", "dp", "dq", "qi"}) {
            ck_assert(!json::has(key, secret));
        }
    }
}

TEST(publishes_a_self_signed_certificate_rfc_8705_2_2_2)
{
    FlowStage stage;
    show_certificate(stage, p256_key());
    stage.client->auth = ClientAuth::self_signed_tls_client_auth;

    auto set = body(asked(stage));
    const auto *keys = json::array_at(set.get(), "keys");
    ck_assert_uint_eq(json_array_size(keys), 1);
    const auto *key = json_array_get(keys, 0);
    ck_assert_uint_eq(json::strings_at(key, "x5c")->size(), 1);
    ck_assert(!json::has(key, "d"));
}

TEST(publishes_no_certificate_that_an_authority_vouches_for)
{
    for (auto auth :
         {ClientAuth::tls_client_auth, ClientAuth::client_secret_basic}) {
        FlowStage stage;
        show_certificate(stage, p256_key());
        stage.client->auth = auth;
        ck_assert(asked(stage).response.body == R"({"keys":[]})");
    }
}

TEST(answers_whoever_asks_from_anywhere)
{
    FlowStage stage;
    stage.log_in();
    asked(stage, foreign_call("/bff/jwks"));

    auto head = call("/bff/jwks");
    head.method = "HEAD";
    asked(stage, head);
}
