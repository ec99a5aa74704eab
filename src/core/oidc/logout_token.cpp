// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The claim checks of a logout token (OpenID Connect Back-Channel Logout 2.6;
// LT-2 to LT-8).
//
// It is signed with the keys and for the audience of ID tokens, so what tells
// the two apart is checked first: neither may ever pass for the other (LT-12).

#include "core/oidc/logout_token.hpp"

#include "core/base/text.hpp"
#include "core/oidc/jwt_claims.hpp"

namespace bff::oidc {
namespace {

constexpr std::string_view kEvent =
    "http://schemas.openid.net/event/backchannel-logout";

// What every check may look at.
struct Case {
    const Jws &jws;
    TokenCase common;

    const json_t *claims() const { return common.claims; }
};

Result<Done> check_type(const Case &token);
Result<Done> check_event(const Case &token);
Result<Done> check_nonce(const Case &token);
Result<Done> check_common(const Case &token);
Result<Done> check_names(const Case &token);
Result<Done> check_id(const Case &token);
Error forged(std::string_view detail);

} // namespace

Result<LogoutToken> check_logout_token(const Jws &verified,
                                       const ClientSettings &client,
                                       Instant now)
{
    auto claims = json::parse_object(verified.payload);
    if (!claims) {
        return forged("its claims: " + std::move(claims).error().detail);
    }

    Case token{verified, {"logout token", claims->get(), client, now}};
    constexpr Result<Done> (*checks[])(const Case &) = {
        check_type,   check_event, check_nonce,
        check_common, check_names, check_id,
    };

    for (auto check : checks) {
        auto done = check(token);
        if (!done) {
            return std::move(done).error();
        }
    }

    auto text = [&](std::string_view name) {
        return std::string{json::string_at(token.claims(), name).value_or("")};
    };
    return LogoutToken{text("sid"), text("sub"), text("jti"),
                       *date_at(token.claims(), "exp")};
}

namespace {

Error forged(std::string_view detail)
{
    return Error{Code::forged, "logout token " + std::string{detail}};
}

// LT-3: most providers send none, or what every JWT may have.
Result<Done> check_type(const Case &token)
{
    if (!token.jws.typ) {
        return Done{};
    }

    constexpr std::string_view prefix = "application/";
    auto typ = text::lower(*token.jws.typ);
    auto kind = std::string_view{typ};
    if (kind.starts_with(prefix)) {
        kind.remove_prefix(prefix.size());
    }

    if (kind != "jwt" && kind != "logout+jwt") {
        return forged("is of another kind: \"typ\" is \"" +
                      text::for_log(*token.jws.typ, 40) + "\"");
    }

    return Done{};
}

// LT-5.
Result<Done> check_event(const Case &token)
{
    const auto *events = json::object_at(token.claims(), "events");

    if (events == nullptr || json::object_at(events, kEvent) == nullptr) {
        return forged("is of another kind: \"events\" does not have the "
                      "logout event");
    }

    return Done{};
}

// LT-6, LT-12: of an ID token that somebody has given "events".
Result<Done> check_nonce(const Case &token)
{
    if (json::has(token.claims(), "nonce")) {
        return forged("is of another kind: it has a \"nonce\" like an ID "
                      "token");
    }

    return Done{};
}

// LT-4: as in ID tokens.
Result<Done> check_common(const Case &token)
{
    auto issuer = check_issuer(token.common);
    if (!issuer) {
        return issuer;
    }

    auto audiences = check_audience(token.common);
    if (!audiences) {
        return std::move(audiences).error();
    }

    return check_times(token.common);
}

// LT-7.
Result<Done> check_names(const Case &token)
{
    bool has_name = false;

    for (std::string_view name : {"sub", "sid"}) {
        if (!json::has(token.claims(), name)) {
            continue;
        }
        if (!is_name(token.claims(), name)) {
            return forged("is malformed: \"" + std::string{name} +
                          "\" must be 1 to 255 ASCII characters");
        }
        has_name = true;
    }

    return has_name ? Result<Done>{Done{}}
                    : forged("does not say whose sessions end: it has neither "
                             "\"sub\" nor \"sid\"");
}

// LT-8.
Result<Done> check_id(const Case &token)
{
    auto jti = json::string_at(token.claims(), "jti");

    return jti && !jti->empty()
               ? Result<Done>{Done{}}
               : forged("has no name of its own: \"jti\" is missing");
}

} // namespace
} // namespace bff::oidc
