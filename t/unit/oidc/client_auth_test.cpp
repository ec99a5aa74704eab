// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

#include "core/oidc/client_auth.hpp"

#include "core/base/base64url.hpp"
#include "core/oidc/jws.hpp"
#include "core/oidc/private_key.hpp"
#include "support/key_files.hpp"
#include "support/tape_entropy.hpp"
#include "unit.hpp"

namespace {

using namespace bff;
using namespace bff::unit;
using namespace std::string_view_literals;
using oidc::ClientAuth;

struct Sent {
    web::HttpRequest request;
    std::string form;
};

Sent sent_by(const oidc::ClientSettings &client, uint64_t seed = 0)
{
    TapeEntropy entropy{seed};
    Sent sent;
    web::FormWriter form;
    ck_assert(static_cast<bool>(
        authenticate(client, {kNow, entropy}, sent.request, form)));
    sent.form = form.take();
    return sent;
}

Sent sent_by(ClientAuth method, std::string_view id, std::string_view secret)
{
    auto client = shop_client();
    client.auth = method;
    client.client_id = id;
    client.client_secret = Secret{secret};

    return sent_by(client);
}

TEST(sends_basic_credentials_as_rfc_6749_2_3_1_shows)
{
    auto sent = sent_by(ClientAuth::client_secret_basic, "s6BhdRkqt3",
                        "7Fjfp0ZBr1KtDRbnfVdmIw");

    ck_assert_uint_eq(sent.request.headers.size(), 1);
    ck_assert(sent.request.headers[0].name == "Authorization");
    ck_assert(sent.request.headers[0].value ==
              "Basic czZCaGRSa3F0Mzo3RmpmcDBaQnIxS3REUmJuZlZkbUl3");
    ck_assert(sent.form.empty());
}

TEST(form_encodes_both_before_base64_ca_1)
{
    // "a%3Ab:%25+%2B%26"
    auto sent = sent_by(ClientAuth::client_secret_basic, "a:b", "% +&");
    ck_assert(sent.request.headers[0].value ==
              "Basic YSUzQWI6JTI1KyUyQiUyNg==");
}

TEST(does_not_take_an_encoded_percent_for_a_space_ca_1)
{
    // "%2520:++"
    auto sent = sent_by(ClientAuth::client_secret_basic, "%20", "  ");
    ck_assert(sent.request.headers[0].value == "Basic JTI1MjA6Kys=");
}

TEST(sends_post_credentials_in_the_body_only_ca_1)
{
    auto sent = sent_by(ClientAuth::client_secret_post, "shop", "s&cret");

    ck_assert(sent.request.headers.empty());
    ck_assert(sent.form == "client_id=shop&client_secret=s%26cret");
}

TEST(sends_only_its_name_without_credentials)
{
    auto sent = sent_by(ClientAuth::none, "shop", "");

    ck_assert(sent.request.headers.empty());
    ck_assert(sent.form == "client_id=shop");
}

oidc::ClientSettings key_client()
{
    auto client = shop_client();
    for (const auto *key : {&p256_key(), &rsa_key()}) {
        auto parsed = oidc::PrivateKey::parse(private_jwk(*key));
        ck_assert(static_cast<bool>(parsed));
        client.client_keys.push_back(
            std::make_shared<const oidc::PrivateKey>(std::move(*parsed)));
    }
    client.auth = ClientAuth::private_key_jwt;
    return client;
}

// The only credential in the form, and what stands beside it.
std::string assertion_in(const Sent &sent)
{
    auto form = web::Query::parse(sent.form);
    ck_assert(static_cast<bool>(form));
    ck_assert(sent.request.headers.empty());
    ck_assert_uint_eq(form->all().size(), 3);
    ck_assert(form->get("client_id") == "shop");
    ck_assert(form->get("client_assertion_type") ==
              "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    return std::string{form->get("client_assertion").value_or("")};
}

json::Value claims_of(std::string_view assertion)
{
    auto first = assertion.find('.') + 1;
    auto payload = assertion.substr(first, assertion.rfind('.') - first);
    auto claims = json::parse_object(*base64url::decode(payload));
    ck_assert(static_cast<bool>(claims));
    return std::move(*claims);
}

TEST(says_who_for_whom_when_and_once_in_an_assertion_ca_2)
{
    for (auto method :
         {ClientAuth::private_key_jwt, ClientAuth::client_secret_jwt}) {
        auto client = key_client();
        client.auth = method;
        auto claims = claims_of(assertion_in(sent_by(client)));

        ck_assert_uint_eq(json_object_size(claims.get()), 6);
        ck_assert(json::string_at(claims.get(), "iss") == "shop");
        ck_assert(json::string_at(claims.get(), "sub") == "shop");
        ck_assert(json::string_at(claims.get(), "aud") == kIssuer);
        ck_assert(json::integer_at(claims.get(), "iat") == to_number(kNow));
        ck_assert(json::integer_at(claims.get(), "exp") ==
                  to_number(kNow) + 60);

        auto jti = json::string_at(claims.get(), "jti").value_or("");
        ck_assert_uint_ge(base64url::decode(jti)->size() * 8, 128);
    }
}

TEST(signs_with_the_first_key_and_names_it_ca_2_ca_4)
{
    auto assertion = assertion_in(sent_by(key_client()));
    auto jws = oidc::Jws::parse(assertion, {Algorithm::es256});
    auto keys = oidc::Jwks::parse(jwks({p256_key().jwk()}));

    ck_assert(jws && keys);
    ck_assert(jws->kid == "p256");
    ck_assert(jws->typ == "JWT");
    ck_assert(verify(*jws, &*keys, Secret{}) == oidc::Verdict::good);
}

TEST(signs_with_the_secret_by_hs256_ca_2)
{
    auto client = shop_client();
    client.auth = ClientAuth::client_secret_jwt;
    auto assertion = assertion_in(sent_by(client));
    auto jws = oidc::Jws::parse(assertion, {Algorithm::hs256});

    ck_assert(static_cast<bool>(jws));
    ck_assert(jws->typ == "JWT");
    ck_assert(verify(*jws, nullptr, client.client_secret) ==
              oidc::Verdict::good);
}

TEST(makes_another_assertion_each_time_ca_3)
{
    auto client = key_client();
    TapeEntropy entropy;
    std::string last;

    for (int i = 0; i < 3; i++) {
        auto assertion = oidc::client_assertion(client, {kNow, entropy});
        ck_assert(static_cast<bool>(assertion));
        auto claims = claims_of(*assertion);
        auto jti = std::string{*json::string_at(claims.get(), "jti")};
        ck_assert(jti != last);
        last = jti;
    }
}

TEST(sends_no_request_without_random_bytes)
{
    BrokenEntropy entropy;
    web::HttpRequest request;
    web::FormWriter form;
    auto done = authenticate(key_client(), {kNow, entropy}, request, form);

    ck_assert(!done && done.error().code == Code::unavailable);
}

TEST(sends_client_id_and_no_other_credential_with_a_certificate_mt_1)
{
    for (auto method : {ClientAuth::tls_client_auth,
                        ClientAuth::self_signed_tls_client_auth}) {
        auto client = key_client(); // has a secret and keys as well
        client.auth = method;
        auto sent = sent_by(client);

        ck_assert(sent.request.headers.empty());
        ck_assert(sent.form == "client_id=shop");
    }
}

} // namespace
