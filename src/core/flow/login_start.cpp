// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Begins a login: an attempt, its sealed cookie, the way to the provider.
//
// State, nonce and verifier are fresh for each attempt and go nowhere but
// into its cookie and, as far as the protocol wants it, to the provider
// (BCP-2, BCP-3). The page chooses where to return to and little else, and
// both are checked.

#include "core/flow/login_start.hpp"

#include <algorithm>

#include "core/base/text.hpp"
#include "core/flow/answer.hpp"
#include "core/flow/problem.hpp"
#include "core/oidc/authorization_request.hpp"
#include "core/session/login_attempt.hpp"
#include "core/web/query.hpp"
#include "core/web/request_kind.hpp"

namespace bff::flow {
namespace {

Result<session::LoginAttempt> new_attempt(const Visit &visit);
std::string authorization_url(const Visit &visit,
                              const session::LoginAttempt &attempt,
                              LoginStart::Args login_args);

// As it was sent, whoever asked for it: the page or the operator (IDT-15).
std::optional<Seconds> requested_max_age(std::string_view url);

Step go_to(std::string_view url, const session::LoginAttempt &attempt,
           const Visit &visit);
Reply not_started(const Visit &visit, const Error &error);

Result<LoginStart::Args> login_args(const web::Query &query,
                                    const oidc::ClientSettings &client);
Result<web::ReturnPath> return_path(const web::Query &query,
                                    const Visit &visit);
Reply refused(const Visit &visit, Problem problem, std::string_view why);

} // namespace

LoginStart::LoginStart(web::ReturnPath return_path, Args login_args)
    : return_path_{std::move(return_path)}, login_args_{std::move(login_args)}
{
}

Step LoginStart::begin(const Visit &visit)
{
    if (!visit.provider.metadata) {
        return fetch_metadata(visit);
    }

    return redirect_to_provider(visit);
}

Step LoginStart::resume(const Visit &visit, const Answer &answer)
{
    if (!visit.provider.metadata) {
        return provider_problem(visit, why_missing(answer));
    }

    return redirect_to_provider(visit);
}

Step LoginStart::redirect_to_provider(const Visit &visit) const
{
    auto attempt = new_attempt(visit);
    if (!attempt) {
        return not_started(visit, attempt.error());
    }

    auto url = authorization_url(visit, *attempt, login_args_);
    attempt->return_path = return_path_.text();
    attempt->max_age = requested_max_age(url);

    return go_to(url, *attempt, visit);
}

Step LoginEndpoint::begin(const Visit &visit)
{
    if (web::is_prefetch(visit.request)) {
        return refused(visit, Problem::bad_request, "it was a prefetch");
    }

    auto query = web::Query::parse(visit.request.query);
    if (!query) {
        return refused(visit, Problem::bad_request, query.error().detail);
    }

    auto path = return_path(*query, visit);
    if (!path) {
        return refused(visit, Problem::bad_return_url, path.error().detail);
    }

    auto args = login_args(*query, *visit.party.client);
    if (!args) {
        return refused(visit, Problem::bad_request, args.error().detail);
    }

    start_ = std::make_unique<LoginStart>(std::move(*path), std::move(*args));
    return start_->begin(visit);
}

Step LoginEndpoint::resume(const Visit &visit, const Answer &answer)
{
    return start_->resume(visit, answer);
}

namespace {

Result<session::LoginAttempt> new_attempt(const Visit &visit)
{
    auto back = redirect_uri(visit);
    if (!back) {
        return std::move(back).error();
    }

    auto state = crypto::token(visit.entropy);
    auto nonce = crypto::token(visit.entropy);
    auto verifier = crypto::token(visit.entropy);
    if (!state || !nonce || !verifier) {
        return Error{Code::unavailable, "no random bytes"};
    }

    session::LoginAttempt attempt;
    attempt.state = std::move(*state);
    attempt.nonce = std::move(*nonce);
    if (visit.party.client->pkce) {
        attempt.code_verifier = std::move(*verifier);
    }
    attempt.redirect_uri = std::move(*back);
    attempt.issuer = visit.party.client->issuer;
    attempt.started = visit.now;
    return attempt;
}

std::string authorization_url(const Visit &visit,
                              const session::LoginAttempt &attempt,
                              LoginStart::Args login_args)
{
    oidc::AuthorizationRequest request;
    request.redirect_uri = attempt.redirect_uri;
    request.state = attempt.state;
    request.nonce = attempt.nonce;
    request.code_verifier = attempt.code_verifier;
    request.extra_args = visit.extra_auth_args;
    request.login_args = std::move(login_args);

    return oidc::authorization_url(request, *visit.provider.metadata,
                                   *visit.party.client);
}

// Should it be there twice, the provider may take either: the strict one
// then is right in both cases.
std::optional<Seconds> requested_max_age(std::string_view url)
{
    constexpr std::string_view name = "max_age=";
    std::optional<Seconds> least;

    auto query = url.substr(std::min(url.find('?') + 1, url.size()));
    for (auto piece : text::split(query, '&')) {
        auto value = piece.starts_with(name)
                         ? text::number(piece.substr(name.size()))
                         : std::nullopt;
        if (value && (!least || Seconds{*value} < *least)) {
            least = Seconds{*value};
        }
    }

    return least;
}

Step go_to(std::string_view url, const session::LoginAttempt &attempt,
           const Visit &visit)
{
    const auto &[client, style, keys] = visit.party;
    auto cookie = session::write_login(attempt, style, keys, visit.entropy);
    if (!cookie) {
        return not_started(visit, cookie.error());
    }

    Reply reply;
    reply.response = redirect(302, url);
    for (const auto &old :
         session::make_room(visit.request.cookie, style, keys, visit.now)) {
        add_cookie(reply.response, old);
    }
    add_cookie(reply.response, *cookie);
    reply.action = Action::login;

    return reply;
}

// Refused: a Host that is none, which is the client's doing, or a site
// without TLS, which is the operator's.
Reply not_started(const Visit &visit, const Error &error)
{
    bool is_request = error.code == Code::refused;
    bool is_client = is_request && !own_origin(visit);
    auto text = "login not started: " + error.detail + ", provider: \"" +
                visit.party.client->name + '"';

    return problem_reply(
        is_request ? Problem::bad_request : Problem::store_unavailable,
        visit.request,
        {.report = {is_client ? Report::Level::warn : Report::Level::error,
                    std::move(text)}});
}

Result<web::ReturnPath> return_path(const web::Query &query, const Visit &visit)
{
    auto text = query.get("returnUrl");
    if (!text) {
        return web::ReturnPath::home();
    }

    auto own = own_origin(visit);
    return web::ReturnPath::parse(*text, own ? *own : "",
                                  visit.origins.trusted);
}

// What is not in login_args is nobody's business; a max_age that is none
// would leave the login unchecked.
Result<LoginStart::Args> login_args(const web::Query &query,
                                    const oidc::ClientSettings &client)
{
    LoginStart::Args args;

    for (const auto &[name, value] : query.all()) {
        if (std::ranges::find(client.login_args, name) ==
            client.login_args.end()) {
            continue;
        }
        if (name == "max_age" && !text::number(value)) {
            return Error{Code::refused, "\"max_age\" is not a number"};
        }
        args.emplace_back(name, value);
    }

    return args;
}

Reply refused(const Visit &visit, Problem problem, std::string_view why)
{
    return problem_reply(
        problem, visit.request,
        {.report = {Report::Level::warn,
                    "login not started: " + std::string{why}}});
}

} // namespace

} // namespace bff::flow
