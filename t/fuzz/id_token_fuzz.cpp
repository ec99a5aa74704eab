// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// An accepted token is of this issuer, for this client, of this login and of
// this moment, whatever else it says. The target signs what it is given, so
// that the signature is never what refuses it.
//
// Input: claims; or members of the header (a JSON object), a zero octet, and
// members that are put over good claims.

#include "core/oidc/id_token.hpp"

#include <algorithm>

#include "core/base/text.hpp"
#include "property.hpp"
#include "support/minted.hpp"

using namespace bff;
using namespace bff::oidc;
using namespace bff::unit;
using fuzz::must;

namespace {

constexpr Seconds kSkew{60};
constexpr Seconds kMaxAge{300};

const ClientSettings &client()
{
    static const auto shop = [] {
        auto settings = shop_client();
        settings.trusted_audiences = {"api"};
        return settings;
    }();
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
                json::parse_object(members) ? claims_with(members)
                                            : std::string{members},
                json::parse_object(header) ? header : "{}");
}

// A number of seconds, read with Jansson alone.
double date(const json_t *claims, const char *name)
{
    const json_t *value = json_object_get(claims, name);
    must(json_is_number(value), "IDT-17: a number");
    return json_number_value(value);
}

void check_audience(const json_t *claims)
{
    const json_t *aud = json_object_get(claims, "aud");
    const json_t *azp = json_object_get(claims, "azp");
    must(azp == nullptr || json::view(azp) == kClientId, "IDT-7: azp");

    if (!json_is_array(aud)) {
        must(json::view(aud) == kClientId, "IDT-5: aud");
        return;
    }

    bool ours = false;
    for (size_t i = 0; i < json_array_size(aud); i++) {
        auto audience = json::view(json_array_get(aud, i));
        ours = ours || audience == kClientId;
        must(audience == kClientId || audience == "api", "IDT-6: trusted");
    }
    must(ours, "IDT-5: aud");
    must(json_array_size(aud) == 1 || azp != nullptr, "IDT-7: azp");
}

void check_times(const json_t *claims)
{
    auto now = static_cast<double>(to_number(kNow));
    auto skew = static_cast<double>(kSkew.count());

    must(now < date(claims, "exp") + skew, "IDT-8: exp");
    must(date(claims, "iat") < now + skew + 1, "IDT-9: iat");
    must(date(claims, "iat") >= now - 600 - skew, "IDT-9: iat");
    must(date(claims, "auth_time") >=
             now - static_cast<double>(kMaxAge.count()) - skew,
         "IDT-15: auth_time");
    if (json_object_get(claims, "nbf") != nullptr) {
        must(date(claims, "nbf") < now + skew + 1, "IDT-10: nbf");
    }
}

void check_accepted(const IdToken &token, const Jws &jws)
{
    const json_t *claims = token.claims.get();

    must(json::string_at(claims, "iss") == kIssuer, "IDT-3: iss");
    must(json::string_at(claims, "nonce") == kNonce, "IDT-12: nonce");
    must(json::string_at(claims, "sub") == token.sub, "IDT-4: sub");
    must(!token.sub.empty() && token.sub.size() <= 255, "IDT-4: sub");
    must(text::for_log(token.sub, 255) == token.sub, "IDT-4: sub");
    must(text::for_log(token.sid, 255) == token.sid, "sid");
    must(!json::has(claims, "events"), "LT-12: events");
    must(!jws.typ || !text::lower(*jws.typ).ends_with("+jwt"), "IDT-2: typ");
    must(!json::has(claims, "at_hash") && !json::has(claims, "c_hash"),
         "IDT-13: nobody guesses the hash of a token");
    check_audience(claims);
    check_times(claims);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto jws =
        Jws::parse(minted(fuzz::view(data, size)), client().id_token_algs);
    must(!jws, "KEY-1: EdDSA is not configured here");

    jws = Jws::parse(minted(fuzz::view(data, size)), {Algorithm::eddsa});
    if (!jws) {
        return 0;
    }

    auto token = check_id_token(*jws, client(),
                                {.nonce = kNonce,
                                 .access_token = "SlAV32hkKG",
                                 .code = "SplxlOBeZQQYbYS6WxSbIA",
                                 .max_age = kMaxAge,
                                 .acr_values = {}},
                                kNow);
    if (token) {
        check_accepted(*token, *jws);
        return 0;
    }

    must(token.error().code == Code::forged ||
         token.error().code == Code::refused);
    must(token.error().detail.size() < 400, "a short line for the log");
    must(text::for_log(token.error().detail, 400) == token.error().detail,
         "one printable line for the log");

    return 0;
}
