// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Userinfo: the request, and what the answer must be before a claim of it
// counts (OpenID Connect Core 5.3; UI-*).
//
// Unsigned, the answer is only as good as the way it came, and an access
// token of somebody else's would bring somebody else's claims: so without
// the ID token's own subject nothing in it counts (Core 5.3.4).

#include "core/oidc/userinfo.hpp"

#include <algorithm>

#include "core/base/text.hpp"
#include "core/oidc/jwt_claims.hpp"
#include "core/oidc/provider_answer.hpp"

namespace bff::oidc {
namespace {

// Shorter ones are no tokens, and stand in many a word (RFC 6749, 10.10).
constexpr size_t kLeastTokenOctets = 16;

enum class Media { json, jwt };

Error failure(const web::HttpResponse &response, Error error);
Result<Media> media_of(const web::HttpResponse &response);
Result<UserinfoAnswer> read_json(std::string_view body);
Result<UserinfoAnswer> read_jwt(std::string_view body,
                                const ClientSettings &client);

Result<Done> check_own(const json_t *claims,
                       const UserinfoExpectations &expected);
Result<Done> check_signed(const Jws &jws, const json_t *claims,
                          const ClientSettings &client, Instant now);
bool repeats(const json_t *claims, std::string_view token);
Error forged(std::string_view detail);

} // namespace

web::HttpRequest userinfo_request(const Metadata &metadata,
                                  const Secret &access_token)
{
    web::HttpRequest request;
    request.url = metadata.userinfo_endpoint;
    request.headers = {
        {"Authorization", "Bearer " + std::string{access_token.reveal()}},
        {"Accept", "application/json, application/jwt"},
    };

    return request;
}

Result<UserinfoAnswer> read_userinfo(const web::HttpResponse &response,
                                     const ClientSettings &client)
{
    auto body = body_of(response, "userinfo endpoint");
    if (!body) {
        return failure(response, std::move(body).error());
    }

    auto media = media_of(response);
    if (!media) {
        return std::move(media).error();
    }

    return *media == Media::json ? read_json(*body) : read_jwt(*body, client);
}

Result<json::Value> check_userinfo(json::Value claims,
                                   const UserinfoExpectations &expected)
{
    auto own = check_own(claims.get(), expected);
    if (!own) {
        return std::move(own).error();
    }

    return claims;
}

Result<json::Value> check_userinfo(const Jws &verified,
                                   const ClientSettings &client,
                                   const UserinfoExpectations &expected,
                                   Instant now)
{
    auto claims = json::parse_object(verified.payload);
    if (!claims) {
        return forged("has malformed claims: " +
                      std::move(claims).error().detail);
    }

    auto own = check_own(claims->get(), expected);
    if (!own) {
        return std::move(own).error();
    }

    auto good = check_signed(verified, claims->get(), client, now);
    if (!good) {
        return std::move(good).error();
    }

    return claims;
}

namespace {

Error forged(std::string_view detail)
{
    return Error{Code::forged, "userinfo " + std::string{detail}};
}

// RFC 6750, 3.1: one of its words, and nothing else of the header, which may
// say anything.
std::string bearer_error(const web::HttpResponse &response)
{
    auto challenge = response.header("WWW-Authenticate").value_or("");

    for (std::string word :
         {"invalid_request", "invalid_token", "insufficient_scope"}) {
        if (challenge.find("error=\"" + word + '"') != challenge.npos) {
            return " (" + word + ')';
        }
    }

    return "";
}

// What will not pass by itself is a matter of this answer, as a failed check.
Error failure(const web::HttpResponse &response, Error error)
{
    if (error.code == Code::unsupported) {
        error.code = Code::forged;
        error.detail += bearer_error(response);
    }

    return error;
}

// UI-2: exactly one, since with two of them two readers may differ.
Result<Media> media_of(const web::HttpResponse &response)
{
    auto is_type = [](const web::Header &header) {
        return text::equal_ignoring_case(header.name, "Content-Type");
    };
    if (std::ranges::count_if(response.headers, is_type) != 1) {
        return forged("does not say what it is: it must have one "
                      "Content-Type");
    }

    auto value = *response.header("Content-Type");
    auto type = text::trim(value.substr(0, value.find(';')));
    if (text::equal_ignoring_case(type, "application/json")) {
        return Media::json;
    }
    if (text::equal_ignoring_case(type, "application/jwt")) {
        return Media::jwt;
    }

    return forged("is neither application/json nor application/jwt: its "
                  "Content-Type is \"" +
                  text::for_log(type, 80) + '"');
}

Result<UserinfoAnswer> read_json(std::string_view body)
{
    auto claims = json::parse_object(body);
    if (!claims) {
        return forged("is not what its Content-Type says: " +
                      std::move(claims).error().detail);
    }

    return UserinfoAnswer{std::move(*claims)};
}

Result<UserinfoAnswer> read_jwt(std::string_view body,
                                const ClientSettings &client)
{
    // KEY-10: RFC 7516, 9 tells them apart by the number of segments.
    if (std::ranges::count(body, '.') == 4) {
        return forged("is encrypted (JWE), which is not supported; register "
                      "this client for plain or signed userinfo");
    }

    auto jws = Jws::parse(body, client.id_token_algs);
    if (!jws) {
        return forged("is no good JWT: " + std::move(jws).error().detail);
    }

    return UserinfoAnswer{std::move(*jws)};
}

// UI-3. First of all the token, so that no later sentence can tell it.
Result<Done> check_own(const json_t *claims,
                       const UserinfoExpectations &expected)
{
    if (repeats(claims, expected.access_token)) {
        return forged("repeats the access token, which nobody else may see");
    }

    auto sub = json::string_at(claims, "sub");
    if (!sub || sub->empty()) {
        return forged("does not say who it is about: \"sub\" is no string, "
                      "or empty");
    }

    if (*sub != expected.sub) {
        return forged("is about somebody else: its \"sub\" is not the ID "
                      "token's");
    }

    return Done{};
}

Result<Done> check_issuer(const json_t *claims, const ClientSettings &client)
{
    auto iss = json::string_at(claims, "iss");
    if (!iss) {
        return forged("does not say who signed it: \"iss\" is missing");
    }

    if (*iss != client.issuer) {
        return forged("is of another issuer: \"iss\" is \"" +
                      text::for_log(*iss) + '"');
    }

    return Done{};
}

// Others may be meant as well: it is asked for with this client's token.
Result<Done> check_audience(const json_t *claims, const ClientSettings &client)
{
    auto aud = json::strings_at(claims, "aud");
    if (!aud) {
        return forged("does not say whom it is for: \"aud\" is neither a "
                      "string nor an array of strings");
    }

    if (std::ranges::find(*aud, client.client_id) == aud->end()) {
        return forged("is not for this client: \"aud\" does not contain the "
                      "client_id");
    }

    return Done{};
}

// What is there must be right; nothing of it must be there (Core 5.3.2).
Result<Done> check_times(const json_t *claims, Seconds skew, Instant now)
{
    for (auto name : {"exp", "iat", "nbf"}) {
        if (json::has(claims, name) && !date_at(claims, name)) {
            return forged("is malformed: \"" + std::string{name} +
                          "\" is not a date");
        }
    }

    auto exp = date_at(claims, "exp");
    if (exp && now >= *exp + skew) {
        return forged("has expired: see \"exp\"");
    }

    for (auto name : {"iat", "nbf"}) {
        auto date = date_at(claims, name);
        if (date && *date > now + skew) {
            return forged("is from the future: see \"" + std::string{name} +
                          "\", and compare the clocks");
        }
    }

    return Done{};
}

Result<Done> check_signed(const Jws &jws, const json_t *claims,
                          const ClientSettings &client, Instant now)
{
    if (is_of_another_kind(jws)) {
        return forged("is of another kind: its \"typ\" is \"" +
                      text::for_log(*jws.typ, 40) + '"');
    }

    auto issuer = check_issuer(claims, client);
    if (!issuer) {
        return issuer;
    }

    auto audience = check_audience(claims, client);
    if (!audience) {
        return audience;
    }

    return check_times(claims, client.clock_skew, now);
}

// As it would be printed, wherever it stands: claims are shown to pages
// (BFF-21).
bool repeats(const json_t *claims, std::string_view token)
{
    if (token.size() < kLeastTokenOctets) {
        return false;
    }

    auto single = json::array();
    json::append(single.get(),
                 json::Value{json_stringn(token.data(), token.size())});
    auto printed = json::print(single.get()); // ["..."]
    auto inner = std::string_view{printed}.substr(2, printed.size() - 4);

    return json::print(claims).find(inner) != std::string::npos;
}

} // namespace
} // namespace bff::oidc
