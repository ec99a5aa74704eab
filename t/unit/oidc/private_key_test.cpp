// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

#include "core/oidc/private_key.hpp"

#include <algorithm>

#include <openssl/err.h>

#include "core/base/base64url.hpp"
#include "core/oidc/jwks.hpp"
#include "core/oidc/jws.hpp"
#include "support/key_files.hpp"
#include "unit.hpp"

namespace {

using namespace bff;
using namespace bff::unit;
using oidc::PrivateKey;
using oidc::WrittenKey;

struct Row {
    const MintedKey &key;
    std::string_view usual;
    std::vector<Algorithm> all;
};

std::vector<Row> rows()
{
    return {
        {rsa_key(),
         "RS256",
         {Algorithm::rs256, Algorithm::rs384, Algorithm::rs512,
          Algorithm::ps256, Algorithm::ps384, Algorithm::ps512}},
        {p256_key(), "ES256", {Algorithm::es256}},
        {p384_key(), "ES384", {Algorithm::es384}},
        {p521_key(), "ES512", {Algorithm::es512}},
        {ed_key(), "EdDSA", {Algorithm::eddsa}},
    };
}

PrivateKey parsed(std::string_view file, const WrittenKey &written = {})
{
    auto key = PrivateKey::parse(file, written);
    ck_assert_msg(static_cast<bool>(key), "%s",
                  key ? "" : key.error().detail.c_str());
    ck_assert_uint_eq(ERR_peek_error(), 0);
    return std::move(*key);
}

bool is_refused(std::string_view file, std::string_view why,
                const WrittenKey &written = {})
{
    auto key = PrivateKey::parse(file, written);
    ck_assert_uint_eq(ERR_peek_error(), 0);
    return !key && key.error().code == Code::misconfigured &&
           key.error().detail.find(why) != std::string::npos;
}

json::Value header_with(std::string_view alg)
{
    auto header = json::object();
    json::put(header.get(), "alg", alg);
    return header;
}

// What a provider would find out with the published key.
bool is_good(std::string_view token, const PrivateKey &key)
{
    auto set = oidc::Jwks::parse(jwks({json::print(key.public_jwk().get())}));
    auto jws = oidc::Jws::parse(token, {key.alg()});
    ck_assert(set && jws);
    return verify(*jws, &*set, Secret{}) == oidc::Verdict::good;
}

constexpr std::string_view kJoe =
    "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n "
    "\"http://example.com/is_root\":true}";

TEST(signs_as_rfc_7515_a_2_does)
{
    auto key = parsed(private_jwk(rsa_key()));
    auto token = key.sign(header_with("RS256"), kJoe);

    ck_assert(static_cast<bool>(token));
    ck_assert(
        *token ==
        "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQo"
        "gImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF8"
        "0EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2F"
        "p5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vR"
        "K5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwu"
        "sC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs9"
        "8rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw");
}

TEST(signs_as_rfc_8037_a_4_does)
{
    auto key = parsed(private_jwk(ed_key()));
    auto token = key.sign(header_with("EdDSA"), "Example of Ed25519 signing");

    ck_assert(static_cast<bool>(token));
    ck_assert(*token ==
              "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."
              "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5B"
              "hVsPt9g7sVvpAr_MuM0KAg");
}

TEST(signs_what_its_public_half_verifies_with_every_key_and_algorithm)
{
    for (const auto &[minted, usual, all] : rows()) {
        for (auto alg : all) {
            for (const auto &file : {private_jwk(minted), pem(minted.pkey())}) {
                auto key = parsed(file, {.alg = alg});
                auto token = key.sign(key.header("JWT"), kJoe);
                ck_assert(token && is_good(*token, key));

                auto again = parsed(file, {.alg = alg});
                ck_assert(is_good(*token, again));
            }
        }
    }
}

// r and s may begin with zeros, one in 128 does.
TEST(signs_many_times_on_every_curve)
{
    for (const auto *minted : {&p256_key(), &p384_key(), &p521_key()}) {
        auto key = parsed(private_jwk(*minted));
        for (int i = 0; i < 300; i++) {
            auto token = key.sign(key.header("JWT"), std::to_string(i));
            ck_assert(token && is_good(*token, key));
        }
    }
}

TEST(signs_without_primes_as_well)
{
    auto key = parsed(private_jwk(rsa_key(), R"({"p": null, "q": null,
        "dp": null, "dq": null, "qi": null})"));
    auto token = key.sign(header_with("RS256"), kJoe);
    auto with = parsed(private_jwk(rsa_key())).sign(header_with("RS256"), kJoe);

    ck_assert(token && with && *token == *with);
}

TEST(puts_alg_kid_and_typ_into_the_header)
{
    auto key = parsed(private_jwk(p256_key(), R"({"kid": "one"})"));
    ck_assert(json::print(key.header("JWT").get()) ==
              R"({"alg":"ES256","kid":"one","typ":"JWT"})");

    auto token = key.sign(key.header("JWT"), "{}");
    ck_assert(token->starts_with(
        base64url::encode(R"({"alg":"ES256","kid":"one","typ":"JWT"})") + "."));
}

TEST(chooses_the_algorithm_by_type_and_curve)
{
    for (const auto &[minted, usual, all] : rows()) {
        ck_assert(name_of(parsed(pem(minted.pkey())).alg()) == usual);
    }
}

TEST(takes_the_jwks_algorithm_and_before_it_the_written_one)
{
    auto file = private_jwk(rsa_key(), R"({"alg": "PS384"})");

    ck_assert(parsed(file).alg() == Algorithm::ps384);
    ck_assert(parsed(file, {.alg = Algorithm::rs512}).alg() ==
              Algorithm::rs512);
    ck_assert(parsed(private_jwk(ed_key(), R"({"alg": "Ed25519"})")).alg() ==
              Algorithm::eddsa);
}

TEST(takes_the_jwks_kid_and_before_it_the_written_one)
{
    auto file = private_jwk(ed_key(), R"({"kid": "one"})");

    ck_assert(parsed(file).kid() == "one");
    ck_assert(parsed(file, {.kid = "two"}).kid() == "two");
}

TEST(takes_the_thumbprint_for_a_kid_where_there_is_none_rfc_7638)
{
    constexpr auto thumbprint = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";

    ck_assert(parsed(pem(ed_key().pkey())).kid() == thumbprint);
    ck_assert(parsed(private_jwk(ed_key(), R"({"kid": null})")).kid() ==
              thumbprint);
}

TEST(publishes_no_private_member_ca_4)
{
    for (const auto &[minted, usual, all] : rows()) {
        auto file = private_jwk(minted);
        auto secret = json::parse_object(file);
        auto jwk = parsed(file, {.kid = "k"}).public_jwk();

        for (auto name : {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}) {
            ck_assert(!json::has(jwk.get(), name));
        }
        for (auto name : {"kty", "crv", "n", "e", "x", "y"}) {
            ck_assert(json::string_at(jwk.get(), name) ==
                      json::string_at(secret->get(), name));
        }
        ck_assert(json::string_at(jwk.get(), "kid") == "k");
        ck_assert(json::string_at(jwk.get(), "use") == "sig");
        ck_assert(json::string_at(jwk.get(), "alg") == usual);
    }
}

TEST(refuses_an_algorithm_that_the_key_does_not_fit)
{
    for (const auto &[minted, usual, all] : rows()) {
        for (auto alg : {Algorithm::rs256, Algorithm::ps256, Algorithm::es256,
                         Algorithm::es384, Algorithm::es512, Algorithm::eddsa,
                         Algorithm::hs256}) {
            bool fits = std::find(all.begin(), all.end(), alg) != all.end();
            ck_assert(fits !=
                      is_refused(pem(minted.pkey()), "alg=", {.alg = alg}));
        }
    }

    for (auto alg :
         {R"({"alg": "ES384"})", R"({"alg": "RS256"})", R"({"alg": "HS256"})",
          R"({"alg": "none"})", R"({"alg": "ECDH-ES"})"}) {
        ck_assert(is_refused(private_jwk(p256_key(), alg), "alg="));
    }
}

TEST(refuses_a_kid_that_is_no_line_of_text)
{
    ck_assert(is_refused(private_jwk(ed_key(), R"({"kid": "a\nb"})"), "kid="));
    ck_assert(is_refused(private_jwk(ed_key(), R"({"kid": 1})"), "kid"));
    ck_assert(is_refused(private_jwk(ed_key()),
                         "kid=", {.kid = std::string(257, 'k')}));
}

TEST(refuses_rsa_of_less_than_2048_bits_rfc_7518_3_3)
{
    ck_assert(is_refused(pem(fresh_rsa("weak", 1024).pkey()), "1024 bits"));
    ck_assert(is_refused(pem(fresh_rsa("weak", 2047).pkey()), "2047 bits"));
}

TEST(refuses_numbers_that_would_keep_openssl_busy)
{
    auto huge = base64url::encode(std::string(2000, '\xff'));
    for (auto name : {"n", "d", "p", "e"}) {
        auto members = "{\"" + std::string{name} + "\": \"" + huge + "\"}";
        ck_assert(is_refused(private_jwk(rsa_key(), members), "RSA key has"));
    }
}

TEST(refuses_halves_that_do_not_belong_together)
{
    auto other = parsed(pem(other_rsa().pkey())).public_jwk();
    auto n = std::string{*json::string_at(other.get(), "n")};
    ck_assert(
        is_refused(private_jwk(rsa_key(), R"({"p": null, "q": null, "dp": null,
            "dq": null, "qi": null, "n": ")" + n +
                                              "\"}"),
                   "does not verify"));

    // another point on the same curve, and one on none
    auto p256 =
        parsed(
            pem(MintedKey{"x", Handle<EVP_PKEY>{EVP_EC_gen("P-256")}}.pkey()))
            .public_jwk();
    auto point = "{\"x\": \"" + std::string{*json::string_at(p256.get(), "x")} +
                 "\", \"y\": \"" +
                 std::string{*json::string_at(p256.get(), "y")} + "\"}";
    ck_assert(is_refused(private_jwk(p256_key(), point), "does not verify"));
    auto x = base64url::encode(std::string(32, 'x'));
    ck_assert(is_refused(private_jwk(p256_key(), "{\"x\": \"" + x + "\"}"),
                         "does not verify"));
    ck_assert(is_refused(private_jwk(ed_key(), "{\"x\": \"" + x + "\"}"),
                         "does not verify"));
}

TEST(refuses_a_private_number_of_zero)
{
    auto zero = base64url::encode(std::string(32, '\0'));
    ck_assert(!PrivateKey::parse(
        private_jwk(p256_key(), "{\"d\": \"" + zero + "\"}")));
}

} // namespace
