// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

#include "core/oidc/client_certificate.hpp"

#include <openssl/err.h>

#include "core/base/json.hpp"
#include "core/base/text.hpp"
#include "support/key_files.hpp"
#include "unit.hpp"

namespace {

using namespace bff;
using namespace bff::unit;
using oidc::ClientCertificate;

bool is_refused(std::string_view certificate, std::string_view key,
                std::string_view directive, std::string_view why)
{
    auto parsed = ClientCertificate::parse(certificate, key);
    ck_assert_uint_eq(ERR_peek_error(), 0);

    return !parsed && parsed.error().code == Code::misconfigured &&
           parsed.error().detail.starts_with("\"" + std::string{directive} +
                                             "\"") &&
           parsed.error().detail.find(why) != std::string::npos;
}

// The base64 between the lines of a PEM.
std::string base64_of(std::string_view pem)
{
    std::string text;
    for (auto line : text::split(pem, '\n')) {
        if (!line.starts_with("-----")) {
            text += line;
        }
    }
    return text;
}

TEST(makes_a_jwk_with_x5c_of_any_certificate_rfc_8705_2_2_2)
{
    for (const auto *key : {&rsa_key(), &p256_key(), &p521_key(), &ed_key()}) {
        auto pem_text = unit::certificate(*key, rsa_key());
        auto parsed = ClientCertificate::parse(pem_text, pem(key->pkey()));
        ck_assert(static_cast<bool>(parsed));

        auto jwk = json::parse_object(parsed->jwk);
        auto expected = json::parse_object(key->jwk());
        ck_assert(jwk && expected);
        for (auto name : {"kty", "crv", "n", "e", "x", "y", "use"}) {
            ck_assert(json::string_at(jwk->get(), name) ==
                      json::string_at(expected->get(), name));
        }
        ck_assert(!json::has(jwk->get(), "d"));
        ck_assert(json::array_at(jwk->get(), "x5c") != nullptr);
        auto chain = json::strings_at(jwk->get(), "x5c");
        ck_assert_uint_eq(chain->size(), 1);
        ck_assert(chain->front() == base64_of(pem_text));
    }
}

TEST(takes_the_first_certificate_of_a_chain)
{
    auto leaf = unit::certificate(p256_key(), rsa_key());
    auto chain = leaf + unit::certificate(rsa_key(), rsa_key());
    auto parsed = ClientCertificate::parse(chain, pem(p256_key().pkey()));

    ck_assert(static_cast<bool>(parsed));
    ck_assert(parsed->jwk.find(base64_of(leaf)) != std::string::npos);
}

TEST(accepts_a_key_that_no_jwk_is_made_of)
{
    MintedKey odd{"odd", Handle<EVP_PKEY>{EVP_EC_gen("secp256k1")}};
    auto parsed = ClientCertificate::parse(unit::certificate(odd, rsa_key()),
                                           pem(odd.pkey()));
    ck_assert(static_cast<bool>(parsed));
    ck_assert(parsed->jwk.empty());
}

TEST(refuses_the_key_of_another_certificate)
{
    ck_assert(is_refused(unit::certificate(p256_key(), rsa_key()),
                         pem(rsa_key().pkey()), "client_certificate_key",
                         "\"client_certificate\""));
}

TEST(refuses_an_encrypted_key_of_a_certificate_and_asks_nobody)
{
    for (auto form : {Pem::encrypted, Pem::legacy}) {
        ck_assert(is_refused(unit::certificate(p256_key(), rsa_key()),
                             pem(p256_key().pkey(), form),
                             "client_certificate_key", "encrypted"));
    }
}

TEST(refuses_files_that_hold_something_else)
{
    auto good = unit::certificate(p256_key(), rsa_key());
    auto key = pem(p256_key().pkey());

    for (const auto &bad :
         {std::string{}, std::string{"hello"}, key,
          good.substr(0, good.size() / 2), std::string(70000, '\n') + good}) {
        ck_assert(is_refused(bad, key, "client_certificate", "PEM"));
    }
    for (const auto &bad : {std::string{}, good}) {
        ck_assert(is_refused(good, bad, "client_certificate_key", "PEM"));
    }
}

} // namespace
