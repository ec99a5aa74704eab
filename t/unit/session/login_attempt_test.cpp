// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// A login comes back for its own state only, several wait side by side, and
// no number of cookies makes much work.

#include "core/session/login_attempt.hpp"

#include <algorithm>

#include "core/crypto/digest.hpp"
#include "core/crypto/seal.hpp"
#include "core/session/token_packing.hpp"
#include "core/web/query.hpp"
#include "session/sample_session.hpp"
#include "support/tape_entropy.hpp"
#include "unit.hpp"

namespace bff::session {
namespace {

using namespace bff::unit;

using Cookies = std::vector<web::SetCookie>;

// The number makes its state, and tells how many seconds ago it was started.
LoginAttempt attempt(int number = 0)
{
    auto seed = static_cast<uint64_t>(number);
    LoginAttempt login;
    login.state = base64url::encode(noise(32, 3 * seed + 1));
    login.nonce = base64url::encode(noise(32, 3 * seed + 2));
    login.code_verifier = base64url::encode(noise(32, 3 * seed + 3));
    login.return_path = "/orders?page=2&sort=%C3%A4";
    login.redirect_uri = "https://shop.example.com/bff/callback";
    login.issuer = "https://id.example.com/realms/shop";
    login.started = kNow - Seconds{number};
    return login;
}

web::SetCookie written(const LoginAttempt &login,
                       const CookieStyle &style = cookie_style())
{
    TapeEntropy entropy;
    return *write_login(login, style, keyring(), entropy);
}

Cookies written(std::initializer_list<int> numbers)
{
    Cookies cookies;
    for (int number : numbers) {
        cookies.push_back(written(attempt(number)));
    }
    return cookies;
}

Result<LoginAttempt> read(std::string_view header, std::string_view state,
                          Instant now = kNow)
{
    return read_login(header, state, cookie_style(), keyring(), now);
}

bool is_forged(std::string_view header, std::string_view state)
{
    auto login = read(header, state);
    return !login && login.error().code == Code::forged;
}

bool is_expired(std::string_view header, std::string_view state)
{
    auto login = read(header, state);
    return !login && login.error().code == Code::expired;
}

bool are_equal(const LoginAttempt &a, const LoginAttempt &b)
{
    return a.state == b.state && a.nonce == b.nonce &&
           a.code_verifier == b.code_verifier &&
           a.return_path == b.return_path && a.redirect_uri == b.redirect_uri &&
           a.issuer == b.issuer && a.started == b.started &&
           a.max_age == b.max_age && a.acr_values == b.acr_values &&
           a.response_mode == b.response_mode && a.is_silent == b.is_silent;
}

std::vector<std::string> deleted(std::string_view header)
{
    std::vector<std::string> names;
    for (const auto &cookie :
         make_room(header, cookie_style(), keyring(), kNow)) {
        ck_assert(cookie.max_age == Seconds{0} && cookie.value.empty());
        names.push_back(cookie.name);
    }
    std::sort(names.begin(), names.end());
    return names;
}

std::vector<std::string> names_of(std::initializer_list<int> numbers)
{
    std::vector<std::string> names;
    for (int number : numbers) {
        names.push_back(
            login_cookie_name(cookie_style(), attempt(number).state));
    }
    std::sort(names.begin(), names.end());
    return names;
}

// An envelope of ours around these octets, in the cookie of `state`.
std::string header_with(std::string_view plain, std::string_view state)
{
    auto name = login_cookie_name(cookie_style(), state);
    TapeEntropy entropy;
    auto envelope = *crypto::seal(
        plain, keyring(), {crypto::Purpose::login, name, "corp"}, entropy);
    return name + '=' + base64url::encode(envelope);
}

} // namespace

TEST(login_comes_back_with_every_field)
{
    auto login = attempt();
    auto with_max_age = attempt();
    with_max_age.max_age = Seconds{300};
    auto with_zero = attempt();
    with_zero.max_age = Seconds{0};
    auto bare = LoginAttempt{};
    bare.started = kNow;

    for (const auto &each : {login, with_max_age, with_zero, bare}) {
        auto read_back = read(cookie_header({written(each)}), each.state);
        ck_assert(read_back && are_equal(*read_back, each));
    }
}

TEST(login_cookie_is_lax_and_lives_for_ten_minutes)
{
    auto cookie = written(attempt());
    auto text = cookie.text();

    ck_assert(text.substr(text.find(';')) ==
              "; Path=/; Max-Age=600; Secure; HttpOnly; SameSite=Lax");
    ck_assert(text.size() < 600);
}

TEST(login_cookie_looks_as_the_style_says_but_is_lax)
{
    auto style = cookie_style();
    style.domain = "example.com";
    style.secure = false;
    for (auto same_site : {web::SameSite::strict, web::SameSite::none}) {
        style.same_site = same_site;
        auto cookie = written(attempt(), style);

        ck_assert(cookie.same_site == web::SameSite::lax);
        ck_assert(cookie.domain == "example.com" && !cookie.secure);
    }
}

TEST(login_cookie_shows_nothing_bff_9)
{
    auto login = attempt();
    auto cookie = written(login);
    auto octets = *base64url::decode(cookie.value);

    for (const auto &shown :
         {login.state, login.nonce, login.code_verifier, login.return_path,
          login.redirect_uri, login.issuer}) {
        ck_assert(cookie.text().find(shown) == std::string::npos);
        ck_assert(octets.find(shown) == std::string::npos);
    }
}

TEST(login_cookie_name_has_the_hash_of_the_state)
{
    auto name = login_cookie_name(cookie_style(), "state");

    ck_assert(name ==
              "__Host-Http-bff-corp-login-" +
                  base64url::encode(crypto::sha256("state")).substr(0, 16));
    ck_assert(name == "__Host-Http-bff-corp-login-S6aXNcpTdl7Wpwnt");
}

TEST(login_cookie_names_are_known_in_exact_case_only_ck_8)
{
    auto style = cookie_style();
    const std::string name = "__Host-Http-bff-corp-login-";

    ck_assert(is_login_cookie_name(name + "AAAAAAAAAAAAAA-_", style));
    ck_assert(is_login_cookie_name(login_cookie_name(style, ""), style));
    for (auto rest : {"", "AAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAA",
                      "AAAAAAAAAAAAAAA=", "AAAAAAAAAAAAAAA ",
                      "AAAAAAAAAAAAAAA\n", "AAAAAAAAAAAAAAA."}) {
        ck_assert(!is_login_cookie_name(name + rest, style));
    }
    for (auto other : {"__host-http-bff-corp-login-AAAAAAAAAAAAAAAA",
                       "__Host-Http-bff-corp-LOGIN-AAAAAAAAAAAAAAAA",
                       "__Host-Http-bff-corq-login-AAAAAAAAAAAAAAAA",
                       "-login-AAAAAAAAAAAAAAAA", "__Host-Http-bff-corp", ""}) {
        ck_assert(!is_login_cookie_name(other, style));
    }
}

TEST(login_with_a_return_path_of_2048_octets_fits_a_cookie)
{
    auto login = attempt();
    login.return_path = "/" + base64url::encode(noise(1535));
    auto cookie = written(login);

    ck_assert(login.return_path.size() == 2048);
    ck_assert(cookie.text().size() <= kSetCookieOctets);
    ck_assert(read(cookie_header({cookie}), login.state));
}

// As ReturnPath writes what came as octets.
TEST(login_with_a_return_path_that_was_longer_by_escapes_fits_a_cookie)
{
    auto login = attempt();
    login.return_path = "/";
    for (unsigned char octet : noise(2047)) {
        char high = static_cast<char>(octet | 128);
        login.return_path += web::percent_encode({&high, 1});
    }
    auto cookie = written(login);

    ck_assert(login.return_path.size() == 6142);
    ck_assert(cookie.text().size() <= kSetCookieOctets);
    ck_assert(read(cookie_header({cookie}), login.state)->return_path ==
              login.return_path);
}

TEST(return_path_of_a_login_comes_back_octet_by_octet)
{
    for (auto path : {"/", "/%", "/%C", "/%C3", "/%c3", "/%C3%A9", "/%c3%A9",
                      "/%7F", "/%80", "/%FF%ff%fF", "/%%C3", "/%25C3", "/%2F",
                      "/a%20b?q=%C3%a9#%E2%9C%93%"}) {
        auto login = attempt();
        login.return_path = path;
        auto cookie = written(login);

        ck_assert_msg(read(cookie_header({cookie}), login.state)->return_path ==
                          path,
                      "%s", path);
    }
}

TEST(login_that_no_browser_would_keep_is_refused_ck_1)
{
    auto login = attempt();
    login.issuer = base64url::encode(noise(3000));

    TapeEntropy entropy;
    auto result = write_login(login, cookie_style(), keyring(), entropy);
    ck_assert(!result && result.error().code == Code::unsupported);
}

TEST(login_is_not_written_without_random_bytes)
{
    BrokenEntropy entropy;
    auto result = write_login(attempt(), cookie_style(), keyring(), entropy);

    ck_assert(!result && result.error().code == Code::unavailable);
}

TEST(state_without_a_cookie_is_expired_cb_2)
{
    auto header = cookie_header({written(attempt())});

    ck_assert(is_expired("", attempt().state));
    ck_assert(is_expired("a=b", attempt().state));
    ck_assert(is_expired(header, ""));
    ck_assert(is_expired(header, attempt(1).state));
    ck_assert(is_expired(header, attempt().state + 'x'));
    ck_assert(is_expired(header, std::string(100000, 'x')));
}

TEST(login_is_too_old_after_ten_minutes_cb_2)
{
    auto header = cookie_header({written(attempt())});
    auto state = attempt().state;

    ck_assert(read(header, state, kNow + Seconds{599}));
    auto late = read(header, state, kNow + Seconds{600});
    ck_assert(!late && late.error().code == Code::expired);
}

TEST(login_with_one_flipped_bit_is_forged_bff_9)
{
    auto cookie = written(attempt());
    for (size_t at = 0; at < cookie.value.size() * 8; at++) {
        auto flipped = cookie;
        flipped.value[at / 8] ^= static_cast<char>(1 << at % 8);
        ck_assert(is_forged(cookie_header({flipped}), attempt().state));
    }
}

TEST(login_cut_at_any_length_is_forged)
{
    auto cookie = written(attempt());
    auto value = cookie.value;
    for (size_t size = 0; size < value.size(); size++) {
        cookie.value = value.substr(0, size);
        ck_assert(is_forged(cookie_header({cookie}), attempt().state));
    }

    for (const auto &sent : {value + 'A', value + '=', '"' + value + '"',
                             value.substr(0, 9) + ' ' + value.substr(9),
                             std::string(8192, 'A'), noise(8192)}) {
        cookie.value = sent;
        ck_assert(is_forged(cookie_header({cookie}), attempt().state));
    }
}

TEST(login_that_comes_twice_is_forged_ck_8)
{
    auto cookie = written(attempt());
    auto empty = cookie;
    empty.value = "";

    ck_assert(is_forged(cookie_header({cookie, cookie}), attempt().state));
    ck_assert(is_forged(cookie_header({cookie, empty}), attempt().state));
    ck_assert(is_forged(cookie_header({empty, cookie}), attempt().state));
    ck_assert(is_forged(cookie_header(Cookies(50, cookie)), attempt().state));
}

TEST(login_under_the_name_of_another_state_is_forged_cb_2)
{
    auto cookie = written(attempt());
    cookie.name = login_cookie_name(cookie_style(), attempt(1).state);

    ck_assert(is_forged(cookie_header({cookie}), attempt(1).state));
    ck_assert(is_expired(cookie_header({cookie}), attempt().state));
}

TEST(login_whose_sealed_state_is_another_is_forged_cb_2)
{
    auto cookie = written(attempt());
    auto envelope = *base64url::decode(cookie.value);
    auto plain = *crypto::unseal(envelope, keyring(),
                                 {crypto::Purpose::login, cookie.name, "corp"});

    auto asked = attempt(1).state;
    ck_assert(is_forged(header_with(plain, asked), asked));
    ck_assert(!is_forged(header_with(plain, attempt().state), attempt().state));
}

TEST(login_of_another_provider_name_key_or_purpose_is_forged_ck_25)
{
    auto other_provider = cookie_style();
    other_provider.provider = "partner";
    auto header = cookie_header({written(attempt(), other_provider)});
    ck_assert(is_forged(header, attempt().state));

    auto other_name = cookie_style();
    other_name.name = "other";
    auto cookie = written(attempt(), other_name);
    cookie.name = login_cookie_name(cookie_style(), attempt().state);
    ck_assert(is_forged(cookie_header({cookie}), attempt().state));

    header = cookie_header({written(attempt())});
    auto login =
        read_login(header, attempt().state, cookie_style(), keyring("n"), kNow);
    ck_assert(!login && login.error().code == Code::forged);
    ck_assert(read_login(header, attempt().state, cookie_style(), keyring("nk"),
                         kNow));

    auto name = cookie.name;
    TapeEntropy entropy;
    auto envelope = *crypto::seal(
        "plain", keyring(), {crypto::Purpose::session, name, "corp"}, entropy);
    ck_assert(
        is_forged(name + '=' + base64url::encode(envelope), attempt().state));
}

TEST(what_we_sealed_and_is_no_login_is_forged)
{
    auto state = attempt().state;
    auto envelope = *base64url::decode(written(attempt()).value);
    auto name = login_cookie_name(cookie_style(), state);
    auto record = *inflate(*crypto::unseal(
        envelope, keyring(), {crypto::Purpose::login, name, "corp"}));

    ck_assert(read(header_with(deflate(record), state), state));
    ck_assert(is_forged(header_with(record, state), state));
    ck_assert(is_forged(header_with("", state), state));
    ck_assert(is_forged(header_with(deflate(record + '\0'), state), state));
    ck_assert(is_forged(header_with(deflate(noise(20000)), state), state));
    for (size_t size = 0; size < record.size(); size++) {
        auto cut = deflate(record.substr(0, size));
        ck_assert(is_forged(header_with(cut, state), state));
    }
}

TEST(sealed_login_with_any_flipped_bit_inside_is_never_misread)
{
    auto state = attempt().state;
    auto envelope = *base64url::decode(written(attempt()).value);
    auto name = login_cookie_name(cookie_style(), state);
    auto record = *inflate(*crypto::unseal(
        envelope, keyring(), {crypto::Purpose::login, name, "corp"}));

    for (size_t at = 0; at < record.size() * 8; at++) {
        auto flipped = record;
        flipped[at / 8] ^= static_cast<char>(1 << at % 8);
        auto login = read(header_with(deflate(flipped), state), state);
        ck_assert(!login || !are_equal(*login, attempt()));
        ck_assert(!login || login->state == state);
    }
}

TEST(what_format_version_2_wrote_still_opens_as_a_login_ck_28)
{
    auto login =
        read("__Host-Http-bff-corp-login-S6aXNcpTdl7Wpwnt=AWjT1L3ibgb4G1Ms"
             "xT7zZcKGjrWEfcM02Nup7VT8_1BuvQ5my3JaWxRXFIb3VEcjER0CKDNK42Ik"
             "hF9Pi1ZsaS_t0IyQ7xfgdpD5O95ZJ7XHC9ZEMe1E6WotS69hc1Cfxu5LQTRd"
             "Wbeet90B6LOniX3FCYqg8yFgbPA-wPh2N0WJ8D5at-Phgxh6ECFS553L",
             "state");

    ck_assert(login);
    ck_assert(login->code_verifier == "verifier");
    ck_assert(login->issuer == "https://id.example.com");
    ck_assert(login->max_age == Seconds{300});
    ck_assert(login->acr_values == "gold silver");
    ck_assert(login->response_mode == oidc::ResponseMode::form_post);
    ck_assert(login->is_silent);
}

TEST(login_waits_for_a_form_in_a_cookie_with_samesite_none_ck_14)
{
    auto style = cookie_style();
    style.login_same_site = web::SameSite::none;

    auto set = written(attempt(), style).text();
    auto cleared = clear_login(attempt().state, style).text();
    ck_assert(set.ends_with("; Secure; HttpOnly; SameSite=None"));
    ck_assert(cleared.ends_with("; Secure; HttpOnly; SameSite=None"));
}

TEST(several_tabs_log_in_side_by_side_cb_3)
{
    auto header = cookie_header(written({0, 1, 2, 3}));

    for (int number : {0, 1, 2, 3}) {
        auto login = read(header, attempt(number).state);
        ck_assert(login && are_equal(*login, attempt(number)));
    }
}

TEST(clearing_a_login_leaves_the_others_cb_3)
{
    auto cookie = clear_login(attempt(1).state, cookie_style());

    ck_assert(cookie.text() == names_of({1})[0] +
                                   "=; Path=/; Max-Age=0; Secure; HttpOnly; "
                                   "SameSite=Lax");
    ck_assert(cookie.name == written(attempt(1)).name);
}

TEST(three_logins_leave_room_for_a_fourth_cb_3)
{
    ck_assert(deleted("").empty());
    ck_assert(deleted("theme=dark").empty());
    ck_assert(deleted(cookie_header(written({2, 0, 1}))).empty());
}

TEST(oldest_login_goes_first_cb_3)
{
    ck_assert(deleted(cookie_header(written({0, 1, 2, 3}))) == names_of({3}));
    ck_assert(deleted(cookie_header(written({3, 2, 1, 0}))) == names_of({3}));
    ck_assert(deleted(cookie_header(written({5, 1, 3, 2, 4}))) ==
              names_of({4, 5}));
}

TEST(of_logins_started_in_one_second_the_first_sent_goes_first_cb_3)
{
    Cookies cookies;
    for (int number : {9, 8, 7, 6}) {
        auto login = attempt(number);
        login.started = kNow;
        cookies.push_back(written(login));
    }

    ck_assert(deleted(cookie_header(cookies)) == names_of({9}));
}

TEST(logins_that_are_too_old_or_do_not_open_make_room)
{
    auto cookies = written({0, 599, 600, 9999});
    auto damaged = written(attempt(1));
    damaged.value[40] ^= 1;
    cookies.push_back(damaged);
    auto empty = written(attempt(2));
    empty.value = "";
    cookies.push_back(empty);

    ck_assert(deleted(cookie_header(cookies)) == names_of({600, 9999, 1, 2}));
}

TEST(login_that_comes_twice_makes_room_once)
{
    auto cookies = written({0, 1, 0});

    ck_assert(deleted(cookie_header(cookies)) == names_of({0}));
}

TEST(only_logins_of_this_provider_make_room)
{
    auto style = cookie_style();
    style.name = "__Host-Http-bff-partner";
    style.provider = "partner";
    Cookies cookies;
    for (int number = 0; number < 6; number++) {
        cookies.push_back(written(attempt(number), style));
    }

    ck_assert(deleted(cookie_header(cookies)).empty());
}

TEST(of_fifty_logins_the_youngest_three_stay)
{
    Cookies cookies;
    for (int number = 49; number >= 0; number--) {
        cookies.push_back(written(attempt(number)));
    }
    auto names = deleted(cookie_header(cookies));

    ck_assert(names.size() == 47);
    for (const auto &kept : names_of({0, 1, 2})) {
        ck_assert(std::find(names.begin(), names.end(), kept) == names.end());
    }
}

TEST(fifty_logins_that_are_junk_all_go)
{
    std::string header;
    for (int i = 10; i < 60; i++) {
        header += "__Host-Http-bff-corp-login-AAAAAAAAAAAAAA" +
                  std::to_string(i) + '=' + std::string(100, 'A') + "; ";
    }

    ck_assert(deleted(header).size() == 50);
    ck_assert(deleted(header + cookie_header(written({0}))).size() == 50);
}

TEST(long_links_do_not_fill_the_cookie_header)
{
    Cookies cookies;
    for (int number : {4, 3, 2, 1}) {
        auto login = attempt(number);
        login.return_path = "/" + base64url::encode(noise(1535));
        cookies.push_back(written(login));
    }

    ck_assert(deleted(cookie_header(cookies)) == names_of({2, 3, 4}));
}

TEST(no_junk_of_8_kib_makes_room_for_more_than_was_sent)
{
    ck_assert(deleted(noise(8192)).empty());
    ck_assert(deleted(std::string(8192, ';')).empty());
    ck_assert(deleted(std::string(8192, '=')).empty());
    ck_assert(deleted("__Host-Http-bff-corp-login-AAAAAAAAAAAAAAAA").empty());
    ck_assert(deleted("__Host-Http-bff-corp-login-AAAAAAAAAAAAAAAA=").size() ==
              1);
}

} // namespace bff::session
