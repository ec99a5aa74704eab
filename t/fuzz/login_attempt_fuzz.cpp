// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What opens was written by write_login and holds the state asked for; what
// make_room leaves is at most three logins that open.
//
// An input that begins with a zero octet is a recipe: real logins of several
// ages and states mixed, renamed and changed.

#include "core/session/login_attempt.hpp"

#include <algorithm>
#include <set>

#include "property.hpp"
#include "session/sample_session.hpp"
#include "support/tape_entropy.hpp"

using namespace bff;
using namespace bff::session;

namespace {

constexpr int kStates = 6;
constexpr size_t kHeaderOctets = 8192; // what NGINX lets through

const CookieStyle &style()
{
    static const auto corp = unit::cookie_style();
    return corp;
}

const crypto::Keyring &keys()
{
    static const auto ring = unit::keyring();
    return ring;
}

std::string state(int number)
{
    return "state" + std::to_string(number);
}

// The last one is too old.
LoginAttempt attempt(int number)
{
    LoginAttempt login;
    login.state = state(number);
    login.nonce = "nonce";
    login.code_verifier = "verifier";
    login.return_path = "/orders";
    login.redirect_uri = "https://shop.example.com/bff/callback";
    login.issuer = "https://id.example.com";
    login.started = unit::kNow - Seconds{number * 120};
    login.is_silent = number % 2 == 1;
    return login;
}

const std::vector<web::SetCookie> &real_cookies()
{
    static const auto cookies = [] {
        std::vector<web::SetCookie> all;
        for (int number = 0; number < kStates; number++) {
            unit::TapeEntropy entropy{static_cast<uint64_t>(number)};
            all.push_back(
                *write_login(attempt(number), style(), keys(), entropy));
        }
        return all;
    }();
    return cookies;
}

// Four octets for each cookie: its name, its value, and a change to it.
std::string cooked(std::string_view recipe)
{
    std::string header;

    for (; recipe.size() >= 4 && header.size() < kHeaderOctets;
         recipe.remove_prefix(4)) {
        auto octet = [&](size_t i) { return static_cast<uint8_t>(recipe[i]); };
        auto name = real_cookies()[octet(0) % kStates].name;
        auto value = real_cookies()[octet(1) % kStates].value;
        auto place = std::min<size_t>(value.size(), octet(2));
        if (octet(3) < 128 && place < value.size()) {
            value[place] = static_cast<char>(octet(3));
        } else if (octet(3) > 250) {
            value.resize(place);
        }
        header += name + '=' + value + "; ";
    }

    return header;
}

bool opens(std::string_view header, const std::string &state)
{
    return bool{read_login(header, state, style(), keys(), unit::kNow)};
}

void check_reading(std::string_view header, const std::string &state)
{
    auto login = read_login(header, state, style(), keys(), unit::kNow);
    if (!login) {
        bool is_silent = login.error().code == Code::expired;
        fuzz::must(is_silent || login.error().code == Code::forged,
                   "what does not open is expired or forged");
        return;
    }

    fuzz::must(login->state == state, "it holds the state asked for");
    auto found = web::find_cookie(header, login_cookie_name(style(), state));
    fuzz::must(found.times == 1, "it comes once");

    auto envelope = *base64url::decode(found.value);
    unit::TapeEntropy entropy{
        std::string_view{envelope}.substr(1 + crypto::kKeyIdOctets, 24)};
    auto cookie = write_login(*login, style(), keys(), entropy);
    fuzz::must(cookie && cookie->value == found.value,
               "what opens was written by write_login");
}

void check_making_room(std::string_view header)
{
    std::set<std::string> deleted;
    for (const auto &cookie : make_room(header, style(), keys(), unit::kNow)) {
        fuzz::must(is_login_cookie_name(cookie.name, style()),
                   "only logins are deleted");
        fuzz::must(web::find_cookie(header, cookie.name).times > 0,
                   "what is deleted was sent");
        fuzz::must(deleted.insert(cookie.name).second, "each one once");
    }

    std::set<std::string_view> left;
    for (const auto &[name, value] : web::cookie_pairs(header)) {
        if (is_login_cookie_name(name, style()) &&
            !deleted.contains(std::string{name})) {
            left.insert(name);
        }
    }

    size_t open = 0;
    for (int number = 0; number < kStates; number++) {
        open += left.contains(real_cookies()[number].name) &&
                opens(header, state(number));
    }
    fuzz::must(left.size() < kPendingLogins, "there is room for one more");
    fuzz::must(open == left.size(), "what stays opens");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto input = fuzz::view(data, size);
    bool is_recipe = input.starts_with('\0');
    auto header = is_recipe ? cooked(input.substr(1)) : std::string{input};

    for (int number = 0; number < kStates; number++) {
        check_reading(header, state(number));
    }
    check_making_room(header);
    return 0;
}
