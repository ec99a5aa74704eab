// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// One login under way: state, nonce, verifier and return path, in a sealed
// cookie of its own.
//
// The browser may send any number of such cookies, and any state: a name is
// only where to look. What counts is the state inside the seal, which is
// bound to the cookie's name, and the time it was started.
//
//   sealed, after deflate   version u8 | started u64 | response_mode u8 |
//                           is silent u8 (0, 1) | has max_age u8 (0, 1) |
//                           max_age u64 (only then) | state | nonce |
//                           code_verifier | return_path | redirect_uri |
//                           issuer | acr_values
//
// each text with its length u32 before it. A return path is ASCII; what it
// has escaped of other characters stands there as octets, so that 2048 of them
// fit a cookie too.

#include "core/session/login_attempt.hpp"

#include <algorithm>

#include "core/base/base64url.hpp"
#include "core/crypto/digest.hpp"
#include "core/crypto/seal.hpp"
#include "core/session/octets.hpp"
#include "core/session/token_packing.hpp"
#include "core/web/query.hpp"

namespace bff::session {
namespace {

constexpr uint8_t kVersion = 2;
constexpr std::string_view kMark = "-login-";
constexpr size_t kMarkedCharacters = 16; // of the hashed state
constexpr std::string_view kNameCharacters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr size_t kCodeCharacters = 16; // of a state
constexpr size_t kOpenedAtMost = 16;   // of the logins a browser sends
constexpr size_t kRecordOctets = 16 * 1024;

// A usual login is three random texts and some URLs: deflate would take a tenth
// of all that a login costs to save 50 characters of a cookie that is used
// once. It is for long links.
constexpr size_t kWorthDeflating = 512;

// Logins that wait may hold this many octets of the Cookie header together.
// With the default buffers NGINX refuses a header line of more than 8 KiB, so
// a few long links must not lock a browser out until the logins are too old.
constexpr size_t kPendingOctets = 3000;

std::string encode(const LoginAttempt &attempt);
Result<LoginAttempt> decode(std::string_view bytes);

// "/caf%C3%A9" in octets and back; "%c3" stays as it is.
std::string in_octets(std::string_view path);
std::string in_ascii(std::string_view octets);
bool is_ascii(char c);

crypto::Binding binding(std::string_view name, const CookieStyle &style);
web::SetCookie login_cookie(std::string name, const CookieStyle &style);
Result<LoginAttempt> open(std::string_view name, std::string_view value,
                          const CookieStyle &style, const crypto::Keyring &keys,
                          Instant now);

using Cookies = std::vector<web::CookiePair>;
using Names = std::vector<std::string_view>;

Cookies logins_in(std::string_view cookie_header, const CookieStyle &style);
Names youngest(const Cookies &sent, const CookieStyle &style,
               const crypto::Keyring &keys, Instant now);
Names without(const Names &kept, const Cookies &sent);

std::string code_over(std::string_view random, const CookieStyle &style,
                      const crypto::Key &key);

} // namespace

Result<std::string> new_state(const CookieStyle &style,
                              const crypto::Keyring &keys,
                              crypto::Entropy &entropy)
{
    auto random = crypto::token(entropy);
    if (!random) {
        return random;
    }

    return *random + code_over(*random, style, keys.current());
}

bool is_our_state(std::string_view state, const CookieStyle &style,
                  const crypto::Keyring &keys)
{
    if (state.size() <= kCodeCharacters) {
        return false;
    }

    auto random = state.substr(0, state.size() - kCodeCharacters);
    auto code = state.substr(random.size());
    return std::ranges::any_of(keys.all(), [&](const crypto::Key &key) {
        return equal_in_constant_time(code, code_over(random, style, key));
    });
}

std::string login_cookie_name(const CookieStyle &style, std::string_view state)
{
    auto hashed = base64url::encode(crypto::sha256(state));
    hashed.resize(kMarkedCharacters);

    std::string name = style.name;
    name += kMark;
    name += hashed;
    return name;
}

// Asked for every cookie of every request, so that a foreign name costs one
// comparison. Its characters matter because deletions repeat the name.
bool is_login_cookie_name(std::string_view name,
                          const CookieStyle &style) noexcept
{
    if (!name.starts_with(style.name)) {
        return false;
    }

    name.remove_prefix(style.name.size());
    return name.size() == kMark.size() + kMarkedCharacters &&
           name.starts_with(kMark) &&
           name.find_first_not_of(kNameCharacters) == name.npos;
}

Result<web::SetCookie> write_login(const LoginAttempt &attempt,
                                   const CookieStyle &style,
                                   const crypto::Keyring &keys,
                                   crypto::Entropy &entropy)
{
    auto cookie = login_cookie(login_cookie_name(style, attempt.state), style);
    auto plain = encode(attempt);
    auto packed = deflate(plain, kWorthDeflating);
    auto envelope =
        crypto::seal(packed, keys, binding(cookie.name, style), entropy);
    wipe(plain);
    wipe(packed);
    if (!envelope) {
        return std::move(envelope).error();
    }

    cookie.value = base64url::encode(*envelope);
    cookie.max_age = kLoginLifetime;
    auto size = cookie.text().size();
    if (size > kSetCookieOctets) {
        return Error{Code::unsupported, "login needs a cookie of " +
                                            std::to_string(size) +
                                            " octets, browsers keep " +
                                            std::to_string(kSetCookieOctets)};
    }

    return cookie;
}

Result<LoginAttempt> read_login(std::string_view cookie_header,
                                std::string_view state,
                                const CookieStyle &style,
                                const crypto::Keyring &keys, Instant now)
{
    auto name = login_cookie_name(style, state);
    auto found = web::find_cookie(cookie_header, name);
    if (found.times == 0) {
        return Error{Code::expired, "no login cookie for this state"};
    }
    if (found.times > 1) {
        return Error{Code::forged, "login cookie comes twice"};
    }

    auto attempt = open(name, found.value, style, keys, now);
    if (attempt && !equal_in_constant_time(attempt->state, state)) {
        return Error{Code::forged, "login cookie holds another state"};
    }

    return attempt;
}

web::SetCookie clear_login(std::string_view state, const CookieStyle &style)
{
    auto cookie = login_cookie(login_cookie_name(style, state), style);
    cookie.max_age = Seconds{0};
    return cookie;
}

std::vector<web::SetCookie> make_room(std::string_view cookie_header,
                                      const CookieStyle &style,
                                      const crypto::Keyring &keys, Instant now)
{
    auto sent = logins_in(cookie_header, style);
    auto kept = youngest(sent, style, keys, now);

    std::vector<web::SetCookie> cookies;
    for (auto name : without(kept, sent)) {
        auto cookie = login_cookie(std::string{name}, style);
        cookie.max_age = Seconds{0};
        cookies.push_back(std::move(cookie));
    }

    return cookies;
}

namespace {

std::string code_over(std::string_view random, const CookieStyle &style,
                      const crypto::Key &key)
{
    auto code =
        crypto::hmac_sha256(key.for_purpose(crypto::Purpose::state).reveal(),
                            style.provider + '\n' + std::string{random});

    return base64url::encode(code).substr(0, kCodeCharacters);
}

std::string encode(const LoginAttempt &attempt)
{
    OctetWriter out{1024};
    out.u8(kVersion);
    out.seconds(to_number(attempt.started));
    out.u8(static_cast<uint8_t>(attempt.response_mode));
    out.u8(attempt.is_silent ? 1 : 0);
    out.u8(attempt.max_age ? 1 : 0);
    if (attempt.max_age) {
        out.seconds(attempt.max_age->count());
    }

    const auto return_path = in_octets(attempt.return_path);
    for (const auto *field :
         {&attempt.state, &attempt.nonce, &attempt.code_verifier, &return_path,
          &attempt.redirect_uri, &attempt.issuer, &attempt.acr_values}) {
        out.text(*field);
    }

    return std::move(out).take();
}

Result<LoginAttempt> decode(std::string_view bytes)
{
    OctetReader in{bytes};
    if (in.u8() != kVersion) {
        return Error{Code::forged, "login has an unknown format version"};
    }

    LoginAttempt attempt;
    attempt.started = instant(in.seconds());
    auto response_mode = in.u8();
    auto is_silent = in.u8();
    auto has_max_age = in.u8();
    if (has_max_age == 1) {
        attempt.max_age = Seconds{in.seconds()};
    }

    for (auto *field : {&attempt.state, &attempt.nonce, &attempt.code_verifier,
                        &attempt.return_path, &attempt.redirect_uri,
                        &attempt.issuer, &attempt.acr_values}) {
        *field = in.text();
    }

    if (response_mode > 1 || is_silent > 1 || has_max_age > 1 ||
        !in.complete()) {
        return Error{Code::forged, "login is damaged"};
    }

    attempt.response_mode = static_cast<oidc::ResponseMode>(response_mode);
    attempt.is_silent = is_silent == 1;
    attempt.return_path = in_ascii(attempt.return_path);
    return attempt;
}

std::string in_octets(std::string_view path)
{
    std::string octets;

    while (!path.empty()) {
        auto escape = path.substr(0, 3);
        auto octet = path.front() == '%' ? web::percent_decode(escape, false)
                                         : std::nullopt;
        bool is_ours = octet && !is_ascii(octet->front()) &&
                       web::percent_encode(*octet) == escape;
        octets += is_ours ? octet->front() : path.front();
        path.remove_prefix(is_ours ? escape.size() : 1);
    }

    return octets;
}

std::string in_ascii(std::string_view octets)
{
    std::string path;
    path.reserve(octets.size());

    for (const char &c : octets) {
        path += is_ascii(c) ? std::string(1, c) : web::percent_encode({&c, 1});
    }

    return path;
}

bool is_ascii(char c)
{
    return static_cast<unsigned char>(c) < 128;
}

crypto::Binding binding(std::string_view name, const CookieStyle &style)
{
    return {crypto::Purpose::login, name, style.provider};
}

// Lax or None, because the callback is a navigation that another site begins,
// and a Strict cookie would stay at home (CK-14).
web::SetCookie login_cookie(std::string name, const CookieStyle &style)
{
    web::SetCookie cookie;
    cookie.name = std::move(name);
    cookie.domain = style.domain;
    cookie.same_site = style.login_same_site;
    cookie.secure = style.secure;
    return cookie;
}

Result<LoginAttempt> open(std::string_view name, std::string_view value,
                          const CookieStyle &style, const crypto::Keyring &keys,
                          Instant now)
{
    auto envelope = value.size() <= kSetCookieOctets ? base64url::decode(value)
                                                     : std::nullopt;
    if (!envelope) {
        return Error{Code::forged, "login cookie is not base64url"};
    }

    auto packed =
        crypto::unseal(std::move(*envelope), keys, binding(name, style));
    if (!packed) {
        return std::move(packed).error();
    }

    auto plain = inflate(*packed, kRecordOctets);
    wipe(*packed);
    if (!plain) {
        return std::move(plain).error();
    }

    auto attempt = decode(*plain);
    wipe(*plain);
    if (attempt && attempt->is_expired(now)) {
        return Error{Code::expired, "login took too long"};
    }

    return attempt;
}

Cookies logins_in(std::string_view cookie_header, const CookieStyle &style)
{
    auto cookies = web::cookie_pairs(cookie_header);
    std::erase_if(cookies, [&](const web::CookiePair &cookie) {
        return !is_login_cookie_name(cookie.first, style);
    });

    return cookies;
}

bool comes_once(std::string_view name, const Cookies &sent)
{
    return std::count_if(sent.begin(), sent.end(), [&](const auto &cookie) {
               return cookie.first == name;
           }) == 1;
}

// The names of those that may stay. Browsers send older cookies first
// (RFC 6265, 5.4), so the last ones are worth opening.
Names youngest(const Cookies &sent, const CookieStyle &style,
               const crypto::Keyring &keys, Instant now)
{
    struct Pending {
        Instant started;
        const web::CookiePair *cookie;
    };
    std::vector<Pending> pending;

    size_t from = sent.size() - std::min(sent.size(), kOpenedAtMost);
    for (size_t i = sent.size(); i-- > from;) {
        const auto &[name, value] = sent[i];
        auto attempt = open(name, value, style, keys, now);
        if (attempt && comes_once(name, sent)) {
            pending.push_back({attempt->started, &sent[i]});
        }
    }

    std::stable_sort(pending.begin(), pending.end(),
                     [](const Pending &a, const Pending &b) {
                         return a.started > b.started;
                     });

    Names names;
    size_t octets = 0;
    for (const auto &[started, cookie] : pending) {
        octets += cookie->first.size() + cookie->second.size();
        if (names.size() + 1 == kPendingLogins || octets > kPendingOctets) {
            break;
        }
        names.push_back(cookie->first);
    }

    return names;
}

// The other names, each once.
Names without(const Names &kept, const Cookies &sent)
{
    Names names;
    for (const auto &[name, value] : sent) {
        if (std::find(kept.begin(), kept.end(), name) == kept.end()) {
            names.push_back(name);
        }
    }

    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    return names;
}

} // namespace
} // namespace bff::session
