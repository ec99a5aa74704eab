// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Tokens come back octet by octet whatever they look like, and nothing that
// is packed takes more memory than allowed.

#include "core/session/token_packing.hpp"

#include "core/base/base64url.hpp"
#include "core/base/text.hpp"
#include "core/crypto/digest.hpp"
#include "session/sample_session.hpp"
#include "unit.hpp"

namespace bff::session {
namespace {

using namespace bff::unit;
using namespace std::string_literals;

// RFC 7519, 3.1.
constexpr std::string_view kRfc7519 =
    "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNv"
    "bS9pc19yb290Ijp0cnVlfQ."
    "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

bool unpacks_to(const std::string &packed, std::string_view token)
{
    auto unpacked = unpack_token(packed);
    return unpacked && *unpacked == token;
}

bool is_forged(const Result<std::string> &result)
{
    return !result && result.error().code == Code::forged;
}

} // namespace

TEST(jwt_becomes_a_quarter_smaller_and_comes_back)
{
    for (const auto &token :
         {std::string{kRfc7519}, sample_access_token(), sample_id_token()}) {
        auto packed = pack_token(token);

        ck_assert(packed.size() <= token.size() * 3 / 4 + 6);
        ck_assert(unpacks_to(packed, token));
    }
}

TEST(token_that_is_no_jwt_stays_as_it_is)
{
    for (const auto &token : {
             ""s,
             "."s,
             "..."s,
             "opaque"s,
             "a.b"s,
             "a.b.c"s,
             "e30.e30"s,
             "e30.e30.e30.e30.e30"s, // JWE
             "e30=.e30=.e30="s,      // padded
             "e31.e30.e30"s,         // bits of the last character
             "e30.e3+.e30"s,         // other alphabet
             " e30.e30.e30"s,
             "e30.e30.e30\n"s,
             "\0.\0.\0"s,
             noise(999),
         }) {
        auto packed = pack_token(token);

        ck_assert(packed == '\0' + token);
        ck_assert(unpacks_to(packed, token));
    }
}

TEST(jwt_with_empty_parts_comes_back)
{
    for (auto token : {"..", "e30..", ".e30.", "..e30", "e30.e30."}) {
        ck_assert(unpacks_to(pack_token(token), token));
    }
}

TEST(jwt_with_parts_of_64_kib_comes_back)
{
    for (size_t octets : {65534, 65535, 65536, 70000}) {
        auto part = base64url::encode(noise(octets));
        for (const auto &token :
             {part + ".e30.e30", "e30." + part + ".e30", "e30.e30." + part}) {
            ck_assert(unpacks_to(pack_token(token), token));
        }
    }
}

TEST(token_has_one_packed_form_only)
{
    ck_assert(is_forged(unpack_token('\0' + std::string{kRfc7519})));
    ck_assert(is_forged(unpack_token("\0.."s)));
}

TEST(packed_token_of_unknown_form_is_forged)
{
    auto packed = pack_token(kRfc7519);
    for (int form = 2; form < 256; form++) {
        packed[0] = static_cast<char>(form);
        ck_assert(is_forged(unpack_token(packed)));
    }

    ck_assert(is_forged(unpack_token("")));
}

TEST(packed_token_whose_parts_are_cut_is_forged)
{
    auto packed = pack_token(kRfc7519);
    auto parts = packed.size() - 32; // the signature has what is left
    for (size_t size = 0; size < parts; size++) {
        ck_assert(is_forged(unpack_token(packed.substr(0, size))));
    }

    ck_assert(unpack_token(packed.substr(0, parts)));
}

TEST(what_unpacks_packs_to_the_same_octets_whatever_octet_is_flipped)
{
    for (const auto &token : {std::string{kRfc7519}, "opa.que"s}) {
        auto packed = pack_token(token);
        for (size_t at = 0; at < packed.size() * 8; at++) {
            auto flipped = packed;
            flipped[at / 8] ^= static_cast<char>(1 << at % 8);

            auto unpacked = unpack_token(flipped);
            ck_assert(!unpacked || pack_token(*unpacked) == flipped);
            ck_assert(!unpacked || *unpacked != token);
        }
    }
}

TEST(what_is_deflated_comes_back)
{
    for (const auto &plain :
         {""s, "a"s, "abcd"s, "abcde"s, std::string(6, 'a'),
          std::string(100, '\0'), std::string(256 * 1024, 'a'), noise(5000),
          noise(256 * 1024), sample_details().claims, sample_id_token()}) {
        auto packed = deflate(plain);
        auto inflated = inflate(packed);

        ck_assert(packed.size() <= plain.size() + 1);
        ck_assert(inflated && *inflated == plain);
    }
}

TEST(a_long_text_is_deflated_where_that_is_worth_while)
{
    std::string groups;
    for (int i = 0; groups.size() < 100000; i++) {
        groups += "\"group-" + std::to_string(i * 7919 % 100003) +
                  "-department-of-things\",";
    }
    ck_assert(deflate(groups).size() < groups.size() / 2);

    auto random = base64url::encode(noise(30000));
    ck_assert_uint_eq(deflate(random).size(), random.size() + 1);
    random.resize(16 * 1024);
    ck_assert(deflate(random).size() < random.size());
}

// What comes of it is what takes zlib's time.
TEST(a_long_text_of_which_much_is_left_stays_as_it_is)
{
    auto half = [](size_t octets) {
        std::string text;
        for (uint64_t seed = 1; text.size() < octets; seed++) {
            auto name = base64url::encode(noise(24, seed));
            text.append(name).append(name).append(name.substr(0, 16));
        }
        return text.substr(0, octets);
    };

    auto text = half(40000);
    ck_assert(deflate(text).size() < text.size() / 2);
    text = half(100000);
    ck_assert_uint_eq(deflate(text).size(), text.size() + 1);
}

TEST(dictionary_makes_usual_claims_half_as_large)
{
    constexpr std::string_view claims =
        R"({"exp":1780000300,"iss":"https://id.example","sub":"1","acr":"1"})";

    ck_assert(deflate(claims).size() <= claims.size() / 2 + 5);
}

TEST(what_was_deflated_with_this_dictionary_still_inflates)
{
    auto packed = text::from_hex(
        "0100000076ab46e367a6e8a55624e616e440922038ae8bf58b33f20b94a006452b8179"
        "b1f81d8f083eafc4bc540597fc5425441aad0500");
    auto inflated = inflate(*packed);

    ck_assert(inflated);
    ck_assert(*inflated ==
              R"({"iss":"https://id.example.com/realms/shop","aud":["shop"],"s)"
              R"(cope":"openid profile email","name":"Jane Doe","acr":"1"})");
}

