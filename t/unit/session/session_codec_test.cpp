// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// A session has one form in octets, and nothing else decodes.

#include "core/session/session_codec.hpp"

#include "core/base/text.hpp"
#include "core/session/token_packing.hpp"
#include "session/sample_session.hpp"
#include "unit.hpp"

namespace bff::session {
namespace {

using namespace bff::unit;

constexpr size_t kFlagsAt = 1 + 16 + 4; // behind version, id and generation
constexpr size_t kCreatedAt = kFlagsAt + 1 + 2 * 8;
constexpr size_t kTokenSizeAt = kCreatedAt + 4 * 8;
constexpr long long kEndOf9999 = 253402300799;

bool is_forged(const Result<Session> &result)
{
    return !result && result.error().code == Code::forged;
}

bool are_equal(const Session &a, const Session &b)
{
    return a.id == b.id && a.generation == b.generation &&
           a.has_refresh_token == b.has_refresh_token &&
           a.sid_mark == b.sid_mark && a.sub_mark == b.sub_mark &&
           a.created == b.created && a.expires == b.expires &&
           a.active == b.active &&
           a.access_token_expires == b.access_token_expires &&
           a.access_token.reveal() == b.access_token.reveal() &&
           a.packed_details.reveal() == b.packed_details.reveal();
}

bool are_equal(const Details &a, const Details &b)
{
    return a.id_token.reveal() == b.id_token.reveal() &&
           a.refresh_token.reveal() == b.refresh_token.reveal() &&
           a.token_type == b.token_type && a.scope == b.scope &&
           a.sub == b.sub && a.sid == b.sid &&
           a.session_state == b.session_state && a.claims == b.claims &&
           a.nonce == b.nonce && a.auth_time == b.auth_time && a.azp == b.azp;
}

Session small_session()
{
    auto session = sample_session(5);
    session.packed_details = Secret{std::string_view{"details"}};
    return session;
}

} // namespace

TEST(session_comes_back_with_every_field)
{
    for (const auto &session :
         {sample_session(), small_session(), large_session()}) {
        auto decoded = decode(encode(session));

        ck_assert(decoded && are_equal(*decoded, session));
    }
}

TEST(session_without_token_lifetime_or_details_comes_back)
{
    auto session = small_session();
    session.access_token_expires = std::nullopt;
    session.access_token = {};
    session.packed_details = Secret{std::string_view{""}};

    auto decoded = decode(encode(session));
    ck_assert(decoded && are_equal(*decoded, session));
    ck_assert(decoded->has_live_token(kNow));
}

TEST(what_format_version_2_encoded_still_decodes)
{
    auto bytes = text::from_hex("02"
                                "69643d3136206f637465747320206f6b"
                                "00000007"
                                "01"
                                "7369642d6d61726b"
                                "7375622d6d61726b"
                                "0000019e70448959"
                                "000000006a1915e0"
                                "000000006a18a514"
                                "000000006a18a62c"
                                "00000007"
                                "006f7061717565"
                                "00000002"
                                "0064");
    auto session = decode(*bytes);

    ck_assert(session);
    ck_assert(session->id == "id=16 octets  ok");
    ck_assert(session->generation == 7);
    ck_assert(session->has_refresh_token);
    ck_assert(session->sid_mark == "sid-mark");
    ck_assert(session->sub_mark == "sub-mark");
    ck_assert(session->created == moment(1780000000345));
    ck_assert(session->expires == instant(0x6a1915e0));
    ck_assert(session->active == instant(0x6a18a514));
    ck_assert(session->access_token_expires == instant(0x6a18a62c));
    ck_assert(session->access_token.reveal() == "opaque");
    ck_assert(session->packed_details.reveal() == std::string("\0d", 2));
    ck_assert(encode(*session) == *bytes);
}

TEST(session_of_another_format_version_is_forged)
{
    auto bytes = encode(small_session());
    for (int version = 0; version < 256; version++) {
        bytes[0] = static_cast<char>(version);
        ck_assert(version == 2 || is_forged(decode(bytes)));
    }
}

TEST(session_with_a_flag_that_has_no_meaning_is_forged)
{
    auto bytes = encode(small_session());
    for (int flags = 0; flags < 256; flags++) {
        bytes[kFlagsAt] = static_cast<char>(flags);
        auto session = decode(bytes);

        ck_assert(flags < 2 || is_forged(session));
        ck_assert(flags > 1 || session->has_refresh_token == (flags == 1));
    }
}

TEST(session_that_is_cut_anywhere_is_forged)
{
    for (const auto &session : {small_session(), sample_session()}) {
        auto bytes = encode(session);
        for (size_t size = 0; size < bytes.size(); size++) {
            ck_assert(is_forged(decode(bytes.substr(0, size))));
        }
    }
}

TEST(session_with_octets_behind_it_is_forged)
{
    auto bytes = encode(small_session());

    ck_assert(is_forged(decode(bytes + '\0')));
    ck_assert(is_forged(decode(bytes + bytes)));
}

TEST(session_with_a_length_that_is_not_true_is_forged)
{
    auto bytes = encode(small_session());
    for (size_t at = 0; at < 4 * 8; at++) {
        auto flipped = bytes;
        flipped[kTokenSizeAt + at / 8] ^= static_cast<char>(1 << at % 8);
        ck_assert(is_forged(decode(flipped)));
    }

    bytes.replace(kTokenSizeAt, 4, "\xff\xff\xff\xff");
    ck_assert(is_forged(decode(bytes)));
}

TEST(what_decodes_encodes_to_the_same_octets_whatever_bit_is_flipped)
{
    for (const auto &session : {small_session(), sample_session()}) {
        auto bytes = encode(session);
        for (size_t at = 0; at < bytes.size() * 8; at++) {
            auto flipped = bytes;
            flipped[at / 8] ^= static_cast<char>(1 << at % 8);

            auto decoded = decode(flipped);
            ck_assert(!decoded || encode(*decoded) == flipped);
        }
    }
}

TEST(session_with_a_time_after_the_year_9999_is_forged)
{
    for (size_t at : {kCreatedAt + 8, kCreatedAt + 16, kCreatedAt + 24}) {
        auto bytes = encode(small_session());
        bytes.replace(at, 8, std::string("\0\0\0\x3a\xff\xf4\x41\x7f", 8));
        ck_assert(decode(bytes));
        bytes.replace(at, 8, std::string("\0\0\0\x3a\xff\xf4\x41\x80", 8));
        ck_assert(is_forged(decode(bytes)));
        bytes.replace(at, 8, std::string(8, '\xff'));
        ck_assert(is_forged(decode(bytes)));
    }
}

TEST(session_that_began_after_the_year_9999_is_forged)
{
    auto session = small_session();
    session.created = moment(kEndOf9999 * 1000);
    auto bytes = encode(session);
    ck_assert(decode(bytes));

    bytes[kCreatedAt + 7]++;
    ck_assert(is_forged(decode(bytes)));
}

TEST(times_out_of_range_are_kept_as_the_nearest_that_can_be_kept)
{
    auto session = small_session();
    session.created = instant(-5);
    session.expires = instant(kEndOf9999 + 1);
    session.active = instant(-5);
    session.access_token_expires = instant(-5);

    auto decoded = decode(encode(session));
    ck_assert(decoded);
    ck_assert(decoded->created == instant(0));
    ck_assert(decoded->expires == instant(kEndOf9999));
    ck_assert(decoded->active == instant(0));
    ck_assert(!decoded->has_live_token(kNow)); // and not: unknown
}

TEST(session_id_of_another_length_does_not_shift_the_rest)
{
    for (size_t octets : {0, 15, 17, 100}) {
        auto session = small_session();
        session.id = noise(octets);

        auto decoded = decode(encode(session));
        ck_assert(decoded && decoded->id.size() == 16);
        ck_assert(decoded->expires == session.expires);
    }
}

TEST(session_without_marks_has_zero_octets_there)
{
    auto session = small_session();
    session.sid_mark = "";
    session.sub_mark = "more than eight octets";

    auto decoded = decode(encode(session));
    ck_assert(decoded);
    ck_assert(decoded->sid_mark == std::string(8, '\0'));
    ck_assert(decoded->sub_mark == "more tha");
    ck_assert(decoded->expires == session.expires);
}

TEST(decoding_a_session_leaves_the_details_packed)
{
    auto session = small_session();
    session.packed_details = Secret{std::string_view{"no deflate at all"}};

    ck_assert(decode(encode(session)));
}

TEST(details_come_back_with_every_field)
{
    Details distinct;
    distinct.id_token = Secret{std::string_view{"1"}};
    distinct.refresh_token = Secret{std::string_view{"2"}};
    distinct.token_type = "3";
    distinct.scope = "4";
    distinct.sub = "5";
    distinct.sid = "6";
    distinct.session_state = "7";
    distinct.claims = "8";
    distinct.nonce = "9";
    distinct.auth_time = "10";
    distinct.azp = "11";

    for (const auto &details : {sample_details(), distinct, Details{}}) {
        auto unpacked = unpack_details(pack_details(details));
        ck_assert(unpacked && are_equal(*unpacked, details));
    }
}

TEST(details_as_large_as_a_provider_may_send_them_come_back)
{
    auto details = sample_details();
    details.id_token = Secret{jwt(std::string(190 * 1024, 'a'))};
    details.claims = std::string(190 * 1024, 'a');

    auto unpacked = unpack_details(pack_details(details));
    ck_assert(unpacked && are_equal(*unpacked, details));
}

TEST(details_of_a_usual_login_are_a_third_of_their_size)
{
    auto details = sample_details();
    auto size = details.id_token.size() + details.refresh_token.size() +
                details.claims.size();

    ck_assert(pack_details(details).size() * 2 < size);
    details.id_token = {};
    ck_assert(pack_details(details).size() * 3 < size);
}

TEST(details_that_are_cut_or_have_more_behind_them_are_forged)
{
    std::string packed{pack_details(sample_details()).reveal()};
    for (size_t size = 0; size < packed.size(); size++) {
        ck_assert(!unpack_details(Secret{packed.substr(0, size)}));
    }

    ck_assert(!unpack_details(Secret{packed + '\0'}));

    auto plain = *inflate(packed);
    for (size_t size = 0; size < plain.size(); size++) {
        ck_assert(!unpack_details(Secret{deflate(plain.substr(0, size))}));
    }

    auto more = unpack_details(Secret{deflate(plain + '\0')});
    ck_assert(!more && more.error().code == Code::forged);
}

TEST(details_survive_every_flipped_bit)
{
    std::string packed{pack_details(sample_details()).reveal()};
    for (size_t at = 0; at < packed.size() * 8; at++) {
        auto flipped = packed;
        flipped[at / 8] ^= static_cast<char>(1 << at % 8);

        auto details = unpack_details(Secret{std::move(flipped)});
        ck_assert(details || details.error().code == Code::forged);
    }
}

} // namespace bff::session
