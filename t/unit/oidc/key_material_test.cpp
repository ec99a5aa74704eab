// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

#include "core/oidc/key_material.hpp"

#include <openssl/ec.h>
#include <openssl/err.h>

#include "core/base/base64url.hpp"
#include "support/key_files.hpp"
#include "unit.hpp"

namespace {

using namespace bff;
using namespace bff::unit;
using oidc::KeyMaterial;

const std::vector<const MintedKey *> &keys()
{
    static const std::vector<const MintedKey *> all{
        &rsa_key(), &p256_key(), &p384_key(), &p521_key(), &ed_key()};
    return all;
}

KeyMaterial parsed(std::string_view file)
{
    auto material = KeyMaterial::parse(file);
    ck_assert_uint_eq(ERR_peek_error(), 0);
    ck_assert_msg(static_cast<bool>(material), "%.*s", int(file.size()),
                  file.data());
    return std::move(*material);
}

// Refused, with these words, and with nothing of the file in them.
bool is_refused(std::string_view file, std::string_view why)
{
    auto material = KeyMaterial::parse(file);
    ck_assert_uint_eq(ERR_peek_error(), 0);

    return !material && material.error().code == Code::misconfigured &&
           material.error().detail.find(why) != std::string::npos &&
           material.error().detail.find('\n') == std::string::npos;
}

bool is_refused(const MintedKey &key, std::string_view members,
                std::string_view why)
{
    return is_refused(private_jwk(key, members), why);
}

// However the key is written.
void has_the_same_numbers(const MintedKey &key)
{
    auto jwk = parsed(private_jwk(key));
    auto pkcs8 = parsed(pem(key.pkey()));
    bool is_old = &key != &ed_key(); // has no form but PKCS#8
    auto traditional =
        parsed(pem(key.pkey(), is_old ? Pem::traditional : Pem::pkcs8));

    ck_assert(!jwk.number("d").empty());
    for (const auto *other : {&pkcs8, &traditional}) {
        ck_assert(other->kty == jwk.kty && other->crv == jwk.crv);
        ck_assert_uint_eq(other->numbers.size(), jwk.numbers.size());
        for (const auto &[name, number] : jwk.numbers) {
            ck_assert(other->number(name) == number.reveal());
        }
    }
}

TEST(finds_the_same_numbers_in_pkcs_8_pkcs_1_sec1_and_a_jwk)
{
    for (const auto *key : keys()) {
        has_the_same_numbers(*key);
    }
}

TEST(keeps_the_leading_zeros_of_an_ec_key_rfc_7518_6_2_2_1)
{
    for (;;) { // one in 256
        MintedKey key{"new", Handle<EVP_PKEY>{EVP_EC_gen("P-256")}};
        auto d = parsed(private_jwk(key)).numbers.at("d");
        ck_assert_uint_eq(d.size(), 32);
        if (d.reveal().front() == '\0') {
            has_the_same_numbers(key);
            break;
        }
    }
}

TEST(makes_the_thumbprint_of_rfc_7638_3_1)
{
    KeyMaterial key;
    key.kty = "RSA";
    key.numbers.emplace("e", Secret{std::string("\1\0\1", 3)});
    auto n = base64url::decode(
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1R"
        "K7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9"
        "yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZg"
        "nYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6We"
        "Zu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDK"
        "gw");
    key.numbers.emplace("n", Secret{std::string_view{*n}});

    ck_assert(key.thumbprint() ==
              "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
}

TEST(makes_the_thumbprint_of_rfc_8037_a_3)
{
    ck_assert(parsed(private_jwk(ed_key())).thumbprint() ==
              "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

TEST(puts_only_public_members_into_the_public_jwk)
{
    ck_assert(json::print(parsed(private_jwk(ed_key())).public_jwk().get()) ==
              R"({"crv":"Ed25519","kty":"OKP",)"
              R"("x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})");
    ck_assert(json::print(parsed(private_jwk(p256_key())).public_jwk().get()) ==
              R"({"crv":"P-256","kty":"EC",)"
              R"("x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
              R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})");

    auto rsa = parsed(private_jwk(rsa_key())).public_jwk();
    ck_assert_uint_eq(json_object_size(rsa.get()), 3);
    ck_assert(json::string_at(rsa.get(), "e") == "AQAB");
}

TEST(takes_kid_and_alg_from_a_jwk)
{
    auto key =
        parsed(private_jwk(p256_key(), R"({"kid": "one", "alg": "ES256"})"));

    ck_assert(key.kid == "one");
    ck_assert(key.alg == "ES256");
    ck_assert(parsed(pem(p256_key().pkey())).kid.empty());
}

TEST(reads_a_jwk_with_white_space_around_it)
{
    ck_assert(parsed("\n  " + private_jwk(ed_key()) + "\r\n").kty == "OKP");
}

TEST(reads_an_rsa_jwk_without_primes_rfc_7518_6_3_2)
{
    auto key = parsed(private_jwk(rsa_key(), R"({"p": null, "q": null,
        "dp": null, "dq": null, "qi": null})"));
    ck_assert_uint_eq(key.numbers.size(), 3);
}

TEST(reads_the_ec_key_behind_its_parameters)
{
    // as "openssl ecparam -genkey" writes it
    auto key = parsed("-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n"
                      "-----END EC PARAMETERS-----\n" +
                      pem(p256_key().pkey(), Pem::traditional));
    ck_assert(key.crv == "P-256");
}

TEST(refuses_an_encrypted_key_and_asks_nobody_for_its_password)
{
    for (const auto *key : {&rsa_key(), &p256_key()}) {
        ck_assert(is_refused(pem(key->pkey(), Pem::encrypted), "encrypted"));
        ck_assert(is_refused(pem(key->pkey(), Pem::legacy), "encrypted"));
    }
}

TEST(refuses_a_public_key)
{
    for (const auto *key : keys()) {
        ck_assert(
            is_refused(pem(key->pkey(), Pem::only_public), "no private key"));
        ck_assert(is_refused(key->jwk(), "not private"));
    }
}

TEST(refuses_what_is_neither_pem_nor_a_jwk)
{
    ck_assert(is_refused("", "neither PEM nor a JWK"));
    ck_assert(is_refused("hello", "neither PEM nor a JWK"));
    ck_assert(is_refused("[]", "neither PEM nor a JWK"));
    ck_assert(is_refused("{\"kty\": hello}", "no JWK"));
    ck_assert(is_refused("{}", "not private"));
    ck_assert(is_refused("-----BEGIN PRIVATE KEY-----\nAAAA\n"
                         "-----END PRIVATE KEY-----\n",
                         "no private key"));
    ck_assert(is_refused(std::string(oidc::kMostKeyOctets + 1, ' '), "large"));
}

TEST(refuses_a_set_of_keys)
{
    ck_assert(is_refused("{\"keys\":[" + private_jwk(ed_key()) + "]}",
                         "set of keys"));
}

TEST(refuses_other_types_and_curves)
{
    constexpr auto types = "P-256";
    Handle<EVP_PKEY> secp256k1{EVP_EC_gen("secp256k1")};
    Handle<EVP_PKEY> x25519{EVP_PKEY_Q_keygen(nullptr, nullptr, "X25519")};
    Handle<EVP_PKEY> ed448{EVP_PKEY_Q_keygen(nullptr, nullptr, "ED448")};
    for (const auto *key : {&secp256k1, &x25519, &ed448}) {
        ck_assert(is_refused(pem(key->get()), types));
    }

    ck_assert(is_refused(ed_key(), R"({"crv": "X25519"})", types));
    ck_assert(is_refused(p256_key(), R"({"crv": "secp256k1"})", types));
    ck_assert(is_refused(p256_key(), R"({"kty": "oct"})", types));
    ck_assert(is_refused(p256_key(), R"({"kty": null})", types));
    ck_assert(is_refused(p256_key(), R"({"kty": 1})", "\"kty\""));
}

TEST(refuses_a_jwk_whose_numbers_are_missing_or_malformed)
{
    for (auto name : {"x", "y", "d"}) {
        for (auto value : {"null", "1", "\"\"", "\"a b\"", "\"AA==\""}) {
            auto members = "{\"" + std::string{name} + "\": " + value + "}";
            ck_assert(is_refused(p256_key(), members, "") ==
                      !KeyMaterial::parse(private_jwk(p256_key(), members)));
            ck_assert(!KeyMaterial::parse(private_jwk(p256_key(), members)));
        }
    }

    ck_assert(is_refused(p256_key(), R"({"x": "AAAA"})", "\"x\""));
    ck_assert(is_refused(ed_key(), R"({"d": "AAAA"})", "\"d\""));
    ck_assert(is_refused(ed_key(), R"({"x": null})", "\"x\""));
    ck_assert(is_refused(rsa_key(), R"({"n": null})", "\"n\""));
    ck_assert(is_refused(rsa_key(), R"({"qi": null})", "\"qi\""));
    ck_assert(is_refused(rsa_key(), R"({"oth": []})", "two primes"));
}

TEST(refuses_a_jwk_that_is_not_for_signing)
{
    for (auto members :
         {R"({"use": "enc"})", R"({"use": 1})", R"({"key_ops": ["decrypt"]})",
          R"({"key_ops": []})", R"({"key_ops": 1})"}) {
        ck_assert(is_refused(rsa_key(), members, "not for signing"));
    }
    parsed(private_jwk(rsa_key(), R"({"key_ops": ["sign", "verify"]})"));
    parsed(private_jwk(rsa_key(), R"({"use": null})"));
}

TEST(refuses_a_jwk_with_a_member_twice)
{
    auto jwk = private_jwk(ed_key());
    jwk.insert(1, R"("d":"AAAA",)");
    ck_assert(is_refused(jwk, "no JWK"));
}

TEST(never_tells_what_stands_in_the_file)
{
    auto secret = std::string{"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"};
    for (const auto &file :
         {private_jwk(p256_key(), R"({"x": "AAAA"})"),
          private_jwk(p256_key(), R"({"crv": "P-512"})"),
          private_jwk(p256_key()) + "}", "x" + private_jwk(p256_key())}) {
        auto material = KeyMaterial::parse(file);
        ck_assert(!material);
        ck_assert(material.error().detail.find(secret) == std::string::npos);
    }
}

} // namespace
