// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What a callback that goes wrong is answered.
//
// Nothing here starts a login by itself: it might fail the same way, again
// and again (CB-4).

#include "core/flow/callback_refusal.hpp"

#include <algorithm>

#include "core/flow/visitor.hpp"
#include "core/session/cookie_style.hpp"
#include "core/web/query.hpp"

namespace bff::flow {
namespace {

constexpr size_t kMostStateOctets = 128; // CB-2

constexpr std::string_view kNoCookie =
    "This browser did not send the cookie that belongs to it. If cookies are "
    "blocked, please allow them for this site; if it was begun in another "
    "browser or long ago, please sign in again.";

// What a second look is told of the first, which did find a cookie, or not.
constexpr std::string_view kUsedBefore = "login_used";
constexpr std::string_view kNotFound = "login_expired";

Problem problem_of(std::string_view parameters);
bool has_our_cookies(const Visit &visit);
Reply looked_at_again(const Visit &visit, Reply refusal, std::string_view why,
                      std::string_view state);

Report::Level level_of(Problem problem);
Report::Level level_of(std::string_view provider_error);

} // namespace

Reply refuse(const Visit &visit, const Refusal &refusal)
{
    auto problem = refusal.problem;
    auto again = login_url(visit, refusal.return_path);
    std::string text =
        status_of(problem) >= 500 ? "login failed: " : "login refused: ";
    text += refusal.why;
    text += ", provider: \"" + visit.party.client->name + '"';

    return problem_reply(problem, visit.request,
                         {.sentence = refusal.sentence,
                          .login_url = again,
                          .report = {level_of(problem), std::move(text)}});
}

Reply refuse_malformed(const Visit &visit, std::string_view parameters,
                       const Error &error)
{
    return refuse(visit, {problem_of(parameters), error.detail});
}

Reply not_found(const Visit &visit, const oidc::AuthorizationResponse &response,
                const Error &error)
{
    const auto &[client, style, keys] = visit.party;
    if (!session::is_our_state(response.state, style, keys)) {
        return refuse(visit, {Problem::state_mismatch,
                              "state is not one that was given out here"});
    }

    Refusal refusal{Problem::login_expired, error.detail};
    if (!has_our_cookies(visit) && response.error != kUsedBefore) {
        refusal.sentence = kNoCookie;
    }

    return looked_at_again(visit, refuse(visit, refusal), kNotFound,
                           response.state);
}

Reply already_used(const Visit &visit, const session::LoginAttempt &attempt)
{
    auto reply = refuse(visit, {Problem::login_expired,
                                "this answer was used before; a callback "
                                "works once",
                                attempt.return_path});

    return looked_at_again(visit, std::move(reply), kUsedBefore, attempt.state);
}

Reply refused_by(const Visit &visit,
                 const oidc::AuthorizationResponse &response,
                 std::string_view return_path)
{
    auto text = "login refused by provider \"" + visit.party.client->name +
                "\": " + response.error;
    if (!response.error_description.empty()) {
        text += " (" + response.error_description + ')';
    }

    auto again = login_url(visit, return_path);
    return problem_reply(
        Problem::login_refused, visit.request,
        {.login_url = again,
         .provider_error = response.error,
         .report = {level_of(response.error), std::move(text)}});
}

namespace {

// A good form whose state cannot be one of ours, or no good form at all.
Problem problem_of(std::string_view parameters)
{
    auto form = web::Query::parse(parameters);
    if (!form) {
        return Problem::bad_request;
    }

    auto state = form->get("state").value_or("");
    return state.empty() || state.size() > kMostStateOctets
               ? Problem::state_mismatch
               : Problem::bad_request;
}

bool has_our_cookies(const Visit &visit)
{
    auto cookies = web::cookie_pairs(visit.request.cookie);

    return std::ranges::any_of(cookies, [&](const auto &cookie) {
        return session::is_name_of(cookie.first, visit.party.cookies);
    });
}

// The back button and a reload come from the provider's site as the callback
// did, so that a Strict session stays at home. Where the refusal's page leads
// by itself is asked by this site, and may be answered otherwise.
Reply looked_at_again(const Visit &visit, Reply refusal, std::string_view why,
                      std::string_view state)
{
    if (may_hold_back_cookies(visit)) {
        web::FormWriter form;
        form.add("error", why).add("state", state);
        refusal.response.headers.push_back(
            {"Refresh",
             "0; url=" + endpoint_url(visit, "callback") + '?' + form.take()});
        refusal.report.level = Report::Level::info;
    }

    return refusal;
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

} // namespace

} // namespace bff::flow
