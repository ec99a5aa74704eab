// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What is remembered of a login that has passed every check.
//
// Of claims only those that the operator wants: the session travels with each
// request.

#include "core/flow/new_session.hpp"

#include "core/oidc/jwt_claims.hpp"
#include "core/session/mark.hpp"
#include "core/session/session_codec.hpp"

namespace bff::flow {
namespace {

constexpr size_t kSessionIdOctets = 16;

session::Details details_of(const Told &told,
                            const oidc::ClientSettings &client);
void keep_bounds(session::Details &details, const json_t *claims);
std::string kept_claims(const Told &told, const oidc::ClientSettings &client);

} // namespace

Result<session::Session> new_session(const Visit &visit, const Told &told)
{
    const auto &tokens = told.tokens;
    const auto &client = *visit.party.client;
    auto id = visit.entropy.bytes(kSessionIdOctets);
    if (!id) {
        return std::move(id).error();
    }

    session::Session session;
    session.id = std::move(*id);
    session.has_refresh_token = !tokens.refresh_token.empty();
    session.sid_mark = session::mark(client.issuer, "sid", told.id_token.sid);
    session.sub_mark = session::mark(client.issuer, "sub", told.id_token.sub);
    session.created = visit.now;
    session.expires = visit.now + client.session_timeout;
    session.active = visit.now;
    if (tokens.expires_in) {
        session.access_token_expires = told.tokens_came + *tokens.expires_in;
    }
    session.access_token = tokens.access_token;
    session.packed_details = session::pack_details(details_of(told, client));
    return session;
}

namespace {

session::Details details_of(const Told &told,
                            const oidc::ClientSettings &client)
{
    session::Details details;
    if (client.logout_token_hint) {
        details.id_token = told.tokens.id_token;
    }
    details.refresh_token = told.tokens.refresh_token;
    details.token_type = told.tokens.token_type;
    details.scope = told.tokens.scope;
    details.sub = told.id_token.sub;
    details.sid = told.id_token.sid;
    details.session_state = told.session_state;
    details.claims = kept_claims(told, client);
    keep_bounds(details, told.id_token.claims.get());

    return details;
}

// RT-3: what an ID token that comes with new tokens is compared with.
void keep_bounds(session::Details &details, const json_t *claims)
{
    details.nonce = json::string_at(claims, "nonce").value_or("");
    details.azp = json::string_at(claims, "azp").value_or("");
    if (auto auth_time = oidc::date_at(claims, "auth_time")) {
        details.auth_time = std::to_string(to_number(*auth_time));
    }
}

// What is in both is taken from the one that is signed for this login.
std::string kept_claims(const Told &told, const oidc::ClientSettings &client)
{
    auto kept = json::object();

    for (const auto &name : client.session_claims) {
        const auto *claim = json::member(told.id_token.claims.get(), name);
        if (claim == nullptr) {
            claim = json::member(told.userinfo, name);
        }
        if (claim != nullptr) {
            json::put(kept.get(), name, json::Value{json_deep_copy(claim)});
        }
    }

    return json::print(kept.get());
}

} // namespace

} // namespace bff::flow
