// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Who stands at the door: somebody with a session, somebody with the remains
// of one, or nobody we know; and does the request come from our own pages?
//
// The cookies were opened before the story began; the time is looked at once
// more, since whoever opened them may have done so a while ago.

#include "core/flow/visitor.hpp"

#include "core/base/text.hpp"
#include "core/flow/problem.hpp"
#include "core/session/activity.hpp"
#include "core/web/request_kind.hpp"

namespace bff::flow {
namespace {

// Why there is none.
Problem problem_of(const session::Found &found);

} // namespace

const session::Session *live_session(const Visit &visit)
{
    const auto &session = visit.found.session;
    bool is_live = visit.found.state == session::Found::State::active &&
                   session && !session->is_expired(visit.now);

    return is_live ? &*session : nullptr;
}

session::Change tidied(const Visit &visit)
{
    bool is_mixed = visit.found.state == session::Found::State::mixed;
    if (!visit.found.has_cookies() || is_mixed ||
        live_session(visit) != nullptr) {
        return session::Keep{};
    }

    return session::Forget{};
}

session::Change used(const Visit &visit, bool slides)
{
    const auto *session = live_session(visit);
    if (session == nullptr) {
        return tidied(visit);
    }

    bool is_told_anyway = visit.found.is_newer && session->idle;
    if (slides && visit.is_activity &&
        (is_told_anyway || session::is_activity_due(*session, visit.now))) {
        return session::Rewrite{true};
    }
    if (session->has_old_key || session::is_ahead(*session, visit.now)) {
        return session::Rewrite{};
    }

    return session::Keep{};
}

Report report_of_forgery(const Visit &visit)
{
    if (visit.found.state != session::Found::State::forged) {
        return {};
    }

    return {Report::Level::warn,
            "session cookie of provider \"" + visit.party.client->name +
                "\" ignored: it was not sealed here, or was changed"};
}

bool may_hold_back_cookies(const Visit &visit)
{
    return web::is_navigation(visit.request) && !visit.found.has_cookies() &&
           visit.request.sec_fetch_site == "cross-site" &&
           visit.party.cookies.same_site == web::SameSite::strict;
}

Result<Done> check_origin(const Visit &visit)
{
    if (!visit.request.origin) {
        return visit.origins.allows(visit.request, ""); // nothing to compare
    }

    // Without a Host (HTTP/1.0) no Origin is ours, the rest still counts.
    auto own = own_origin(visit);

    return visit.origins.allows(visit.request, own ? *own : "");
}

Reply csrf_reply(const Visit &visit, const Error &why)
{
    return problem_reply(
        Problem::csrf, visit.request,
        {.report = {Report::Level::warn, "request refused as cross-site: " +
                                             text::for_log(why.detail)}});
}

std::optional<Reply> turned_away(const Visit &visit)
{
    bool has_session = live_session(visit) != nullptr;

    // a POST shows where it comes from, whoever sends it
    if (has_session || visit.request.method == "POST") {
        auto agreed = check_origin(visit);
        if (!agreed) {
            return csrf_reply(visit, agreed.error());
        }
    }

    return has_session ? std::nullopt
                       : std::optional{unauthenticated_reply(visit)};
}

Reply not_renewed(const Visit &visit, const Error &error)
{
    auto reply = provider_problem(visit, error);
    reply.change = used(visit);

    return reply;
}

Reply unauthenticated_reply(const Visit &visit)
{
    auto login_url = endpoint_url(visit, "login");
    auto reply = problem_reply(
        problem_of(visit.found), visit.request,
        {.login_url = login_url, .report = report_of_forgery(visit)});
    reply.change = tidied(visit);

    return reply;
}

namespace {

Problem problem_of(const session::Found &found)
{
    using State = session::Found::State;

    switch (found.state) {
    case State::active: // until a moment ago
    case State::expired:
        return Problem::session_expired;
    case State::revoked:
        return Problem::session_revoked;
    default:
        return Problem::no_session;
    }
}

} // namespace

} // namespace bff::flow
