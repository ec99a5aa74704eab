// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Userinfo that counts came with status 200 and the right media type, is about
// the expected subject, never repeats the access token, and, when signed, was
// made by this issuer for this client and this moment. An error is one
// printable line of the right kind, without the token.
//
// Input: one octet that picks the status, the Content-Type up to a newline,
// then the body. A body with a zero octet is signed by the target: members of
// the header (a JSON object), the zero octet, and members that are put over
// good claims, or whatever else stands there as payload.

#include "core/oidc/userinfo.hpp"

#include <algorithm>

#include "core/base/text.hpp"
#include "property.hpp"
#include "support/minted.hpp"

using namespace bff;
using namespace bff::oidc;
using namespace bff::unit;
using fuzz::must;

namespace {

constexpr std::string_view kToken = "opaque-access-token-4711";
constexpr std::string_view kSubject = "alice";

// '0' picks the first one.
constexpr int kStatus[] = {200, 400, 401, 403, 404, 408, 429, 500,
                           502, 503, 301, 204, 201, 206, 999, 0};

const ClientSettings &client()
{
    static const auto shop = [] {
        auto settings = shop_client();
        settings.id_token_algs = {Algorithm::eddsa};
        return settings;
    }();
    return shop;
}

const Jwks &keys()
{
    static const auto set = *Jwks::parse(jwks({ed_key().jwk()}));
    return set;
}

std::string claims_over_good_ones(std::string_view members)
{
    auto claims = json::parse_object(
        R"({"iss":"https://id.example.com","aud":"shop","sub":"alice"})");
    auto more = json::parse_object(members);
    if (!more) {
        return std::string{members};
    }
    json_object_update(claims->get(), more->get());
    return json::print(claims->get());
}

std::string body_of(std::string_view input)
{
    auto zero = input.find('\0');
    if (zero == std::string_view::npos) {
        return std::string{input};
    }

    auto header = input.substr(0, zero);
    return mint(ed_key(), Algorithm::eddsa,
                claims_over_good_ones(input.substr(zero + 1)),
                json::parse_object(header) ? header : "{}");
}

web::HttpResponse response_of(std::string_view input)
{
    auto newline = std::min(input.find('\n'), input.size());

    web::HttpResponse response;
    response.status = kStatus[(input[0] - '0') & 15];
    response.headers = {
        {"Content-Type", std::string{input.substr(1, newline - 1)}}};
    response.body = body_of(input.substr(std::min(newline + 1, input.size())));
    return response;
}

// The token in a Content-Type or a JOSE header is no answer to it.
bool names_token_early(std::string_view input)
{
    auto body = std::min(input.find('\n'), input.size());
    auto zero = input.find('\0', body);

    auto early = input.substr(0, zero == input.npos ? body : zero);
    return early.find(kToken) != early.npos;
}

// A number of seconds, read with Jansson alone; `otherwise` when absent.
double date(const json_t *claims, const char *name, double otherwise)
{
    const json_t *value = json_object_get(claims, name);
    must(value == nullptr || json_is_number(value), "IDT-17: a number");
    return value != nullptr ? json_number_value(value) : otherwise;
}

void check_signed(const Jws &jws, const json_t *claims)
{
    auto now = static_cast<double>(to_number(kNow));
    auto aud = json::strings_at(claims, "aud");

    must(json::string_at(claims, "iss") == kIssuer, "UI-4: iss");
    must(aud && std::ranges::find(*aud, kClientId) != aud->end(), "UI-4: aud");
    must(!jws.typ || !text::lower(*jws.typ).ends_with("+jwt"), "IDT-2: typ");
    must(now < date(claims, "exp", now) + 60, "IDT-8: exp");
    must(date(claims, "iat", now) < now + 61, "IDT-9: iat");
    must(date(claims, "nbf", now) < now + 61, "IDT-10: nbf");
}

void check_accepted(const web::HttpResponse &response, const json_t *claims,
                    std::string_view media)
{
    auto type = text::lower(*response.header("Content-Type"));

    must(response.status == 200, "UI-2: 200");
    must(type.find(media) != std::string::npos, "UI-2: its media type");
    must(json::string_at(claims, "sub") == kSubject, "UI-3: sub");
    must(json::print(claims).find(kToken) == std::string::npos, "BFF-21");
}

void check_error(const Error &error, int status)
{
    bool may_pass =
        (status >= 500 && status < 600) || status == 408 || status == 429;

    must(error.code == (may_pass ? Code::unavailable : Code::forged));
    must(!error.detail.empty() && error.detail.size() < 400);
    must(text::for_log(error.detail, 400) == error.detail,
         "one printable line for the log");
    must(error.detail.find(kToken) == std::string::npos, "CB-9: no token");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto input = fuzz::view(data, size);
    if (input.empty() || names_token_early(input)) {
        return 0;
    }

    auto response = response_of(input);
    auto answer = read_userinfo(response, client());
    if (!answer) {
        check_error(answer.error(), response.status);
        return 0;
    }

    const UserinfoExpectations expected{kSubject, kToken};
    const auto *jws = std::get_if<Jws>(&*answer);
    if (jws != nullptr && verify(*jws, &keys(), Secret{}) != Verdict::good) {
        return 0;
    }

    auto claims =
        jws != nullptr
            ? check_userinfo(*jws, client(), expected, kNow)
            : check_userinfo(std::get<json::Value>(std::move(*answer)),
                             expected);
    if (!claims) {
        check_error(claims.error(), response.status);
        return 0;
    }

    check_accepted(response, claims->get(),
                   jws != nullptr ? "application/jwt" : "application/json");
    if (jws != nullptr) {
        check_signed(*jws, claims->get());
    }

    return 0;
}
