// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

#include "core/oidc/jwks.hpp"

#include <openssl/err.h>

#include "core/base/base64url.hpp"
#include "core/base/json.hpp"
#include "core/base/text.hpp"
#include "support/minted.hpp"
#include "unit.hpp"

namespace {

using namespace bff;
using namespace bff::unit;
using oidc::Jwks;

Jwks parsed(const std::string &text)
{
    auto set = Jwks::parse(text);
    ck_assert(static_cast<bool>(set));
    ck_assert_uint_eq(ERR_peek_error(), 0);
    return std::move(*set);
}

size_t usable(const std::vector<std::string> &entries)
{
    return parsed(jwks(entries)).size();
}

bool is_skipped(const std::string &entry)
{
    return usable({entry, rsa_key().jwk()}) == 1;
}

TEST(reads_rsa_ec_and_ed25519_keys)
{
    auto set = parsed(all_jwks());

    ck_assert_uint_eq(set.size(), 5);
    ck_assert_uint_eq(set.candidates(Algorithm::rs256, "rsa").size(), 1);
    ck_assert_uint_eq(set.candidates(Algorithm::ps512, "rsa").size(), 1);
    ck_assert_uint_eq(set.candidates(Algorithm::es256, "p256").size(), 1);
    ck_assert_uint_eq(set.candidates(Algorithm::es384, "p384").size(), 1);
    ck_assert_uint_eq(set.candidates(Algorithm::es512, "p521").size(), 1);
    ck_assert_uint_eq(set.candidates(Algorithm::eddsa, "ed").size(), 1);
}

TEST(refuses_what_is_not_a_key_set)
{
    for (std::string_view text :
         {"", "[]", "{}", "{\"keys\":{}}", "{\"keys\":null}", "<html>",
          "{\"keys\":[],\"keys\":[]}"}) {
        auto set = Jwks::parse(text);
        ck_assert(!set);
        ck_assert(set.error().code == Code::unsupported);
    }
}

TEST(takes_a_set_without_usable_keys_for_a_set_key_8)
{
    ck_assert_uint_eq(usable({}), 0);
    ck_assert_uint_eq(usable({"{\"kty\":\"XYZ\"}"}), 0);
}

TEST(skips_unknown_types_and_curves_key_8)
{
    ck_assert(is_skipped("{}"));
    ck_assert(is_skipped("[]"));
    ck_assert(is_skipped("null"));
    ck_assert(is_skipped("\"x\""));
    ck_assert(is_skipped(R"({"kty":1})"));
    ck_assert(is_skipped(R"({"kty":"AKP","alg":"ML-DSA-44"})"));
    ck_assert(is_skipped(p256_key().jwk(R"({"crv":"secp256k1"})")));
    ck_assert(is_skipped(p256_key().jwk(R"({"crv":"P-384"})")));
    ck_assert(is_skipped(p256_key().jwk(R"({"crv":null})")));
    ck_assert(is_skipped(ed_key().jwk(R"({"crv":"Ed448"})")));
    ck_assert(is_skipped(ed_key().jwk(R"({"crv":"X25519"})")));
}

TEST(skips_malformed_members_key_8)
{
    ck_assert(is_skipped(rsa_key().jwk(R"({"n":""})")));
    ck_assert(is_skipped(rsa_key().jwk(R"({"n":7})")));
    ck_assert(is_skipped(rsa_key().jwk(R"({"n":"***"})")));
    ck_assert(is_skipped(rsa_key().jwk(R"({"e":"AQAB="})")));
    ck_assert(is_skipped(rsa_key().jwk(R"({"e":null})")));
    ck_assert(is_skipped(rsa_key().jwk(R"({"kid":7})")));
    ck_assert(is_skipped(rsa_key().jwk(R"({"alg":["RS256"]})")));
    ck_assert(is_skipped(p256_key().jwk(R"({"x":"AA"})")));
    ck_assert(is_skipped(p256_key().jwk(R"({"y":null})")));
    ck_assert(is_skipped(ed_key().jwk(R"({"x":"AA"})")));
}

TEST(skips_a_point_that_is_not_on_the_curve)
{
    auto zeros = std::string(42, 'A') + "A";
    ck_assert(is_skipped(p256_key().jwk("{\"x\":\"" + zeros + "\"}")));
}

TEST(skips_rsa_keys_below_2048_bits_key_3)
{
    ck_assert(is_skipped(fresh_rsa("weak", 1024).jwk()));
    ck_assert(is_skipped(fresh_rsa("weak", 2040).jwk()));
}

TEST(counts_the_bits_of_the_modulus_not_its_zeros_key_3)
{
    // 1024 bits in 256 octets
    auto zeros = std::string(171, 'A');
    auto padded = zeros + std::string(171, '_');
    ck_assert(is_skipped(rsa_key().jwk("{\"n\":\"" + padded + "\"}")));
}

TEST(skips_exponents_that_make_anything_a_signature)
{
    ck_assert(is_skipped(rsa_key().jwk(R"({"e":"AQ"})")));           // 1
    ck_assert(is_skipped(rsa_key().jwk(R"({"e":"AA"})")));           // 0
    ck_assert(is_skipped(rsa_key().jwk(R"({"e":"AAAB"})")));         // 1 again
    ck_assert(is_skipped(rsa_key().jwk(R"({"e":"AQAC"})")));         // even
    ck_assert(is_skipped(rsa_key().jwk(R"({"e":"AQAAAAAAAAAB"})"))); // long
    ck_assert(!is_skipped(rsa_key().jwk(R"({"e":"Aw"})")));          // 3
}

TEST(skips_moduli_that_cost_too_much)
{
    std::string huge(2000, '_'); // 12,000 bits
    ck_assert(is_skipped(rsa_key().jwk("{\"n\":\"" + huge + "\"}")));
}

// In all spellings, with both signs of x. The last two are no such points.
TEST(skips_ed25519_keys_that_anybody_can_sign_with_key_3)
{
    std::string of_order_8 = "26e8958fc2b227b045c3f489f2ef98f0"
                             "d5dfac05d3c63339b13802886d53fc";
    std::string also = "c7176a703d4dd84fba3c0b760d10670f"
                       "2a2053fa2c39ccc64ec7fd7792ac03";
    std::string zeros(60, '0');
    std::string ones(60, 'f');

    const std::pair<std::string, bool> rows[] = {
        {"00" + zeros + "00", false}, {"00" + zeros + "80", false},
        {"01" + zeros + "00", false}, {"01" + zeros + "80", false},
        {of_order_8 + "05", false},   {of_order_8 + "85", false},
        {also + "7a", false},         {also + "fa", false},
        {"ec" + ones + "7f", false},  {"ec" + ones + "ff", false},
        {"ed" + ones + "7f", false},  {"ed" + ones + "ff", false},
        {"ee" + ones + "7f", false},  {"ee" + ones + "ff", false},
        {"03" + zeros + "00", true},  {"eb" + ones + "7f", true},
    };
    for (const auto &[point, is_taken] : rows) {
        auto x = base64url::encode(*text::from_hex(point));
        auto entry = R"({"kty":"OKP","crv":"Ed25519","x":")" + x + "\"}";
        ck_assert(is_skipped(entry) != is_taken);
    }
}

