// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Begins a login: an attempt, its sealed cookie, the way to the provider.
//
// State, nonce and verifier are fresh for each attempt and go nowhere but
// into its cookie and, as far as the protocol wants it, to the provider
// (BCP-2, BCP-3). What the attempt remembers of the request is read from the
// URL that is sent, whoever asked for it: the page or the operator.

#include "core/flow/login_start.hpp"

#include <algorithm>

#include "core/base/text.hpp"
#include "core/flow/answer.hpp"
#include "core/flow/problem.hpp"
#include "core/flow/silent_login.hpp"
#include "core/oidc/authorization_request.hpp"
#include "core/session/login_attempt.hpp"
#include "core/web/query.hpp"

namespace bff::flow {
namespace {

Result<session::LoginAttempt> new_attempt(const Visit &visit);
std::string authorization_url(const Visit &visit,
                              const session::LoginAttempt &attempt,
                              const LoginWish &wish);
void remember_request(std::string_view url, session::LoginAttempt &attempt);

} // namespace

Step LoginStart::begin(const Visit &visit)
{
    if (!visit.provider.metadata) {
        return fetch_metadata(visit);
    }

    return send_to_provider(visit);
}

Step LoginStart::resume(const Visit &visit, const Answer &answer)
{
    if (!visit.provider.metadata) {
        auto again = login_url(visit, wish_.return_path.text());
        return failed(provider_problem(visit, why_missing(answer), again));
    }

    return send_to_provider(visit);
}

Step LoginStart::send_to_provider(const Visit &visit) const
{
    auto attempt = new_attempt(visit);
    if (!attempt) {
        return not_started(visit, attempt.error());
    }

    auto url = authorization_url(visit, *attempt, wish_);
    attempt->return_path = wish_.return_path.text();
    remember_request(url, *attempt);

    // In a frame, the answer to another site's form can set no Strict cookie:
    // Chromium 156 says SchemefulSameSiteStrict, and the session is gone.
    if (attempt->is_silent &&
        attempt->response_mode != oidc::ResponseMode::query) {
        attempt->response_mode = oidc::ResponseMode::query;
        url = authorization_url(visit, *attempt, wish_);
    }

    const auto &[client, style, keys] = visit.party;
    auto cookie = session::write_login(*attempt, style, keys, visit.entropy);
    if (!cookie) {
        return not_started(visit, cookie.error());
    }

    auto reply = answer_with(url);
    for (const auto &old :
         session::make_room(visit.request.cookie, style, keys, visit.now)) {
        add_cookie(reply.response, old);
    }
    add_cookie(reply.response, *cookie);

    return reply;
}

Reply LoginStart::answer_with(const std::string &url) const
{
    Reply reply;
    reply.action = Action::login;

    if (wish_.answer == LoginWish::Answer::redirect) {
        reply.response = redirect(302, url);
        return reply;
    }

    auto value = json::object();
    json::put(value.get(), "authorization_url", std::string_view{url});
    reply.response = json_answer(200, value.get());
    return reply;
}

// Refused: a Host that is none, which is the client's doing, or a site
// without TLS, which is the operator's. Unsupported: more than a cookie holds.
Reply LoginStart::not_started(const Visit &visit, const Error &error) const
{
    bool is_too_large = error.code == Code::unsupported;
    bool is_request = error.code == Code::refused || is_too_large;
    bool is_client = is_too_large || (is_request && !own_origin(visit));
    auto text = "login not started: " + error.detail + ", provider: \"" +
                visit.party.client->name + '"';

    return failed(problem_reply(
        is_request ? Problem::bad_request : Problem::store_unavailable,
        visit.request,
        {.report = {is_client ? Report::Level::warn : Report::Level::error,
                    std::move(text)}}));
}

Reply LoginStart::failed(Reply refusal) const
{
    auto is_quiet = [](const auto &arg) {
        return arg.first == "prompt" && is_silent(arg.second);
    };

    return std::ranges::any_of(wish_.args, is_quiet)
               ? told_to_application(std::move(refusal),
                                     wish_.return_path.text())
               : refusal;
}

namespace {

Result<session::LoginAttempt> new_attempt(const Visit &visit)
{
    auto back = redirect_uri(visit);
    if (!back) {
        return std::move(back).error();
    }

    const auto &[client, style, keys] = visit.party;
    auto state = session::new_state(style, keys, visit.entropy);
    auto nonce = crypto::token(visit.entropy);
    auto verifier = crypto::token(visit.entropy);
    if (!state || !nonce || !verifier) {
        return Error{Code::unavailable, "no random bytes"};
    }

    session::LoginAttempt attempt;
    attempt.state = std::move(*state);
    attempt.nonce = std::move(*nonce);
    if (client->pkce) {
        attempt.code_verifier = std::move(*verifier);
    }
    attempt.redirect_uri = std::move(*back);
    attempt.issuer = client->issuer;
    attempt.started = visit.now;
    attempt.response_mode = client->response_mode;
    return attempt;
}

std::string authorization_url(const Visit &visit,
                              const session::LoginAttempt &attempt,
                              const LoginWish &wish)
{
    oidc::AuthorizationRequest request;
    request.redirect_uri = attempt.redirect_uri;
    request.state = attempt.state;
    request.nonce = attempt.nonce;
    request.code_verifier = attempt.code_verifier;
    request.response_mode = attempt.response_mode;
    request.extra_args = visit.extra_auth_args;
    request.login_args = wish.args;

    return oidc::authorization_url(request, *visit.provider.metadata,
                                   *visit.party.client);
}

// Of one parameter, wherever in the URL's query and however often.
std::vector<std::string> values_of(std::string_view name, std::string_view url)
{
    std::vector<std::string> values;

    auto query = url.substr(std::min(url.find('?') + 1, url.size()));
    for (auto piece : text::split(query, '&')) {
        auto equals = std::min(piece.find('='), piece.size());
        if (piece.substr(0, equals) != name) {
            continue;
        }
        auto value = web::percent_decode(
            piece.substr(std::min(equals + 1, piece.size())), true);
        if (value) {
            values.push_back(std::move(*value));
        }
    }

    return values;
}

// Should one be there twice, the provider may take either: the strictest
// then is right in both cases.
void remember_request(std::string_view url, session::LoginAttempt &attempt)
{
    for (const auto &value : values_of("max_age", url)) {
        auto seconds = text::number(value);
        if (seconds &&
            (!attempt.max_age || Seconds{*seconds} < *attempt.max_age)) {
            attempt.max_age = Seconds{*seconds};
        }
    }

    for (const auto &value : values_of("acr_values", url)) {
        if (attempt.acr_values.empty() && !text::words(value).empty()) {
            attempt.acr_values = value;
        }
    }

    attempt.is_silent =
        std::ranges::any_of(values_of("prompt", url), [](const auto &prompt) {
            return is_silent(prompt);
        });
}

} // namespace

} // namespace bff::flow
