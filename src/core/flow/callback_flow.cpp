// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// From ?code=...&state=... to a session.
//
//   query -> login cookie of this state -> issuer -> used once -> code
//     metadata, when nobody has asked yet     |                    |
//                                             +- (RFC 9207)        v
//   session <- claims <- signature <- ID token <- token endpoint --+
//                           |
//                           +- keys, once more for an unknown key id
//
// Anybody can send a browser here, so what is in the query counts only
// together with the sealed cookie, and a login is over after one attempt,
// however it ended.

#include "core/flow/callback_flow.hpp"

#include <algorithm>

#include "core/base/text.hpp"
#include "core/flow/answer.hpp"
#include "core/flow/visitor.hpp"
#include "core/oidc/id_token.hpp"
#include "core/oidc/token_request.hpp"
#include "core/session/session_codec.hpp"
#include "core/web/query.hpp"
#include "core/web/request_kind.hpp"

namespace bff::flow {
namespace {

constexpr size_t kSessionIdOctets = 16;
constexpr size_t kMostStateOctets = 128;        // CB-2
constexpr size_t kMostSessionStateOctets = 512; // Session Management 1.0, 2

// Nothing was found that belongs to this answer, so nothing changes.
Reply refuse(const Visit &visit, Problem problem, std::string_view why);
Problem malformed(std::string_view query);
Step without_attempt(const Visit &visit, std::string_view state,
                     const Error &error);

// Somebody reloads the callback and is signed in already (CB-7).
bool may_go_home(const Visit &visit);
Reply home();

Report::Level level_of(Problem problem);
Report::Level level_of(std::string_view provider_error);

Result<session::Session> new_session(const Visit &visit,
                                     const oidc::TokenResponse &tokens,
                                     const oidc::IdToken &id_token);
std::string kept_claims(const oidc::IdToken &id_token,
                        const oidc::ClientSettings &client);
std::string session_state(std::string_view query);

} // namespace

Step CallbackFlow::begin(const Visit &visit)
{
    if (web::is_prefetch(visit.request)) {
        return refuse(visit, Problem::bad_request, "it was a prefetch");
    }

    auto response = oidc::AuthorizationResponse::parse(visit.request.query);
    if (!response) {
        return refuse(visit, malformed(visit.request.query),
                      response.error().detail);
    }
    response_ = std::move(*response);

    const auto &[client, style, keys] = visit.party;
    auto attempt = session::read_login(visit.request.cookie, response_.state,
                                       style, keys, visit.now);
    if (!attempt) {
        return without_attempt(visit, response_.state, attempt.error());
    }
    attempt_ = std::move(*attempt);

    return check_issuer(visit);
}

Step CallbackFlow::resume(const Visit &visit, const Answer &answer)
{
    switch (stage_) {
    case Stage::metadata:
        return visit.provider.metadata
                   ? check_issuer(visit)
                   : fail(visit, provider_problem(visit, why_missing(answer)));
    case Stage::token:
        return take_tokens(visit, answer);
    case Stage::keys:
        return visit.provider.keys
                   ? check_signature(visit)
                   : fail(visit, provider_problem(visit, why_missing(answer)));
    case Stage::renewed_keys:
        return take_renewed_keys(visit, answer);
    }

    return Pass{};
}

// ISS-*, first with what is known: a wrong iss needs no metadata.
Step CallbackFlow::check_issuer(const Visit &visit)
{
    const auto &issuer = visit.party.client->issuer;
    const auto &metadata = visit.provider.metadata;

    if (attempt_->issuer != issuer) {
        return fail(visit, Problem::issuer_mismatch,
                    "it was begun at another issuer, \"" +
                        text::for_log(attempt_->issuer) + '"');
    }

    auto agreed = response_.check_issuer(
        issuer, metadata && metadata->iss_parameter_supported);
    if (!agreed) {
        return fail(visit, Problem::issuer_mismatch, agreed.error().detail);
    }

    if (!metadata) {
        stage_ = Stage::metadata;
        return fetch_metadata(visit);
    }

    return use_response(visit);
}

// From here on this login is over, also for who kept its cookie (BCP-6).
Step CallbackFlow::use_response(const Visit &visit)
{
    auto until = attempt_->started + session::kLoginLifetime;
    if (!visit.used_logins.claim(attempt_->state, until)) {
        return used_before(visit);
    }

    if (!response_.error.empty()) {
        return refused_by_provider(visit);
    }

    stage_ = Stage::token;
    is_code_sent_ = true;
    return Fetch{oidc::token_request({.code = response_.code,
                                      .redirect_uri = attempt_->redirect_uri,
                                      .code_verifier = attempt_->code_verifier},
                                     *visit.provider.metadata,
                                     *visit.party.client)};
}

Step CallbackFlow::take_tokens(const Visit &visit, const Answer &answer)
{
    if (!answer) {
        return fail(visit, provider_problem(visit, answer.error()));
    }

    auto tokens = oidc::TokenResponse::parse(*answer);
    if (!tokens && tokens.error().code == Code::refused) {
        return fail(visit, Problem::code_rejected,
                    "the token endpoint refused the code: " +
                        tokens.error().detail);
    }
    if (!tokens) {
        return fail(visit, provider_problem(visit, tokens.error()));
    }
    tokens_ = std::move(*tokens);

    return read_id_token(visit);
}

Step CallbackFlow::read_id_token(const Visit &visit)
{
    if (tokens_->id_token.empty()) {
        return fail(visit, Problem::id_token_invalid,
                    "the token response has no ID token");
    }

    auto jws = oidc::Jws::parse(tokens_->id_token.reveal(),
                                visit.party.client->id_token_algs);
    if (!jws) {
        return fail(visit, Problem::id_token_invalid, jws.error().detail);
    }
    id_token_ = std::move(*jws);

    if (visit.provider.needs_keys()) {
        stage_ = Stage::keys;
        return Fetch{visit.provider.request_for(oidc::Document::keys),
                     Once::keys};
    }

    return check_signature(visit);
}

Step CallbackFlow::check_signature(const Visit &visit)
{
    auto verdict = oidc::verify(*id_token_, visit.provider.keys.get(),
                                visit.party.client->client_secret);

    switch (verdict) {
    case oidc::Verdict::good:
        return check_claims(visit);
    case oidc::Verdict::bad:
        return fail(visit, Problem::id_token_invalid,
                    "the ID token's signature is wrong");
    case oidc::Verdict::unknown_key:
        break;
    }

    if (stage_ == Stage::renewed_keys) {
        return fail(visit, Problem::id_token_invalid,
                    "the ID token is signed with a key that the provider "
                    "does not publish");
    }

    stage_ = Stage::renewed_keys;
    return Fetch{visit.provider.request_for(oidc::Document::keys),
                 Once::renewed_keys};
}

Step CallbackFlow::take_renewed_keys(const Visit &visit, const Answer &answer)
{
    // KEY-7: asked too often, so the keys we have are what counts
    if (answer || answer.error().code == Code::refused) {
        return check_signature(visit);
    }

    return fail(visit, provider_problem(visit, answer.error()));
}

Step CallbackFlow::check_claims(const Visit &visit)
{
    auto id_token =
        oidc::check_id_token(*id_token_, *visit.party.client,
                             {.nonce = attempt_->nonce,
                              .access_token = tokens_->access_token.reveal(),
                              .code = response_.code,
                              .max_age = attempt_->max_age},
                             visit.now);
    if (!id_token) {
        return fail(visit, Problem::id_token_invalid, id_token.error().detail);
    }

    auto session = new_session(visit, *tokens_, *id_token);
    if (!session) {
        return fail(visit, Problem::store_unavailable, session.error().detail);
    }

    return start_session(visit, std::move(*session));
}

Step CallbackFlow::start_session(const Visit &visit, session::Session session)
{
    const auto &[client, style, keys] = visit.party;
    const auto &path = attempt_->return_path;

    Reply reply;
    reply.response = style.same_site == web::SameSite::strict
                         ? refresh_answer(path, "You are signed in")
                         : redirect(302, path);
    add_cookie(reply.response, session::clear_login(attempt_->state, style));
    reply.change = session::Save{std::move(session)};
    reply.action = Action::callback;
    reply.report = {Report::Level::info,
                    "session started for provider \"" + client->name + '"'};

    return reply;
}

// CB-4: told as it is, tried again by nobody but the user.
Step CallbackFlow::refused_by_provider(const Visit &visit)
{
    auto text = "login refused by provider \"" + visit.party.client->name +
                "\": " + response_.error;
    if (!response_.error_description.empty()) {
        text += " (" + response_.error_description + ')';
    }

    auto login_url = endpoint_url(visit, "login");
    return fail(visit, problem_reply(Problem::login_refused, visit.request,
                                     {.login_url = login_url,
                                      .provider_error = response_.error,
                                      .report = {level_of(response_.error),
                                                 std::move(text)}}));
}

Step CallbackFlow::used_before(const Visit &visit)
{
    if (may_go_home(visit)) {
        return fail(visit, home());
    }

    return fail(visit, Problem::login_expired,
                "this answer was used before; a callback works once");
}

Step CallbackFlow::fail(const Visit &visit, Problem problem,
                        std::string_view why)
{
    return fail(visit, refuse(visit, problem, why));
}

// CK-22: once the code was sent, nothing that calls itself a session stays;
// but a provider that is away ends no session that lives.
Step CallbackFlow::fail(const Visit &visit, Reply reply)
{
    add_cookie(reply.response,
               session::clear_login(attempt_->state, visit.party.cookies));
    if (is_code_sent_ &&
        reply.error != code_of(Problem::provider_unavailable)) {
        reply.change = session::Forget{};
    }

    return reply;
}

namespace {

Reply refuse(const Visit &visit, Problem problem, std::string_view why)
{
    auto login_url = endpoint_url(visit, "login");
    std::string text =
        status_of(problem) >= 500 ? "login failed: " : "login refused: ";
    text += why;
    text += ", provider: \"" + visit.party.client->name + '"';

    return problem_reply(problem, visit.request,
                         {.login_url = login_url,
                          .report = {level_of(problem), std::move(text)}});
}

// A good query whose state cannot be one of ours, or no good query at all.
Problem malformed(std::string_view query)
{
    auto parameters = web::Query::parse(query);
    if (!parameters) {
        return Problem::bad_request;
    }

    auto state = parameters->get("state").value_or("");
    return state.empty() || state.size() > kMostStateOctets
               ? Problem::state_mismatch
               : Problem::bad_request;
}

Step without_attempt(const Visit &visit, std::string_view state,
                     const Error &error)
{
    if (may_go_home(visit)) {
        return home();
    }

    const auto &style = visit.party.cookies;
    const auto &cookies = visit.request.cookie;
    auto name = session::login_cookie_name(style, state);
    auto pending = web::cookie_pairs(cookies);
    bool has_others = std::ranges::any_of(pending, [&](const auto &cookie) {
        return session::is_login_cookie_name(cookie.first, style);
    });

    if (has_others && web::find_cookie(cookies, name).times == 0) {
        return refuse(visit, Problem::state_mismatch,
                      "state does not match any pending login of this "
                      "browser");
    }

    return refuse(visit, Problem::login_expired, error.detail);
}

bool may_go_home(const Visit &visit)
{
    return live_session(visit) != nullptr && web::is_navigation(visit.request);
}

Reply home()
{
    Reply reply;
    reply.response = redirect(302, "/");
    reply.action = Action::callback;

    return reply;
}

// What the provider did is the operator's business, what came with the
// browser somebody else's.
Report::Level level_of(Problem problem)
{
    return status_of(problem) >= 500 ? Report::Level::error
                                     : Report::Level::warn;
}

// The user's own decision is no fault of anybody (OIDC Core 3.1.2.6).
Report::Level level_of(std::string_view provider_error)
{
    return provider_error == "access_denied" ||
                   provider_error.ends_with("_required")
               ? Report::Level::info
               : Report::Level::error;
}

Result<session::Session> new_session(const Visit &visit,
                                     const oidc::TokenResponse &tokens,
                                     const oidc::IdToken &id_token)
{
    const auto &client = *visit.party.client;
    auto id = visit.entropy.bytes(kSessionIdOctets);
    if (!id) {
        return std::move(id).error();
    }

    session::Details details;
    if (client.logout_token_hint) {
        details.id_token = tokens.id_token;
    }
    details.refresh_token = tokens.refresh_token;
    details.token_type = tokens.token_type;
    details.scope = tokens.scope;
    details.sub = id_token.sub;
    details.sid = id_token.sid;
    details.session_state = session_state(visit.request.query);
    details.claims = kept_claims(id_token, client);

    session::Session session;
    session.id = std::move(*id);
    session.created = visit.now;
    session.expires = visit.now + client.session_timeout;
    if (tokens.expires_in) {
        session.access_token_expires = visit.now + *tokens.expires_in;
    }
    session.access_token = tokens.access_token;
    session.packed_details = session::pack_details(details);
    return session;
}

std::string kept_claims(const oidc::IdToken &id_token,
                        const oidc::ClientSettings &client)
{
    auto kept = json::object();

    for (const auto &name : client.session_claims) {
        const auto *claim = json::member(id_token.claims.get(), name);
        if (claim != nullptr) {
            json::put(kept.get(), name, json::Value{json_deep_copy(claim)});
        }
    }

    return json::print(kept.get());
}

// OpenID Connect Session Management 1.0, 2; CB-5: most do not send it.
std::string session_state(std::string_view query)
{
    auto parameters = web::Query::parse(query);
    auto state = parameters ? parameters->get("session_state").value_or("")
                            : std::string_view{};
    bool is_usable =
        state.size() <= kMostSessionStateOctets && text::is_printable(state);

    return std::string{is_usable ? state : ""};
}

} // namespace

} // namespace bff::flow
