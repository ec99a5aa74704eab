// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What is remembered of a login that has passed every check, and of tokens
// that were renewed later.
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

void put_access_token(session::Session &session,
                      const oidc::TokenResponse &tokens, Instant came);
void mark(session::Session &session, const oidc::ClientSettings &client,
          const oidc::IdToken &id_token);

void put_tokens(session::Details &details, const oidc::TokenResponse &tokens);
void put_id_token(session::Details &details, const Renewed &renewed,
                  const oidc::ClientSettings &client);

session::Details details_of(const Told &told,
                            const oidc::ClientSettings &client);
void keep_bounds(session::Details &details, const json_t *claims);
std::string kept_claims(const json_t *id_token, const json_t *others,
                        const oidc::ClientSettings &client);

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
    mark(session, client, told.id_token);
    session.created = visit.moment();
    session.expires = visit.now + client.session_timeout;
    session.active = visit.now;
    session.idle = client.session_idle_timeout;
    put_access_token(session, tokens, told.tokens_came);
    session.packed_details = session::pack_details(details_of(told, client));
    return session;
}

session::Session renewed_session(const Visit &visit,
                                 const session::Details &details,
                                 const Renewed &renewed)
{
    const auto &client = *visit.party.client;
    auto session = *visit.found.session;
    auto kept = details;

    session.generation++;
    session.access_token_expires.reset();
    put_access_token(session, renewed.tokens, renewed.tokens_came);
    put_tokens(kept, renewed.tokens);
    if (renewed.id_token != nullptr) {
        put_id_token(kept, renewed, client);
        mark(session, client, {kept.sub, kept.sid, {}});
    }
    session.packed_details = session::pack_details(kept);

    return session;
}

namespace {

void put_access_token(session::Session &session,
                      const oidc::TokenResponse &tokens, Instant came)
{
    session.access_token = tokens.access_token;
    if (tokens.expires_in) {
        session.access_token_expires = came + *tokens.expires_in;
    }
}

void mark(session::Session &session, const oidc::ClientSettings &client,
          const oidc::IdToken &id_token)
{
    session.sid_mark = session::mark(client.issuer, "sid", id_token.sid);
    session.sub_mark = session::mark(client.issuer, "sub", id_token.sub);
}

void put_tokens(session::Details &details, const oidc::TokenResponse &tokens)
{
    details.token_type = tokens.token_type;
    if (!tokens.refresh_token.empty()) {
        details.refresh_token = tokens.refresh_token;
    }
    if (!tokens.scope.empty()) {
        details.scope = tokens.scope;
    }
}

// Claims that it does not repeat are still those of the login.
void put_id_token(session::Details &details, const Renewed &renewed,
                  const oidc::ClientSettings &client)
{
    details.id_token =
        client.logout_token_hint ? renewed.tokens.id_token : Secret{};
    if (!renewed.id_token->sid.empty()) {
        details.sid = renewed.id_token->sid;
    }

    auto before = json::parse_object(details.claims, json::kOurs);
    details.claims = kept_claims(renewed.id_token->claims.get(),
                                 before ? before->get() : nullptr, client);
}

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
    details.claims =
        kept_claims(told.id_token.claims.get(), told.userinfo, client);
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
std::string kept_claims(const json_t *id_token, const json_t *others,
                        const oidc::ClientSettings &client)
{
    auto kept = json::object();

    for (const auto &name : client.session_claims) {
        const auto *claim = json::member(id_token, name);
        if (claim == nullptr) {
            claim = json::member(others, name);
        }
        if (claim != nullptr) {
            json::put(kept.get(), name, json::share(claim));
        }
    }

    return json::print(kept.get());
}

} // namespace

} // namespace bff::flow
