// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

#include "core/oidc/jws.hpp"

#include <openssl/err.h>
#include <openssl/rsa.h>

#include "core/base/base64url.hpp"
#include "support/minted.hpp"
#include "unit.hpp"

namespace {

using namespace bff;
using namespace std::string_view_literals;
using namespace bff::unit;
using oidc::Jwks;
using oidc::Jws;
using oidc::Verdict;

const std::vector<Algorithm> kAll{
    Algorithm::rs256, Algorithm::rs384, Algorithm::rs512, Algorithm::ps256,
    Algorithm::ps384, Algorithm::ps512, Algorithm::es256, Algorithm::es384,
    Algorithm::es512, Algorithm::eddsa, Algorithm::hs256, Algorithm::hs384,
    Algorithm::hs512};

// The claims of RFC 7515, A.1 to A.3.
constexpr std::string_view kJoe =
    ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"
    "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ.";

std::string joe(std::string_view header, std::string_view signature)
{
    return std::string{header} + std::string{kJoe} + std::string{signature};
}

Verdict verdict(std::string_view token, const std::string &keys,
                std::string_view secret = "")
{
    auto jws = Jws::parse(token, kAll);
    ck_assert(static_cast<bool>(jws));
    auto set = Jwks::parse(keys);
    ck_assert(static_cast<bool>(set));

    auto result = verify(*jws, &*set, Secret{secret});
    ck_assert_uint_eq(ERR_peek_error(), 0);
    return result;
}

bool is_good(std::string_view token)
{
    return verdict(token, all_jwks()) == Verdict::good;
}

bool is_forged(std::string_view token, std::string_view why = "")
{
    auto jws = Jws::parse(token, kAll);
    return !jws && jws.error().code == Code::forged &&
           jws.error().detail.find(why) != std::string::npos;
}

std::string with_header(std::string_view header)
{
    return mint_raw(rsa_key(), Algorithm::rs256, header, claims_with());
}

// The same token with another signature.
std::string signed_with(std::string_view token, std::string_view signature)
{
    auto input = token.substr(0, token.rfind('.') + 1);
    return std::string{input} + base64url::encode(signature);
}

TEST(verifies_rfc_7515_a_1_hs256)
{
    auto key = base64url::decode("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T"
                                 "-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow");
    auto token = joe("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9",
                     "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");

    ck_assert(verdict(token, jwks({}), *key) == Verdict::good);
    ck_assert(verdict(token, jwks({}), "another") == Verdict::bad);
}

TEST(verifies_rfc_7515_a_2_rs256)
{
    ck_assert(is_good(
        joe("eyJhbGciOiJSUzI1NiJ9",
            "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7"
            "AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4"
            "BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K"
            "0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqv"
            "hJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrB"
            "p0igcN_IoypGlUPQGe77Rw")));
}

TEST(verifies_rfc_7515_a_3_es256)
{
    ck_assert(is_good(
        joe("eyJhbGciOiJFUzI1NiJ9",
            "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSA"
            "pmWQxfKTUJqPP3-Kg6NU1Q")));
}

TEST(verifies_rfc_7515_a_4_es512)
{
    ck_assert(is_good(
        "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA."
        "AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZq"
        "wqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8Kp"
        "EHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn"));
}

TEST(verifies_rfc_8037_a_4_eddsa)
{
    ck_assert(is_good(
        "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5B"
        "hVsPt9g7sVvpAr_MuM0KAg"));
}

struct Pair {
    const MintedKey &key;
    Algorithm algorithm;
};

std::vector<Pair> pairs()
{
    return {{rsa_key(), Algorithm::rs256},  {rsa_key(), Algorithm::rs384},
            {rsa_key(), Algorithm::rs512},  {rsa_key(), Algorithm::ps256},
            {rsa_key(), Algorithm::ps384},  {rsa_key(), Algorithm::ps512},
            {p256_key(), Algorithm::es256}, {p384_key(), Algorithm::es384},
            {p521_key(), Algorithm::es512}, {ed_key(), Algorithm::eddsa}};
}

TEST(verifies_every_algorithm_and_nothing_that_was_changed)
{
    for (const auto &[key, algorithm] : pairs()) {
        auto token = mint(key, algorithm, claims_with());
        ck_assert(is_good(token));

        auto jws = Jws::parse(token, {algorithm});
        ck_assert(jws->payload == claims_with());
        ck_assert(jws->alg == algorithm);
        ck_assert(jws->kid == key.kid());
        ck_assert(jws->typ == "JWT");

        for (size_t at : {size_t{0}, jws->signature.size() / 2,
                          jws->signature.size() - 1}) {
            auto signature = jws->signature;
            signature[at] ^= 1;
            ck_assert(verdict(signed_with(token, signature), all_jwks()) ==
                      Verdict::bad);
        }

        auto other = mint(key, algorithm, claims_with(R"({"sub":"eve"})"));
        auto mixed =
            other.substr(0, other.rfind('.')) + token.substr(token.rfind('.'));
        ck_assert(verdict(mixed, all_jwks()) == Verdict::bad);
    }
}

TEST(verifies_the_macs_with_the_client_secret_only_key_2)
{
    for (auto algorithm :
         {Algorithm::hs256, Algorithm::hs384, Algorithm::hs512}) {
        auto token = mint_mac(kClientSecret, algorithm, claims_with());
        auto jws = Jws::parse(token, {algorithm});

        ck_assert(verify(*jws, nullptr, Secret{kClientSecret}) ==
                  Verdict::good);
        ck_assert(verify(*jws, nullptr, Secret{"another"sv}) == Verdict::bad);
        ck_assert(verify(*jws, nullptr, Secret{}) == Verdict::bad);
        ck_assert(verdict(token, all_jwks(), "another") == Verdict::bad);
    }
}

TEST(refuses_a_mac_whose_key_is_a_public_key_key_2)
{
    auto token = mint_mac(rsa_key().jwk(), Algorithm::hs256, claims_with(),
                          R"({"kid":"rsa"})");

    ck_assert(!Jws::parse(token, {Algorithm::rs256}));
    ck_assert(verdict(token, all_jwks(), kClientSecret) == Verdict::bad);
}

TEST(refuses_a_mac_with_an_empty_key)
{
    auto token = mint_mac("", Algorithm::hs256, claims_with());
    ck_assert(verdict(token, all_jwks(), "") == Verdict::bad);
}

TEST(refuses_a_mac_that_was_cut_short)
{
    auto token = mint_mac(kClientSecret, Algorithm::hs256, claims_with());
    auto jws = Jws::parse(token, kAll);

    auto cut = signed_with(token, jws->signature.substr(0, 16));
    ck_assert(verdict(cut, jwks({}), kClientSecret) == Verdict::bad);
}

TEST(refuses_an_algorithm_that_is_not_configured_key_1)
{
    auto token = mint(rsa_key(), Algorithm::ps256, claims_with());
    auto jws = Jws::parse(token, {Algorithm::rs256, Algorithm::es256});

    ck_assert(!jws);
    ck_assert(jws.error().code == Code::forged);
    ck_assert(jws.error().detail.find("PS256") != std::string::npos);
}

TEST(refuses_none_in_every_spelling_key_1)
{
    ck_assert(is_forged(mint_unsigned(claims_with())));
    for (auto name : {"none", "None", "NONE", "nOnE", ""}) {
        auto header = "{\"alg\":\"" + std::string{name} + "\"}";
        ck_assert(is_forged(compact(header, claims_with(), "x"), "\"alg\""));
        ck_assert(is_forged(compact(header, claims_with(), "")));
    }
}

TEST(refuses_a_header_without_an_alg_that_is_a_string)
{
    ck_assert(is_forged(with_header("{}"), "\"alg\" is missing"));
    ck_assert(is_forged(with_header(R"({"alg":["RS256"]})"), "\"alg\""));
    ck_assert(is_forged(with_header(R"({"alg":null})"), "\"alg\""));
    ck_assert(is_forged(with_header("{\"alg\":\"RS256\\u0000\"}"), "\"alg\""));
}

TEST(asks_for_keys_again_when_the_kid_is_unknown_key_6)
{
    auto token = mint(other_rsa(), Algorithm::rs256, claims_with());
    ck_assert(verdict(token, all_jwks()) == Verdict::unknown_key);

    auto rotated = jwks({rsa_key().jwk(), other_rsa().jwk()});
    ck_assert(verdict(token, rotated) == Verdict::good);
}

TEST(does_not_ask_again_when_a_known_kid_has_a_bad_signature_key_6)
{
    auto token =
        mint(other_rsa(), Algorithm::rs256, claims_with(), R"({"kid":"rsa"})");
    ck_assert(verdict(token, all_jwks()) == Verdict::bad);
}

TEST(tries_each_key_of_the_same_kid_key_4)
{
    auto token = mint(rsa_key(), Algorithm::rs256, claims_with());
    auto twins = jwks({other_rsa().jwk(R"({"kid":"rsa"})"), rsa_key().jwk()});

    ck_assert(verdict(token, twins) == Verdict::good);
}

TEST(tries_all_keys_without_kid_key_5)
{
    MintedKey nameless = fresh_rsa("", 2048);
    auto token = mint(nameless, Algorithm::rs256, claims_with());
    ck_assert(!Jws::parse(token, kAll)->kid);

    auto set = jwks({rsa_key().jwk(), nameless.jwk(R"({"kid":"any"})")});
    ck_assert(verdict(token, set) == Verdict::good);
}

TEST(asks_again_when_no_key_verifies_a_token_without_kid_key_6)
{
    auto token = mint_raw(other_rsa(), Algorithm::rs256, R"({"alg":"RS256"})",
                          claims_with());
    ck_assert(verdict(token, all_jwks()) == Verdict::unknown_key);
    ck_assert(verdict(token, jwks({})) == Verdict::unknown_key);
}

TEST(asks_for_keys_when_there_are_none_yet)
{
    auto jws = Jws::parse(mint(rsa_key(), Algorithm::rs256, claims_with()),
                          {Algorithm::rs256});
    ck_assert(verify(*jws, nullptr, Secret{}) == Verdict::unknown_key);
}

TEST(does_not_use_a_key_of_another_type_key_3)
{
    auto as_ec = mint_raw(rsa_key(), Algorithm::rs256,
                          R"({"alg":"ES256","kid":"rsa"})", claims_with());
    ck_assert(verdict(as_ec, all_jwks()) == Verdict::unknown_key);

    auto other_curve =
        mint_raw(p384_key(), Algorithm::es384,
                 R"({"alg":"ES256","kid":"p384"})", claims_with());
    ck_assert(verdict(other_curve, all_jwks()) == Verdict::unknown_key);
}

TEST(does_not_use_a_key_for_another_alg_than_it_names_key_3)
{
    auto token = mint(rsa_key(), Algorithm::rs256, claims_with());
    auto pss_only = jwks({rsa_key().jwk(R"({"alg":"PS256"})")});

    ck_assert(verdict(token, pss_only) == Verdict::unknown_key);
}

TEST(ignores_keys_in_the_header_key_9)
{
    auto evil =
        "{\"alg\":\"RS256\",\"kid\":\"rsa\",\"jwk\":" + other_rsa().jwk() +
        ",\"jku\":\"https://evil.example/keys\","
        "\"x5u\":\"https://evil.example/x\",\"x5c\":[\"MIIB\"]}";
    auto forged = mint_raw(other_rsa(), Algorithm::rs256, evil, claims_with());
    ck_assert(verdict(forged, all_jwks()) == Verdict::bad);

    auto honest = mint_raw(rsa_key(), Algorithm::rs256, evil, claims_with());
    ck_assert(is_good(honest));
}

TEST(wants_ecdsa_signatures_of_the_fixed_length_key_9)
{
    auto token = mint(p256_key(), Algorithm::es256, claims_with());
    auto raw = Jws::parse(token, kAll)->signature;
    auto r = raw.substr(0, 32);
    auto s = raw.substr(32);
    std::string zero(1, '\0');

    for (const auto &signature :
         {zero + r + zero + s, raw + zero, raw.substr(0, 63), r, s,
          std::string(64, '\0'), std::string(64, '\xff'),
          std::string(1, '\x01')}) {
        ck_assert(verdict(signed_with(token, signature), all_jwks()) ==
                  Verdict::bad);
    }
}

TEST(wants_rsa_and_ed25519_signatures_of_the_fixed_length)
{
    for (const auto &[key, algorithm] : pairs()) {
        auto token = mint(key, algorithm, claims_with());
        auto raw = Jws::parse(token, kAll)->signature;

        auto longer = signed_with(token, raw + std::string(1, '\0'));
        auto shifted = signed_with(token, std::string(1, '\0') + raw);
        auto shorter = signed_with(token, raw.substr(0, raw.size() - 1));
        for (const auto &wrong : {longer, shifted, shorter}) {
            ck_assert(verdict(wrong, all_jwks()) == Verdict::bad);
        }
    }
}

// PSS with a salt of our own choosing.
std::string pss_signature(std::string_view input, int salt_octets)
{
    Handle<EVP_MD_CTX> ctx{EVP_MD_CTX_new()};
    EVP_PKEY_CTX *options = nullptr;
    EVP_DigestSignInit(ctx.get(), &options, EVP_sha256(), nullptr,
                       rsa_key().pkey());
    EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING);
    EVP_PKEY_CTX_set_rsa_pss_saltlen(options, salt_octets);