TEST(skips_keys_that_are_not_for_signatures_key_3)
{
    ck_assert(is_skipped(rsa_key().jwk(R"({"use":"enc"})")));
    ck_assert(is_skipped(rsa_key().jwk(R"({"use":null})")));
    ck_assert(is_skipped(rsa_key().jwk(R"({"key_ops":["encrypt"]})")));
    ck_assert(is_skipped(rsa_key().jwk(R"({"key_ops":[]})")));
    ck_assert(is_skipped(rsa_key().jwk(R"({"key_ops":"verify"})")));
    ck_assert(is_skipped(rsa_key().jwk(R"({"key_ops":["verify",1]})")));
    ck_assert(!is_skipped(rsa_key().jwk(R"({"key_ops":["sign","verify"]})")));
}

TEST(skips_private_keys_key_8)
{
    for (auto member : {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}) {
        auto given = "{\"" + std::string{member} + "\":\"AQAB\"}";
        ck_assert(is_skipped(rsa_key().jwk(given)));
    }
    ck_assert(is_skipped(p256_key().jwk(R"({"d":null})")));
    ck_assert(is_skipped(R"({"kty":"oct","k":"AQAB"})"));
}

TEST(finds_keys_by_their_exact_kid_key_4)
{
    auto set = parsed(jwks({rsa_key().jwk(), other_rsa().jwk(),
                            rsa_key().jwk(R"({"kid":"RSA"})")}));

    auto found = set.candidates(Algorithm::rs256, "rsa");
    ck_assert_uint_eq(found.size(), 1);
    ck_assert(found[0]->kid == "rsa");
    ck_assert_uint_eq(set.candidates(Algorithm::rs256, "rs").size(), 0);
    ck_assert_uint_eq(set.candidates(Algorithm::rs256, "").size(), 0);
}

