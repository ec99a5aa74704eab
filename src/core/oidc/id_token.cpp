// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The claim checks of OpenID Connect Core 3.1.3.7 (IDT-*).
//
// A good signature says only who wrote the token. Here it is found out
// whether it was written for this client, this login and this moment; a
// claim of a wrong type counts as a wrong claim.

#include "core/oidc/id_token.hpp"

#include <algorithm>

#include "core/base/base64url.hpp"
#include "core/base/text.hpp"
#include "core/crypto/digest.hpp"
#include "core/oidc/jwt_claims.hpp"

namespace bff::oidc {
namespace {

// What every check may look at.
struct Case {
    const Jws &jws;
    const json_t *claims;
    const ClientSettings &client;
    const Expectations &expected;
    Instant now;
};

Result<Done> check_type(const Case &token);
Result<Done> check_issuer(const Case &token);
Result<Done> check_subject(const Case &token);
Result<Done> check_audience(const Case &token);
Result<Done> check_times(const Case &token);
Result<Done> check_nonce(const Case &token);
Result<Done> check_hashes(const Case &token);
Result<Done> check_auth_time(const Case &token);
Result<Done> check_acr(const Case &token);
Result<Done> check_sid(const Case &token);
Result<Done> check_earlier(const Case &token);
Error forged(std::string_view detail);

} // namespace

Result<IdToken> check_id_token(const Jws &verified,
                               const ClientSettings &client,
                               const Expectations &expected, Instant now)
{
    auto claims = json::parse_object(verified.payload);
    if (!claims) {
        return forged("its claims: " + std::move(claims).error().detail);
    }

    Case token{verified, claims->get(), client, expected, now};
    constexpr Result<Done> (*checks[])(const Case &) = {
        check_type,      check_issuer, check_subject, check_audience,
        check_times,     check_nonce,  check_hashes,  check_sid,
        check_auth_time, check_acr,    check_earlier,
    };

    for (auto check : checks) {
        auto done = check(token);
        if (!done) {
            return std::move(done).error();
        }
    }

    auto text = [&](std::string_view name) {
        return std::string{json::string_at(token.claims, name).value_or("")};
    };
    return IdToken{text("sub"), text("sid"), std::move(*claims)};
}

namespace {

Error forged(std::string_view detail)
{
    return Error{Code::forged, "ID token " + std::string{detail}};
}

// A good token of a login that is not what was asked for.
Error unmet(std::string_view detail)
{
    return Error{Code::refused, "ID token " + std::string{detail}};
}

TokenCase common(const Case &token)
{
    return {"ID token", token.claims, token.client, token.now};
}

// IDT-2, and LT-12: a logout token is not a login.
Result<Done> check_type(const Case &token)
{
    if (is_of_another_kind(token.jws)) {
        return forged("is of another kind: \"typ\" is \"" +
                      text::for_log(*token.jws.typ, 40) + "\"");
    }

    if (json::has(token.claims, "events")) {
        return forged("is of another kind: it has \"events\" like a logout "
                      "token");
    }

    return Done{};
}

Result<Done> check_issuer(const Case &token)
{
    return check_issuer(common(token));
}

Result<Done> check_subject(const Case &token)
{
    if (!is_name(token.claims, "sub")) {
        return forged("does not say who it is about: \"sub\" must be 1 to "
                      "255 ASCII characters");
    }

    return Done{};
}

// IDT-7: who is one of several audiences wants to be told it was meant.
Result<Done> check_authorized_party(const Case &token, size_t audiences)
{
    if (!json::has(token.claims, "azp")) {
        return audiences == 1 ? Result<Done>{Done{}}
                              : forged("has several audiences, but no \"azp\"");
    }

    auto azp = json::string_at(token.claims, "azp");
    if (azp != token.client.client_id) {
        return forged("was made for another client: \"azp\" is \"" +
                      text::for_log(azp.value_or("")) + "\"");
    }

    return Done{};
}

// IDT-5, IDT-6.
Result<Done> check_audience(const Case &token)
{
    auto audiences = check_audience(common(token));
    if (!audiences) {
        return std::move(audiences).error();
    }

    return check_authorized_party(token, *audiences);
}

Result<Done> check_times(const Case &token)
{
    return check_times(common(token));
}

// IDT-12. A login always sends one, so an empty expectation meets nothing.
Result<Done> check_nonce(const Case &token)
{
    if (token.expected.earlier) {
        return Done{}; // RT-3 is for check_earlier()
    }

    auto nonce = json::string_at(token.claims, "nonce");
    if (!nonce) {
        return forged("is not of this login: \"nonce\" is missing");
    }

    if (token.expected.nonce.empty() ||
        !equal_in_constant_time(*nonce, token.expected.nonce)) {
        return forged("is not of this login: \"nonce\" is another one");
    }

    return Done{};
}

Result<Done> check_login_age(const Case &token, Instant auth_time,
                             Seconds max_age)
{
    auto skew = token.client.clock_skew;

    if (auth_time > token.now + skew) {
        return forged("is from the future: \"auth_time\" is in " +
                      seconds_text(auth_time - token.now));
    }

    auto age = token.now - auth_time;
    if (age > skew && age - skew > max_age) {
        return unmet("is of an old login: \"auth_time\" was " +
                     seconds_text(age) + " ago, more than \"max_age\"");
    }

    return Done{};
}

// IDT-15.
Result<Done> check_auth_time(const Case &token)
{
    auto auth_time = date_at(token.claims, "auth_time");
    if (!auth_time && json::has(token.claims, "auth_time")) {
        return forged("is malformed: \"auth_time\" is not a date");
    }

    auto max_age = token.expected.max_age;
    if (!max_age) {
        return Done{};
    }

    if (!auth_time) {
        return unmet("does not say when the user logged in: \"auth_time\" "
                     "is missing, though \"max_age\" was sent");
    }

    return check_login_age(token, *auth_time, *max_age);
}

// IDT-16: whoever asks for a stronger login wants one, and no other.
Result<Done> check_acr(const Case &token)
{
    if (token.expected.acr_values.empty()) {
        return Done{};
    }

    auto acr = json::string_at(token.claims, "acr");
    auto accepted = text::words(token.expected.acr_values);
    if (!acr || std::ranges::find(accepted, *acr) == accepted.end()) {
        return unmet("is of a weaker login: \"acr\" is \"" +
                     text::for_log(acr.value_or(""), 80) +
                     "\", which \"acr_values\" did not ask for");
    }

    return Done{};
}

std::string digest_for(Algorithm algorithm, std::string_view data)
{
    switch (algorithm) {
    case Algorithm::rs384:
    case Algorithm::ps384:
    case Algorithm::es384:
    case Algorithm::hs384:
        return crypto::sha384(data);
    case Algorithm::rs512:
    case Algorithm::ps512:
    case Algorithm::es512:
    case Algorithm::hs512:
    case Algorithm::eddsa: // Ed25519 signs with SHA-512 within
        return crypto::sha512(data);
    default:
        return crypto::sha256(data);
    }
}

// The left half of the hash (OIDC Core 3.1.3.6).
Result<Done> check_hash(const Case &token, std::string_view name,
                        std::string_view of)
{
    if (!json::has(token.claims, name)) {
        return Done{};
    }

    auto digest = digest_for(token.jws.alg, of);
    auto half = std::string_view{digest}.substr(0, digest.size() / 2);
    auto claim = json::string_at(token.claims, name);
    if (!claim || !equal_in_constant_time(*claim, base64url::encode(half))) {
        return forged("does not belong to this answer: \"" + std::string{name} +
                      "\" does not fit");
    }

    return Done{};
}

// IDT-13, IDT-14.
Result<Done> check_hashes(const Case &token)
{
    auto of_token = check_hash(token, "at_hash", token.expected.access_token);
    if (!of_token) {
        return of_token;
    }

    return check_hash(token, "c_hash", token.expected.code);
}

// A session that the provider names must be findable by that name later.
Result<Done> check_sid(const Case &token)
{
    const json_t *sid = json::member(token.claims, "sid");
    if (sid == nullptr || json_is_null(sid)) {
        return Done{};
    }

    bool is_empty = json_is_string(sid) && json::view(sid).empty();
    if (!is_empty && !is_name(token.claims, "sid")) {
        return forged("is malformed: \"sid\" must be at most 255 ASCII "
                      "characters");
    }

    return Done{};
}

Error another(std::string_view name)
{
    return forged("is not of the session's login: \"" + std::string{name} +
                  "\" is another one");
}

// RT-3 (OIDC Core, 12.2): it may say less than the login's, but nothing else.
Result<Done> check_earlier(const Case &token)
{
    const auto &earlier = token.expected.earlier;
    if (!earlier) {
        return Done{};
    }

    if (json::string_at(token.claims, "sub") != earlier->sub) {
        return another("sub");
    }

    if (json::has(token.claims, "nonce") &&
        json::string_at(token.claims, "nonce") != earlier->nonce) {
        return another("nonce");
    }

    auto auth_time = date_at(token.claims, "auth_time");
    if (auth_time && !earlier->auth_time.empty() &&
        std::to_string(to_number(*auth_time)) != earlier->auth_time) {
        return another("auth_time");
    }

    if (!earlier->azp.empty() &&
        json::string_at(token.claims, "azp") != earlier->azp) {
        return another("azp");
    }

    return Done{};
}

} // namespace
} // namespace bff::oidc