    std::string signature(256, '\0');
    size_t octets = signature.size();
    auto at = reinterpret_cast<unsigned char *>(signature.data());
    ck_assert_int_eq(
        EVP_DigestSign(ctx.get(), at, &octets,
                       reinterpret_cast<const unsigned char *>(input.data()),
                       input.size()),
        1);
    return signature;
}

TEST(wants_a_pss_salt_as_long_as_the_hash_key_9)
{
    auto token = mint(rsa_key(), Algorithm::ps256, claims_with());
    auto input = token.substr(0, token.rfind('.'));

    ck_assert(is_good(signed_with(token, pss_signature(input, 32))));
    for (int octets : {0, 20, 31, 33, 64, 222}) {
        ck_assert(verdict(signed_with(token, pss_signature(input, octets)),
                          all_jwks()) == Verdict::bad);
    }
}

TEST(knows_eddsa_under_both_names)
{
    for (auto name : {"EdDSA", "Ed25519"}) {
        auto header = "{\"kid\":\"ed\",\"alg\":\"" + std::string{name} + "\"}";
        ck_assert(is_good(
            mint_raw(ed_key(), Algorithm::eddsa, header, claims_with())));
    }
}

TEST(refuses_critical_extensions_key_9)
{
    for (auto crit : {R"(["exp"])", R"(["b64"])", R"([])", R"(["alg"])", "null",
                      R"("x")"}) {
        auto header = "{\"alg\":\"RS256\",\"crit\":" + std::string{crit} + "}";
        ck_assert(is_forged(with_header(header), "\"crit\""));
    }
}