TEST(finds_all_fitting_keys_without_kid_key_5)
{
    auto set = parsed(all_jwks());

    ck_assert_uint_eq(set.candidates(Algorithm::rs256, std::nullopt).size(), 1);
    ck_assert_uint_eq(set.candidates(Algorithm::es384, std::nullopt).size(), 1);
    ck_assert(set.candidates(Algorithm::es384, std::nullopt)[0]->crv ==
              "P-384");
}

TEST(finds_no_key_of_another_type_curve_or_alg_key_3)
{
    auto set = parsed(jwks({p256_key().jwk(), p521_key().jwk(),
                            rsa_key().jwk(R"({"alg":"PS256"})")}));

    ck_assert_uint_eq(set.candidates(Algorithm::es384, std::nullopt).size(), 0);
    ck_assert_uint_eq(set.candidates(Algorithm::es256, "p521").size(), 0);
    ck_assert_uint_eq(set.candidates(Algorithm::rs256, "p256").size(), 0);
    ck_assert_uint_eq(set.candidates(Algorithm::rs256, "rsa").size(), 0);
    ck_assert_uint_eq(set.candidates(Algorithm::ps256, "rsa").size(), 1);
}

TEST(finds_an_rsa_key_that_names_a_curve_none_the_less)
{
    auto set = parsed(jwks({rsa_key().jwk(R"({"crv":"P-256"})")}));

    ck_assert_uint_eq(set.candidates(Algorithm::rs256, "rsa").size(), 1);
    ck_assert_uint_eq(set.candidates(Algorithm::es256, "rsa").size(), 0);
}

TEST(knows_ed25519_keys_under_both_names)
{
    for (auto alg : {R"({"alg":"EdDSA"})", R"({"alg":"Ed25519"})"}) {
        auto set = parsed(jwks({ed_key().jwk(alg)}));
        ck_assert_uint_eq(set.candidates(Algorithm::eddsa, "ed").size(), 1);
    }
}

TEST(has_no_key_for_a_mac_key_2)
{
    auto set = parsed(all_jwks());
    ck_assert_uint_eq(set.candidates(Algorithm::hs256, std::nullopt).size(), 0);
}

TEST(gives_at_most_8_candidates_key_4)
{
    std::vector<std::string> entries(20, rsa_key().jwk());
    auto set = parsed(jwks(entries));

    ck_assert_uint_eq(set.candidates(Algorithm::rs256, "rsa").size(), 8);
    ck_assert_uint_eq(set.candidates(Algorithm::rs256, std::nullopt).size(), 8);
}

TEST(considers_the_first_64_entries_only)
{
    std::vector<std::string> entries(64, "{}");
    entries.push_back(rsa_key().jwk());
    ck_assert_uint_eq(usable(entries), 0);

    entries.erase(entries.begin());
    ck_assert_uint_eq(usable(entries), 1);
}

TEST(reads_numbers_with_leading_zeros)
{
    // some providers print them as DER does
    auto entry = json::parse_object(rsa_key().jwk());
    for (auto name : {"n", "e"}) {
        auto text = json::string_at(entry->get(), name);
        auto padded = std::string(1, '\0') + *base64url::decode(*text);
        json::put(entry->get(), name,
                  std::string_view{base64url::encode(padded)});
    }

    auto set = parsed(jwks({json::print(entry->get())}));
    auto found = set.candidates(Algorithm::rs256, "rsa");
    ck_assert_uint_eq(found.size(), 1);
    ck_assert_uint_eq(cjose_jwk_get_keysize(found[0]->jwk.get(), nullptr),
                      2048);
}

} // namespace
