// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// A session comes back from the cookies it was written to, and from nothing
// else that a browser could send.

#include "core/session/session_cookie.hpp"

#include "core/session/session_store.hpp"

#include <algorithm>

#include "core/crypto/seal.hpp"
#include "session/sample_session.hpp"
#include "support/tape_entropy.hpp"
#include "unit.hpp"

namespace bff::session {
namespace {

using namespace bff::unit;

using Cookies = std::vector<web::SetCookie>;

Cookies written(const Session &session, std::string_view sent = {},
                uint64_t seed = 1, const CookieStyle &style = cookie_style())
{
    TapeEntropy entropy{seed};
    return *write_session(session, style, keyring(), entropy, sent);
}

Result<Session> read(std::string_view header,
                     const CookieStyle &style = cookie_style())
{
    return read_session(header, style, keyring(), kNow);
}

bool opens(std::string_view header)
{
    return bool{read(header)};
}

bool is_forged(std::string_view header)
{
    auto session = read(header);
    return !session && session.error().code == Code::forged;
}

bool is_expired(std::string_view header)
{
    auto session = read(header);
    return !session && session.error().code == Code::expired;
}

// name=value; by hand, for what a browser should not send.
std::string pairs(std::vector<std::pair<std::string, std::string>> cookies)
{
    std::string header;
    for (const auto &[name, value] : cookies) {
        header += header.empty() ? "" : "; ";
        header += name + '=' + value;
    }
    return header;
}

const std::string kName = cookie_style().name;

TEST(session_that_nobody_used_is_expired)
{
    TapeEntropy entropy;
    auto style = cookie_style();
    auto keys = keyring();
    auto written = write_session(sample_session(), style, keys, entropy, "");
    auto header = cookie_header(*written);
    auto later = kNow + Seconds{600};
    ck_assert(static_cast<bool>(read_session(header, style, keys, later)));

    style.idle = Seconds{600};
    ck_assert(read_session(header, style, keys, later - Seconds{1})->idle ==
              style.idle);
    ck_assert(read_session(header, style, keys, later).error().code ==
              Code::expired);
    style.idle = Seconds{601};
    ck_assert(static_cast<bool>(read_session(header, style, keys, later)));
}

TEST(tells_which_sessions_the_first_key_has_not_sealed_ck_26)
{
    TapeEntropy entropy;
    auto style = cookie_style();
    auto written =
        write_session(sample_session(), style, keyring("a"), entropy, "");
    auto header = cookie_header(*written);

    ck_assert(!read_session(header, style, keyring("a"), kNow)->has_old_key);
    ck_assert(!read_session(header, style, keyring("ab"), kNow)->has_old_key);
    ck_assert(read_session(header, style, keyring("ba"), kNow)->has_old_key);
}

TEST(session_timeout_that_was_shortened_ends_older_sessions)
{
    crypto::OpensslEntropy entropy;
    auto style = cookie_style();
    auto header = cookie_header(
        *write_session(sample_session(), style, keyring(), entropy, ""));

    style.lifetime = Seconds{60};
    auto in_time = read_session(header, style, keyring(), kNow + Seconds{59});
    ck_assert(in_time && in_time->expires == kNow + Seconds{60});
    auto late = read_session(header, style, keyring(), kNow + Seconds{60});
    ck_assert(!late && late.error().code == Code::expired);

    style.lifetime = Seconds{90 * 3600};
    auto session = read_session(header, style, keyring(), kNow);
    ck_assert(session && session->expires == sample_session().expires);
}

// --- what was found, with new tokens ---

TEST(new_tokens_are_told_to_who_has_others_in_its_cookie)
{
    Found before{Found::State::active, sample_session()};
    auto found = renewed(before, sample_session());
    ck_assert(found.state == Found::State::active && found.is_newer);
}

TEST(new_tokens_are_not_told_to_who_has_the_handle)
{
    auto stored = sample_session();
    stored.handle = Secret{std::string(32, 'h')};
    Found before{Found::State::active, stored};
    ck_assert(!renewed(before, stored).is_newer);

    auto moved = sample_session();
    moved.handle = Secret{std::string(32, 'i')};
    ck_assert(renewed(before, moved).is_newer);
    ck_assert(
        renewed({Found::State::active, sample_session()}, moved).is_newer);
}

} // namespace

TEST(session_comes_back_from_its_cookies)
{
    for (const auto &session :
         {sample_session(), sample_session(3000), large_session()}) {
        auto read_back = read(cookie_header(written(session)));

        ck_assert(read_back);
        ck_assert(read_back->id == session.id);
        ck_assert(read_back->access_token.reveal() ==
                  session.access_token.reveal());
        ck_assert(read_back->packed_details.reveal() ==
                  session.packed_details.reveal());
    }
}

TEST(usual_session_fits_one_cookie)
{
    auto cookies = written(sample_session());

    ck_assert(cookies.size() == 1);
    ck_assert(cookies[0].text().size() < 3100);
}

TEST(session_cookies_have_the_attributes_of_bff_3_to_8)
{
    for (const auto &cookie : written(large_session())) {
        auto text = cookie.text();
        auto attributes = text.substr(text.find(';'));

        ck_assert(attributes == "; Path=/; Secure; HttpOnly; SameSite=Strict");
        ck_assert(cookie.name.starts_with("__Host-Http-"));
    }
}

TEST(session_cookies_look_as_the_style_says)
{
    auto style = cookie_style();
    style.name = "app";
    style.domain = "example.com";
    style.same_site = web::SameSite::lax;
    style.secure = false;

    auto cookies = written(large_session(), {}, 1, style);
    ck_assert(cookies.size() == 3);
    for (const auto &cookie : cookies) {
        ck_assert(cookie.domain == "example.com");
        ck_assert(cookie.same_site == web::SameSite::lax);
        ck_assert(!cookie.secure);
        ck_assert(!cookie.max_age);
        ck_assert(cookie.text().size() <= kSetCookieOctets);
    }
    ck_assert(read(cookie_header(cookies), style));
}

TEST(cookie_values_are_base64url_only_ck_13)
{
    for (const auto &cookie : written(large_session())) {
        ck_assert(cookie.value.find_first_not_of(
                      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                      "0123456789-_") == std::string::npos);
    }
}

TEST(cookies_show_no_token_and_no_claim_bff_9)
{
    auto session = sample_session();
    session.access_token = Secret{std::string_view{"opaque-access-token"}};
    session.packed_details = Secret{std::string_view{"jane@example.com"}};
    auto value = written(session)[0].value;
    auto octets = *base64url::decode(value.substr(1));

    for (auto shown : {"opaque", "access", "jane", "example"}) {
        ck_assert(octets.find(shown) == std::string::npos);
    }
}

TEST(set_cookie_has_at_most_4000_octets_at_every_size_ck_1)
{
    for (size_t octets = 0; octets < 7500; octets += 7) {
        auto cookies = written(sample_session(octets));

        ck_assert(!cookies.empty() && cookies.size() <= kChunks);
        for (const auto &cookie : cookies) {
            ck_assert(cookie.text().size() <= kSetCookieOctets);
        }
        ck_assert(opens(cookie_header(cookies)));
    }
}

TEST(next_cookie_is_begun_only_when_the_one_before_is_full)
{
    size_t count = 1;

    for (size_t octets = 1; octets < 7500; octets++) {
        auto cookies = written(sample_session(octets));
        if (cookies.size() == count) {
            continue;
        }

        ck_assert(cookies.size() == count + 1);
        for (size_t i = 0; i < count; i++) {
            ck_assert(cookies[i].text().size() == kSetCookieOctets);
        }
        ck_assert(cookies[count].value.size() <= 2);
        ck_assert(opens(cookie_header(cookies)));
        count++;
    }

    ck_assert(count == 3);
}

TEST(session_that_needs_more_than_3_cookies_is_refused_with_its_sizes)
{
    auto session = sample_session(9120);
    auto details = sample_details();
    details.id_token = {};
    session.packed_details = pack_details(details);

    TapeEntropy entropy;
    auto result =
        write_session(session, cookie_style(), keyring(), entropy, "");
    ck_assert(!result && result.error().code == Code::unsupported);
    auto why = why_too_large(session, cookie_style());
    ck_assert_str_eq(why.c_str(),
                     "session needs 4 cookies of 4000 octets, at most 3 fit: "
                     "access token 9120, ID token 0, refresh token 877, "
                     "claims 152 octets");
    ck_assert(entropy.drawn() == 0);
}

TEST(operator_is_told_when_leaving_out_the_id_token_helps)
{
    auto told = [](size_t octets) {
        return why_too_large(sample_session(octets), cookie_style())
            .ends_with("; \"logout_token_hint off\" saves the ID token");
    };

    ck_assert(told(7900));
    ck_assert(!told(12000));
}

TEST(session_too_large_with_details_that_are_none_is_refused_as_well)
{
    auto session = sample_session(20000);
    session.packed_details = Secret{std::string_view{"none"}};

    TapeEntropy entropy;
    auto result =
        write_session(session, cookie_style(), keyring(), entropy, "");
    ck_assert(!result && result.error().code == Code::unsupported);
    ck_assert(why_too_large(session, cookie_style())
                  .ends_with(": access token 20000 octets"));
}

TEST(style_that_leaves_no_room_is_refused)
{
    for (size_t octets : {3900, 3930, 3931, 3932, 3933, 3940, 5000}) {
        auto style = cookie_style();
        style.domain = std::string(octets, 'd');

        TapeEntropy entropy;
        auto result =
            write_session(sample_session(), style, keyring(), entropy, "");
        ck_assert(!result && result.error().code == Code::unsupported);
    }
}

TEST(session_is_not_written_without_random_bytes)
{
    BrokenEntropy entropy;
    auto result =
        write_session(sample_session(), cookie_style(), keyring(), entropy, "");

    ck_assert(!result && result.error().code == Code::unavailable);
}

// Its cookie would have lost the refresh token and the claims.
TEST(session_whose_details_are_not_known_is_not_written)
{
    TapeEntropy entropy;
    auto brief = sample_session();
    brief.packed_details = {};
    brief.is_brief = true;
    auto result = write_session(brief, cookie_style(), keyring(), entropy, "");

    ck_assert(!result && result.error().code == Code::unavailable);
}

TEST(fewer_chunks_than_before_delete_the_surplus_ck_21)
{
    auto before = cookie_header(written(large_session()));
    auto after = written(sample_session(), "theme=dark; " + before);

    ck_assert(after.size() == 3);
    ck_assert(after[1].text() == kName + ".1=; Path=/; Max-Age=0; Secure; "
                                         "HttpOnly; SameSite=Strict");
    ck_assert(after[2].name == kName + ".2" && after[2].value.empty());
    ck_assert(after[2].max_age == Seconds{0});
}

TEST(chunks_that_the_browser_did_not_send_are_not_deleted)
{
    ck_assert(written(sample_session(), "theme=dark").size() == 1);
    ck_assert(written(sample_session(), kName + "=1abc").size() == 1);
    ck_assert(written(sample_session(), kName + ".2=x").size() == 2);
    ck_assert(written(large_session(), kName + ".2=x").size() == 3);
}

TEST(clearing_deletes_every_chunk_with_the_attributes_it_was_set_with_ck_22)
{
    auto style = cookie_style();
    style.domain = "example.com";
    style.same_site = web::SameSite::none;
    auto cookies = clear_session(style);

    ck_assert(cookies.size() == 3);
    for (size_t i = 0; i < 3; i++) {
        auto suffix = i == 0 ? "" : "." + std::to_string(i);
        ck_assert(cookies[i].text() ==
                  kName + suffix +
                      "=; Path=/; Domain=example.com; Max-Age=0; Secure; "
                      "HttpOnly; SameSite=None");
    }
}

TEST(no_session_cookie_at_all_is_no_session)
{
    for (auto header : {"", ";", "; ;", "theme=dark", "a=b; c=d", "=",
                        "==", "__Host-Http-bff-corp", "__Host-Http-bff"}) {
        ck_assert(is_expired(header));
    }
}

TEST(session_is_found_among_other_cookies_in_any_order)
{
    auto cookies = written(large_session());
    std::reverse(cookies.begin(), cookies.end());
    auto header = cookie_header(cookies);

    ck_assert(opens(header));
    ck_assert(opens("a=b; " + header + "; c=d"));
    ck_assert(opens("a=b;" + header + ";c=d;"));
    ck_assert(opens("a=\"__Host-Http-bff-corp=1\"; " + header + "; c"));
    ck_assert(opens(kName + "; " + header)); // a piece without '='
}

TEST(session_with_one_flipped_bit_anywhere_is_no_session_bff_9)
{
    for (const auto &session : {sample_session(), large_session()}) {
        auto header = cookie_header(written(session));
        for (size_t at = 0; at < header.size() * 8; at++) {
            auto flipped = header;
            flipped[at / 8] ^= static_cast<char>(1 << at % 8);
            ck_assert(!opens(flipped));
        }
    }
}

TEST(flipped_bit_in_a_value_is_forged_and_not_only_expired)
{
    auto value = written(sample_session())[0].value;
    for (size_t at = 0; at < value.size() * 8; at++) {
        auto flipped = value;
        flipped[at / 8] ^= static_cast<char>(1 << at % 8);
        ck_assert(is_forged(kName + '=' + flipped));
    }
}

TEST(session_cut_at_any_length_is_forged)
{
    auto value = written(sample_session())[0].value;
    for (size_t size = 0; size < value.size(); size++) {
        ck_assert(is_forged(kName + '=' + value.substr(0, size)));
        ck_assert(is_forged(kName + '=' + value.substr(value.size() - size)));
    }

    ck_assert(is_forged(kName + '=' + value + 'A'));
    ck_assert(is_forged(kName + '=' + value + "AAAA"));
    ck_assert(is_forged(kName + '=' + value + '='));
}

TEST(missing_chunk_is_forged_ck_23)
{
    auto cookies = written(large_session());
    for (size_t i = 0; i < cookies.size(); i++) {
        auto left = cookies;
        left.erase(left.begin() + static_cast<long>(i));
        ck_assert(is_forged(cookie_header(left)));
        ck_assert(is_forged(cookie_header({cookies[i]})));
    }
}

TEST(doubled_chunk_is_forged_ck_8)
{
    auto cookies = written(large_session());
    for (size_t i = 0; i < cookies.size(); i++) {
        auto more = cookies;
        more.push_back(cookies[i]);
        ck_assert(is_forged(cookie_header(more)));
        more.back().value = "";
        ck_assert(is_forged(cookie_header(more)));
        more.insert(more.begin(), more.back());
        ck_assert(is_forged(cookie_header(more)));
    }
}

TEST(chunks_in_another_order_are_forged_ck_20)
{
    auto cookies = written(large_session());
    std::vector<size_t> order{0, 1, 2};

    while (std::next_permutation(order.begin(), order.end())) {
        auto moved = cookies;
        for (size_t i = 0; i < order.size(); i++) {
            moved[i].value = cookies[order[i]].value;
        }
        ck_assert(is_forged(cookie_header(moved)));
    }
}

TEST(chunks_of_two_generations_are_forged_ck_24)
{
    auto session = large_session();
    auto before = written(session, "", 1);
    auto after = written(session, "", 2);

    for (unsigned from_after = 0; from_after < 8; from_after++) {
        auto mixed = before;
        for (size_t i = 0; i < 3; i++) {
            if ((from_after >> i & 1) != 0) {
                mixed[i] = after[i];
            }
        }
        bool is_whole = from_after == 0 || from_after == 7;
        ck_assert(is_whole == opens(cookie_header(mixed)));
    }
}

TEST(chunks_of_two_sessions_or_sizes_are_forged_ck_20)
{
    auto three = written(large_session(), "", 1);
    auto two = written(sample_session(3000), "", 2);
    auto one = written(sample_session(), "", 3);

    ck_assert(two.size() == 2 && one.size() == 1);
    ck_assert(is_forged(cookie_header({two[0], three[1]})));
    ck_assert(is_forged(cookie_header({three[0], two[1]})));
    ck_assert(is_forged(cookie_header({three[0], two[1], three[2]})));
    ck_assert(is_forged(cookie_header({three[0], three[1], one[0]})));
}

TEST(chunks_beside_a_whole_session_are_forged_ck_20)
{
    auto three = written(large_session(), "", 1);
    auto two = written(sample_session(3000), "", 2);
    auto one = written(sample_session(), "", 3);

    ck_assert(is_forged(cookie_header({one[0], three[1], three[2]})));
    ck_assert(is_forged(cookie_header({one[0], three[2]})));
    ck_assert(is_forged(cookie_header({two[0], two[1], three[2]})));
    ck_assert(is_forged(cookie_header({three[2], two[1], three[2], two[0]})));
    ck_assert(
        is_forged(pairs({{kName, one[0].value}, {kName + ".1", "junk\""}})));
    ck_assert(is_forged(pairs({{kName, one[0].value}, {kName + ".2", ""}})));
}

TEST(only_what_lacks_no_chunk_may_be_mixed_ck_23_ck_24)
{
    auto three = written(large_session(), "", 1);
    auto two = written(sample_session(3000), "", 2);
    auto one = written(sample_session(), "", 3);
    auto is_mixed = [](const Cookies &cookies) {
        return may_be_mixed("a=1; " + cookie_header(cookies), cookie_style());
    };

    ck_assert(is_mixed({one[0], three[1]}));
    ck_assert(is_mixed({two[0], three[1]}));
    ck_assert(is_mixed({three[0], two[1], three[2]}));
    ck_assert(is_mixed({one[0], three[1], three[1]}));

    ck_assert(!is_mixed({}));
    ck_assert(!is_mixed({one[0]}));
    ck_assert(!is_mixed({two[0]}));
    ck_assert(!is_mixed({three[1], three[2]}));
    ck_assert(!is_mixed({three[0], three[2]}));
    ck_assert(!is_mixed({two[0], three[2]}));
    ck_assert(!is_mixed({one[0], one[0], three[1]}));
    ck_assert(!is_mixed({two[0], three[1], two[1]}));
}

TEST(number_of_chunks_is_sealed_with_them_ck_20)
{
    auto value = written(sample_session())[0].value;
    auto text = value.substr(1);

    for (auto first : {"2", "3"}) {
        ck_assert(is_forged(pairs(
            {{kName, first + text}, {kName + ".1", ""}, {kName + ".2", ""}})));
        ck_assert(is_forged(pairs({{kName, first + text.substr(0, 9)},
                                   {kName + ".1", text.substr(9)},
                                   {kName + ".2", ""}})));
    }

    auto two = written(sample_session(3000));
    ck_assert(is_forged(
        pairs({{kName, '1' + two[0].value.substr(1) + two[1].value}})));
}

TEST(number_of_chunks_that_is_none_of_ours_is_forged)
{
    auto text = written(sample_session())[0].value.substr(1);

    for (auto first : {"", "0", "4", "9", "A", "-1", "01", " 1", "\xb1"}) {
        ck_assert(is_forged(kName + '=' + first + text));
    }
    ck_assert(is_forged(kName + '='));
    ck_assert(is_forged(kName + "=1"));
    ck_assert(is_forged(kName + ".1=1" + text));
}

TEST(same_characters_in_another_cut_are_the_same_session)
{
    auto cookies = written(large_session());
    cookies[1].value.insert(0, 1, cookies[0].value.back());
    cookies[0].value.pop_back();

    ck_assert(opens(cookie_header(cookies)));
}

TEST(value_with_quotes_or_spaces_is_forged)
{
    auto value = written(sample_session())[0].value;

    for (const auto &sent :
         {'"' + value + '"', '"' + value, value + '"', ' ' + value, value + ' ',
          value + '\t', "1 " + value.substr(1),
          value.substr(0, 50) + ' ' + value.substr(50),
          value.substr(0, 50) + '%' + value.substr(50), value + '=',
          value + "==", value + ",", value + std::string(1, '\0')}) {
        ck_assert(is_forged(kName + '=' + sent));
    }
}

TEST(session_of_another_provider_is_forged_bff_44)
{
    auto style = cookie_style();
    style.provider = "partner";

    ck_assert(
        is_forged(cookie_header(written(sample_session(), {}, 1, style))));
}

TEST(session_moved_to_another_cookie_name_is_forged_ck_25)
{
    auto style = cookie_style();
    style.name = "__Host-Http-bff-corq";
    auto cookie = written(sample_session(), {}, 1, style)[0];

    ck_assert(is_expired(cookie_header({cookie})));
    cookie.name = kName;
    ck_assert(is_forged(cookie_header({cookie})));
}

TEST(name_and_number_of_chunks_cannot_stand_for_each_other_ck_25)
{
    auto style = cookie_style();
    style.name = kName + "/1";
    auto cookie = written(sample_session(), {}, 1, style)[0];

    cookie.name = kName;
    ck_assert(is_forged(cookie_header({cookie})));
}

TEST(what_was_sealed_for_another_purpose_is_forged)
{
    for (auto purpose : {crypto::Purpose::login, crypto::Purpose::handle}) {
        TapeEntropy entropy;
        auto name = kName + "/1";
        auto envelope = *crypto::seal(encode(sample_session()), keyring(),
                                      {purpose, name, "corp"}, entropy);
        ck_assert(is_forged(kName + "=1" + base64url::encode(envelope)));
    }
}

TEST(what_we_sealed_and_is_no_session_is_forged)
{
    for (const auto &plain : {std::string{}, std::string{"\1"}, noise(50),
                              encode(sample_session()) + '\0'}) {
        TapeEntropy entropy;
        auto name = kName + "/1";
        auto envelope =
            *crypto::seal(plain, keyring(),
                          {crypto::Purpose::session, name, "corp"}, entropy);
        ck_assert(is_forged(kName + "=1" + base64url::encode(envelope)));
    }
}

TEST(older_keys_open_and_unknown_keys_do_not_ck_26)
{
    auto header = cookie_header(written(sample_session())); // with key k
    auto opened_by = [&](std::string_view letters) {
        return read_session(header, cookie_style(), keyring(letters), kNow);
    };

    ck_assert(opened_by("k"));
    ck_assert(opened_by("nk"));
    ck_assert(opened_by("nmk"));
    ck_assert(!opened_by("n"));
    ck_assert(opened_by("n").error().code == Code::forged);
}

TEST(first_key_of_the_ring_seals_ck_26)
{
    TapeEntropy entropy;
    auto header = cookie_header(*write_session(sample_session(), cookie_style(),
                                               keyring("nk"), entropy, ""));

    ck_assert(is_forged(header));
    ck_assert(read_session(header, cookie_style(), keyring("n"), kNow));
}

TEST(what_format_version_2_wrote_still_opens_ck_28)
{
    auto session =
        read(kName + "=1AWjT1L2RvvhxccPghUnLZ5p0h28qpdCu4hAUfh-iRF_3L8tdZn-"
                     "aV9rTUOybZGIe7SQD5DJzLD8S187-Az59bPqtMBc5HqjbWH9fUopOM0G"
                     "h9IudA4EelIVn1Q7wcVheZHB8jQU7x2Fj2i3LOEt_w8wPDR-01OXn0QC"
                     "Y0iueygGzwwD0g4uNDN04yF60YHkLqw0JtlYVT3RIv3_DR1N4z4Ca4M_"
                     "icVVH");

    ck_assert(session);
    ck_assert(session->id == "id=16 octets  ok");
    ck_assert(session->generation == 7);
    ck_assert(session->access_token.reveal() == "opaque");
    auto details = unpack_details(session->packed_details);
    ck_assert(details);
    ck_assert(details->refresh_token.reveal() == "refresh");
    ck_assert(details->claims == R"({"sub":"jane"})");
}

TEST(cookie_names_are_compared_octet_by_octet_ck_8)
{
    auto value = written(sample_session())[0].value;
    auto header = kName + '=' + value;

    for (auto look_alike :
         {"__HOST-HTTP-BFF-CORP", "__host-http-bff-corp",
          "__Host-Http-bff-Corp", "__Host-Http-bff-cor",
          "__Host-Http-bff-corp2", "__Host-Http-bff-corp.0",
          "$__Host-Http-bff-corp", "\"__Host-Http-bff-corp\""}) {
        ck_assert(is_expired(std::string{look_alike} + '=' + value));
        ck_assert(opens(std::string{look_alike} + "=1x; " + header));
        ck_assert(opens(header + "; " + look_alike + "=1x"));
    }
}

TEST(chunk_names_are_three_and_in_exact_case)
{
    auto style = cookie_style();

    for (const auto &name : {kName, kName + ".1", kName + ".2"}) {
        ck_assert(is_chunk_name(name, style));
    }
    for (auto suffix : {".0", ".3", ".9", ".", ".10", ".01", ".1 ", "1", "-1",
                        "x", ".:", "./", "-login-AAAAAAAAAAAAAAAA"}) {
        ck_assert(!is_chunk_name(kName + suffix, style));
    }
    ck_assert(!is_chunk_name("", style));
    ck_assert(!is_chunk_name("__Host-Http-bff-corP", style));
    ck_assert(!is_chunk_name("__host-http-bff-corp.1", style));
    ck_assert(!is_chunk_name("__Host-Http-bff-cor", style));
    ck_assert(!is_chunk_name(" " + kName, style));
}

TEST(fifty_cookies_of_our_name_are_forged)
{
    auto cookie = written(sample_session())[0];

    ck_assert(is_forged(cookie_header(Cookies(50, cookie))));
    auto first = cookie_header({cookie});
    cookie.value = "1";
    ck_assert(is_forged(first + "; " + cookie_header(Cookies(49, cookie))));
    ck_assert(is_forged(cookie_header(Cookies(49, cookie)) + "; " + first));
}

TEST(junk_of_8_kib_is_no_session)
{
    auto junk = noise(8192);

    ck_assert(!opens(junk));
    ck_assert(is_forged(kName + "=1" + std::string(8192, 'A')));
    ck_assert(is_forged(kName + "=1" + std::string(3900, 'A')));
    ck_assert(is_forged(kName + '=' + std::string(8192, '1')));
    ck_assert(is_forged(pairs({{kName, '3' + std::string(2700, 'A')},
                               {kName + ".1", std::string(2700, 'A')},
                               {kName + ".2", std::string(2700, 'A')}})));
    ck_assert(is_expired(std::string(8192, ';')));
    ck_assert(is_expired(std::string(8192, '=')));

    auto header = cookie_header(written(sample_session()));
    std::replace(junk.begin(), junk.end(), '=', '-');
    ck_assert(opens(junk + "; " + header));
}

TEST(session_that_is_over_is_expired_ck_27)
{
    auto session = sample_session();
    auto header = cookie_header(written(session));
    auto at = [&](Instant now) {
        return read_session(header, cookie_style(), keyring(), now);
    };

    ck_assert(at(session.expires - Seconds{1}));
    ck_assert(!at(session.expires));
    ck_assert(at(session.expires).error().code == Code::expired);
    ck_assert(!at(session.expires + Seconds{1000}));
}

TEST(session_is_sealed_anew_each_time)
{
    auto session = sample_session();

    ck_assert(written(session, {}, 1)[0].value !=
              written(session, {}, 2)[0].value);
}

} // namespace bff::session