TEST(refuses_an_unencoded_payload_key_9)
{
    ck_assert(is_forged(with_header(R"({"alg":"RS256","b64":false})")));
    ck_assert(is_forged(with_header(R"({"alg":"RS256","b64":null})")));
    ck_assert(is_good(with_header(R"({"alg":"RS256","b64":true})")));
}

TEST(refuses_a_header_that_is_not_one_json_object_key_9)
{
    ck_assert(is_forged(with_header(R"({"alg":"RS256","alg":"HS256"})")));
    ck_assert(is_forged(with_header(R"(["RS256"])")));
    ck_assert(is_forged(with_header("\"RS256\"")));
    ck_assert(is_forged(with_header("{\"alg\":\"RS256\"} x")));
    ck_assert(is_forged(with_header("\xff")));

    auto large = "{\"alg\":\"RS256\",\"x5c\":\"" + std::string(20000, 'A');
    ck_assert(is_forged(with_header(large + "\"}"), "too large"));
}

TEST(refuses_kid_and_typ_that_are_not_strings)
{
    ck_assert(is_forged(with_header(R"({"alg":"RS256","kid":1})"), "\"kid\""));
    ck_assert(
        is_forged(with_header(R"({"alg":"RS256","kid":null})"), "\"kid\""));
    ck_assert(is_forged(with_header(R"({"alg":"RS256","typ":[]})"), "\"typ\""));
}

