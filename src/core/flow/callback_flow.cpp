// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// From ?code=...&state=... to a session.
//
//   message -> login cookie of this state -> issuer -> used once -> code
//     metadata, when nobody has asked yet     |                    |
//                                             +- (RFC 9207)        v
//   session <- claims <- signature <- ID token <- token endpoint --+
//            |              |
//            |              +- keys, once more for an unknown key id
//            +- userinfo, when it is on
//
// Anybody can send a browser here, so what the message says counts only
// together with the sealed cookie, and a login is over after one attempt,
// however it ended.

#include "core/flow/callback_flow.hpp"

#include "core/base/text.hpp"
#include "core/flow/answer.hpp"
#include "core/flow/callback_refusal.hpp"
#include "core/flow/new_session.hpp"
#include "core/flow/silent_login.hpp"
#include "core/flow/visitor.hpp"
#include "core/oidc/token_request.hpp"
#include "core/web/request_kind.hpp"

namespace bff::flow {
namespace {

Reply no_callback(const Visit &visit);
web::HttpResponse told_page(std::string_view path);

} // namespace

Step CallbackFlow::begin(const Visit &visit)
{
    if (web::is_prefetch(visit.request)) {
        return refuse(visit, {Problem::bad_request, "it was a prefetch"});
    }

    auto message = CallbackMessage::read(visit);
    if (!message) {
        return refuse(visit, {Problem::bad_request, message.error().detail});
    }
    message_ = std::move(*message);

    return message_.is_callback ? read_response(visit) : no_callback(visit);
}

Step CallbackFlow::read_response(const Visit &visit)
{
    auto response = oidc::AuthorizationResponse::parse(message_.parameters);
    if (!response) {
        return refuse_malformed(visit, message_.parameters, response.error());
    }
    response_ = std::move(*response);

    const auto &[client, style, keys] = visit.party;
    auto attempt = session::read_login(visit.request.cookie, response_.state,
                                       style, keys, visit.now);
    if (!attempt) {
        return without_attempt(visit, attempt.error());
    }
    if (!message_.fits(attempt->response_mode)) {
        return refuse(visit, {Problem::bad_request,
                              "it came another way than \"response_mode\" "
                              "asked for"});
    }
    attempt_ = std::move(*attempt);

    return check_issuer(visit);
}

Step CallbackFlow::resume(const Visit &visit, const Answer &answer)
{
    switch (stage_) {
    case Stage::metadata:
        return visit.provider.metadata ? check_issuer(visit)
                                       : fail(visit, why_missing(answer));
    case Stage::token:
        return take_tokens(visit, answer);
    case Stage::signature:
        return take_verdict(visit, signature_->resume(visit, answer));
    case Stage::userinfo:
        return take_userinfo(visit, userinfo_->resume(visit, answer));
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

    auto request =
        oidc::token_request({.code = response_.code,
                             .redirect_uri = attempt_->redirect_uri,
                             .code_verifier = attempt_->code_verifier},
                            *visit.provider.metadata, *visit.party.client,
                            {visit.now, visit.entropy});
    if (!request) {
        return fail(visit, Problem::store_unavailable, request.error().detail);
    }

    stage_ = Stage::token;
    is_code_sent_ = true;
    return Fetch{std::move(*request)};
}

Step CallbackFlow::take_tokens(const Visit &visit, const Answer &answer)
{
    if (!answer) {
        return fail(visit, answer.error());
    }

    auto tokens = oidc::TokenResponse::parse(*answer);
    if (!tokens && tokens.error().code == Code::refused) {
        return fail(visit, Problem::code_rejected,
                    "the token endpoint refused the code: " +
                        tokens.error().detail);
    }
    if (!tokens) {
        return fail(visit, tokens.error());
    }
    tokens_ = std::move(*tokens);
    tokens_came_ = visit.now;

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
    signature_.emplace(std::move(*jws), "the ID token");

    stage_ = Stage::signature;
    return take_verdict(visit, signature_->begin(visit));
}

Step CallbackFlow::take_verdict(const Visit &visit,
                                SignatureCheck::Outcome outcome)
{
    if (auto *fetch = std::get_if<Fetch>(&outcome)) {
        return std::move(*fetch);
    }

    if (auto *error = std::get_if<Error>(&outcome)) {
        return error->code == Code::forged
                   ? fail(visit, Problem::id_token_invalid, error->detail)
                   : fail(visit, *error);
    }

    return check_claims(visit);
}

Step CallbackFlow::check_claims(const Visit &visit)
{
    auto id_token =
        oidc::check_id_token(signature_->jws(), *visit.party.client,
                             {.nonce = attempt_->nonce,
                              .access_token = tokens_->access_token.reveal(),
                              .code = response_.code,
                              .max_age = attempt_->max_age,
                              .acr_values = attempt_->acr_values},
                             visit.now);
    if (!id_token) {
        is_wish_unmet_ = id_token.error().code == Code::refused;
        return fail(visit, Problem::id_token_invalid, id_token.error().detail);
    }
    id_token_ = std::move(*id_token);

    if (!visit.party.client->userinfo_at_login) {
        return make_session(visit, nullptr);
    }

    // IDT-18: the first use of the access token, and whose it is is known
    stage_ = Stage::userinfo;
    userinfo_.emplace(tokens_->access_token, id_token_->sub);
    return take_userinfo(visit, userinfo_->begin(visit));
}

Step CallbackFlow::take_userinfo(const Visit &visit,
                                 UserinfoCall::Outcome outcome)
{
    if (auto *fetch = std::get_if<Fetch>(&outcome)) {
        return std::move(*fetch);
    }

    if (auto *error = std::get_if<Error>(&outcome)) {
        return error->code == Code::forged
                   ? fail(visit, Problem::userinfo_invalid, error->detail)
                   : fail(visit, *error);
    }

    return make_session(visit, std::get<json::Value>(outcome).get());
}

Step CallbackFlow::make_session(const Visit &visit, const json_t *userinfo)
{
    auto session = new_session(visit, {*tokens_, tokens_came_, *id_token_,
                                       userinfo, response_.session_state});
    if (!session) {
        return fail(visit, Problem::store_unavailable, session.error().detail);
    }

    return start_session(visit, std::move(*session));
}

Step CallbackFlow::start_session(const Visit &visit, session::Session session)
{
    const auto &[client, style, keys] = visit.party;

    const auto &path = attempt_->return_path;

    bool is_strict = style.same_site == web::SameSite::strict;
    auto reply =
        landed(path, is_strict ? refresh_answer(path, "You are signed in")
                               : redirected(path));
    add_cookie(reply.response, session::clear_login(attempt_->state, style));
    reply.change = session::Save{std::move(session)};
    reply.report = {Report::Level::info,
                    "session started for provider \"" + client->name + '"'};

    return reply;
}

// A page that took the callback goes on by itself.
Reply CallbackFlow::landed(std::string_view path,
                           web::HttpResponse answer) const
{
    Reply reply;
    reply.response = message_.by == CallbackMessage::By::page
                         ? told_page(path)
                         : std::move(answer);
    reply.action = Action::callback;

    return reply;
}

web::HttpResponse CallbackFlow::redirected(std::string_view path) const
{
    return redirect(message_.by == CallbackMessage::By::form ? 303 : 302, path);
}

Reply CallbackFlow::home() const
{
    return landed("/", redirected("/"));
}

// Somebody reloads the callback and is signed in already (CB-7).
bool CallbackFlow::may_go_home(const Visit &visit) const
{
    return live_session(visit) != nullptr &&
           (message_.by != CallbackMessage::By::query ||
            web::is_navigation(visit.request));
}

Step CallbackFlow::without_attempt(const Visit &visit, const Error &error)
{
    const auto &[client, style, keys] = visit.party;
    bool was_ours = session::is_our_state(response_.state, style, keys);
    if (was_ours && may_go_home(visit)) {
        return home();
    }

    return not_found(visit, response_, error);
}

// CB-4: told as it is, tried again by nobody but the user.
Step CallbackFlow::refused_by_provider(const Visit &visit)
{
    return fail(visit, refused_by(visit, response_, attempt_->return_path));
}

Step CallbackFlow::used_before(const Visit &visit)
{
    if (may_go_home(visit)) {
        return fail(visit, home());
    }

    return fail(visit, already_used(visit, *attempt_));
}

Step CallbackFlow::fail(const Visit &visit, Problem problem,
                        std::string_view why)
{
    return fail(visit, refuse(visit, {problem, why, attempt_->return_path}));
}

Step CallbackFlow::fail(const Visit &visit, const Error &error)
{
    return fail(visit,
                provider_problem(visit, error,
                                 login_url(visit, attempt_->return_path)));
}

// CK-22: once the code was sent, nothing that calls itself a session stays;
// but a provider that is away ends no session that lives, and neither does a
// link of somebody else's that asks for more than the provider has.
Step CallbackFlow::fail(const Visit &visit, Reply reply)
{
    if (attempt_->is_silent) {
        reply = told_to_application(std::move(reply), attempt_->return_path,
                                    response_.error);
    }
    add_cookie(reply.response,
               session::clear_login(attempt_->state, visit.party.cookies));
    if (is_wish_unmet_) {
        reply.report.level = Report::Level::warn;
    } else if (is_code_sent_ && !attempt_->is_silent &&
               reply.error != code_of(Problem::provider_unavailable)) {
        reply.change = session::Forget{};
    }

    return reply;
}

namespace {

web::HttpResponse told_page(std::string_view path)
{
    auto value = json::object();
    json::put_boolean(value.get(), "handled", true);
    json::put_boolean(value.get(), "authenticated", true);
    json::put(value.get(), "returnUrl", path);

    return json_answer(200, value.get());
}

// A page may ask about every address that it is opened with.
Reply no_callback(const Visit &visit)
{
    auto value = json::object();
    json::put_boolean(value.get(), "handled", false);
    json::put_boolean(value.get(), "authenticated",
                      live_session(visit) != nullptr);

    Reply reply;
    reply.response = json_answer(200, value.get());
    reply.action = Action::callback;
    return reply;
}

} // namespace

} // namespace bff::flow