TEST(no_octet_of_the_dictionary_has_changed)
{
    // three matches that reach back over all of it
    auto dictionary =
        inflate(*text::from_hex("0100000286cb184d85a3a970c0532100"));

    ck_assert(dictionary);
    ck_assert(dictionary->starts_with("https://login.microsoftonline.com/"));
    ck_assert(text::hex(crypto::sha256(*dictionary)) ==
              "abb077737ba8840e4b85cbb18ca25aa6"
              "217f9c58c676578bdfdc81879c971bb7");
}

// zlib sees little at a time where that is enough: what it was spared must
// not be missed at the border, nor in front of it.
TEST(what_a_small_window_just_sees_is_deflated_like_all_else)
{
    auto far = noise(64);

    for (size_t octets = 6900; octets < 8300; octets += 7) {
        std::string plain{far};
        plain.append(octets - 128, 'a').append(far);
        auto packed = deflate(plain);
        ck_assert(packed.size() < 200);
        auto inflated = inflate(packed);
        ck_assert(inflated && *inflated == plain);
    }
}

TEST(inflate_stops_at_the_limit)
{
    std::string plain(1001, 'a');

    ck_assert(inflate(deflate(plain), 1001));
    ck_assert(is_forged(inflate(deflate(plain), 1000)));
    ck_assert(is_forged(inflate(deflate(noise(1001)), 1000)));
    ck_assert(is_forged(inflate(deflate(std::string(10 << 20, 'a')))));
    ck_assert(is_forged(inflate("\1\xff\xff\xff\xff"s + noise(20))));
}

TEST(inflate_refuses_a_length_that_is_not_true)
{
    auto packed = deflate(sample_id_token());
    for (size_t at = 8; at < 5 * 8; at++) {
        auto flipped = packed;
        flipped[at / 8] ^= static_cast<char>(1 << at % 8);
        ck_assert(is_forged(inflate(flipped)));
    }
}

TEST(inflate_refuses_what_was_cut_or_has_more_behind_it)
{
    auto packed = deflate(sample_details().claims);
    for (size_t size = 0; size < packed.size(); size++) {
        ck_assert(is_forged(inflate(packed.substr(0, size))));
    }

    ck_assert(is_forged(inflate(packed + '\0')));
    ck_assert(is_forged(inflate(packed + packed)));
}

TEST(inflate_refuses_unknown_forms)
{
    auto packed = deflate(sample_details().claims);
    for (int form = 2; form < 256; form++) {
        packed[0] = static_cast<char>(form);
        ck_assert(is_forged(inflate(packed)));
    }
}

TEST(inflate_survives_every_flipped_bit)
{
    auto packed = deflate(sample_details().claims);
    for (size_t at = 0; at < packed.size() * 8; at++) {
        auto flipped = packed;
        flipped[at / 8] ^= static_cast<char>(1 << at % 8);
        auto inflated = inflate(flipped, 1000);
        ck_assert(!inflated || inflated->size() <= 1000);
    }
}

} // namespace bff::session