TEST(wants_exactly_three_segments_key_9)
{
    auto token = mint(rsa_key(), Algorithm::rs256, claims_with());

    for (const auto &text : {std::string{}, std::string{"."}, std::string{".."},
                             token.substr(0, token.rfind('.')), token + ".",
                             "." + token, token + ".e30", token + ".a.b"}) {
        ck_assert(is_forged(text));
    }
}

TEST(wants_strict_base64url_key_9)
{
    auto token = mint(rsa_key(), Algorithm::rs256, claims_with());

    for (const auto &text :
         {token + "=", token + "==", token + " ", token + "\n", " " + token,
          token + "+", token + "/", token + std::string(1, '\0')}) {
        ck_assert(is_forged(text, "base64url"));
    }
}

TEST(refuses_a_signature_in_a_second_spelling_key_9)
{
    // 64 octets leave 4 unused bits in the last character
    auto token = mint(ed_key(), Algorithm::eddsa, claims_with());
    ck_assert(is_good(token));

    token.back()++;
    ck_assert(is_forged(token, "base64url"));
}

TEST(refuses_empty_segments)
{
    auto token = mint(rsa_key(), Algorithm::rs256, claims_with());
    auto first = token.find('.');
    auto last = token.rfind('.');

    ck_assert(is_forged(token.substr(0, last + 1), "no signature"));
    ck_assert(is_forged(token.substr(0, first) + "." + token.substr(last)));
    ck_assert(is_forged(token.substr(first)));
}

TEST(refuses_a_token_that_is_too_long)
{
    auto long_one = claims_with("{\"x\":\"" + std::string(100000, 'x') + "\"}");
    auto token = mint(rsa_key(), Algorithm::rs256, long_one);
    ck_assert(is_forged(token, "too long"));
}

TEST(never_shows_the_token_in_an_error)
{
    auto token =
        compact("{\"alg\":\"secret-looking\\n" + std::string(500, 'x') + "\"}",
                "payload", "signature");
    auto jws = Jws::parse(token, kAll);

    ck_assert(!jws);
    ck_assert(jws.error().detail.size() < 200);
    ck_assert(jws.error().detail.find('\n') == std::string::npos);
}

TEST(leaves_openssl_no_errors)
{
    auto token =
        mint(other_rsa(), Algorithm::rs256, claims_with(), R"({"kid":"rsa"})");
    ck_assert(verdict(token, all_jwks()) == Verdict::bad);
    ck_assert_uint_eq(ERR_peek_error(), 0);
}

} // namespace
