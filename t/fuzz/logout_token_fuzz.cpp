// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// An accepted logout token is of this issuer, for this client and of this
// moment, names a session or a person, and is no ID token. The target signs
// what it is given, so that the signature is never what refuses it.
//
// Input: claims; or members of the header (a JSON object), a zero octet, and
// members that are put over good claims.

#include "core/oidc/logout_token.hpp"

#include "core/base/text.hpp"
#include "core/oidc/id_token.hpp"
#include "property.hpp"
#include "support/minted.hpp"

using namespace bff;
using namespace bff::oidc;
using namespace bff::unit;
using fuzz::must;

namespace {

constexpr auto kEvent = "http://schemas.openid.net/event/backchannel-logout";

const ClientSettings &client()
{
    static const auto shop = shop_client();
    return shop;
}

std::string minted(std::string_view input)
{
    auto zero = input.find('\0');
    if (zero == std::string_view::npos) {
        return mint(ed_key(), Algorithm::eddsa, input);
    }

    auto header = input.substr(0, zero);
    auto members = input.substr(zero + 1);
    return mint(ed_key(), Algorithm::eddsa,
                json::parse_object(members) ? logout_claims_with(members)
                                            : std::string{members},
                json::parse_object(header) ? header : "{}");
}

// A number of seconds, read with Jansson alone.
double date(const json_t *claims, const char *name)
{
    const json_t *value = json_object_get(claims, name);
    must(json_is_number(value), "LT-4: a number");
    return json_number_value(value);
}

void check_names(const LogoutToken &token)
{
    must(!token.sub.empty() || !token.sid.empty(), "LT-7: sub or sid");
    must(text::for_log(token.sub, 255) == token.sub, "LT-7: sub");
    must(text::for_log(token.sid, 255) == token.sid, "LT-7: sid");
    must(!token.jti.empty(), "LT-8: jti");
}

void check_claims(const json_t *claims)
{
    auto now = static_cast<double>(to_number(kNow));
    const json_t *aud = json_object_get(claims, "aud");
    const json_t *events = json_object_get(claims, "events");

    must(json::string_at(claims, "iss") == kIssuer, "LT-4: iss");
    must(json::view(json_is_array(aud) ? json_array_get(aud, 0) : aud) ==
             kClientId,
         "LT-4: aud");
    must(now < date(claims, "exp") + 60, "LT-4: exp");
    must(date(claims, "iat") < now + 61, "LT-4: iat");
    must(date(claims, "iat") >= now - 660, "LT-4: iat");
    must(json_is_object(json_object_get(events, kEvent)), "LT-5: events");
    must(json_object_get(claims, "nonce") == nullptr, "LT-6: nonce");
}

void check_kind(const Jws &jws)
{
    auto typ = text::lower(jws.typ.value_or("jwt"));
    must(typ.ends_with("jwt"), "LT-3: typ");
    must(!typ.ends_with("+jwt") || typ.ends_with("logout+jwt"), "LT-3: typ");

    auto id_token = check_id_token(jws, client(),
                                   {.nonce = kNonce,
                                    .access_token = "SlAV32hkKG",
                                    .code = "SplxlOBeZQQYbYS6WxSbIA",
                                    .max_age = {},
                                    .acr_values = {}},
                                   kNow);
    must(!id_token, "LT-12: never both");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto jws = Jws::parse(minted(fuzz::view(data, size)), {Algorithm::eddsa});
    if (!jws) {
        return 0;
    }

    auto token = check_logout_token(*jws, client(), kNow);
    if (token) {
        auto claims = json::parse_object(jws->payload);
        must(static_cast<bool>(claims), "one JSON object");
        check_names(*token);
        check_claims(claims->get());
        check_kind(*jws);
        return 0;
    }

    must(token.error().code == Code::forged);
    must(token.error().detail.size() < 400, "a short line for the log");
    must(text::for_log(token.error().detail, 400) == token.error().detail,
         "one printable line for the log");

    return 0;
}
