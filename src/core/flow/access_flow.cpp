// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Any request to a protected location: pass with the token, log in, or
// refuse.
//
// A live session is not enough: the request must come from our own pages
// before the token goes anywhere (BFF-10). Everything else goes on without a
// token, or not at all.

#include "core/flow/access_flow.hpp"

#include "core/flow/answer.hpp"
#include "core/flow/visitor.hpp"
#include "core/web/request_kind.hpp"

namespace bff::flow {
namespace {

bool is_page(const web::RequestView &request);

// Where login leads back to.
web::ReturnPath asked_for(const web::RequestView &request);

Step bounce(const Visit &visit);

// Login also ends what was no session.
Step with_tidied_cookies(Step step, const Visit &visit);

} // namespace

Step AccessFlow::begin(const Visit &visit)
{
    const auto *session = live_session(visit);
    if (session == nullptr) {
        return without_session(visit);
    }

    auto agreed = check_origin(visit);
    if (!agreed) {
        return csrf_reply(visit, agreed.error());
    }

    return with_session(visit, *session);
}

// RT-7: in the leeway nobody waits, after the token's end there is nothing
// else to do.
Step AccessFlow::with_session(const Visit &visit,
                              const session::Session &session)
{
    bool is_live = session.has_live_token(visit.now);

    // where no token goes upstream, the session is enough
    if (is_live || policy_.authorization == Authorization::off) {
        bool is_due =
            session.is_due(visit.party.client->refresh_before, visit.now);
        return Proceed{is_live ? session.access_token : Secret{}, used(visit),
                       is_due, Who::session};
    }

    return session.has_refresh_token ? Step{fetch_tokens(used(visit))}
                                     : without_session(visit);
}

Step AccessFlow::resume(const Visit &visit, const Answer &answer)
{
    return login_ ? with_tidied_cookies(login_->resume(visit, answer), visit)
                  : after_refresh(visit, answer);
}

// RT-6: a session that is over is none; one that could not be renewed stays.
Step AccessFlow::after_refresh(const Visit &visit, const Answer &answer)
{
    if (!answer && answer.error().code != Code::expired) {
        return not_renewed(visit, answer.error());
    }

    const auto *session = live_session(visit);
    if (!answer || session == nullptr) {
        return without_session(visit);
    }

    // new tokens, however short their life
    return Proceed{session->access_token, used(visit), false, Who::session};
}

Step AccessFlow::without_session(const Visit &visit)
{
    if (policy_.accepts(visit.request, visit.found)) {
        return Proceed{Secret{}, session::Keep{}, false, Who::client};
    }
    if (policy_.lets_anybody_pass()) {
        return Proceed{Secret{}, tidied(visit)};
    }

    // CB-6: a login that nobody asked for would take the place of another
    if (!policy_.sends_to_login(visit.request) ||
        web::is_prefetch(visit.request)) {
        return unauthenticated_reply(visit);
    }

    if (is_page(visit.request) && may_hold_back_cookies(visit)) {
        return bounce(visit);
    }

    login_ = std::make_unique<LoginStart>(LoginWish{asked_for(visit.request)});
    return with_tidied_cookies(login_->begin(visit), visit);
}

namespace {

bool is_page(const web::RequestView &request)
{
    return request.method == "GET" && web::is_navigation(request);
}

web::ReturnPath asked_for(const web::RequestView &request)
{
    // What a form sent cannot be repeated by a redirect, and a script's call
    // is no page; without Sec-Fetch-Mode nobody knows what it was.
    bool is_known = request.sec_fetch_mode.has_value();
    bool is_maybe_page = request.method == "GET" && !is_known;

    return is_maybe_page || is_page(request)
               ? web::ReturnPath::remembered(request.target)
               : web::ReturnPath::home();
}

Step bounce(const Visit &visit)
{
    Reply reply;
    auto path = web::ReturnPath::once_more(visit.request.target);
    reply.response = refresh_answer(path.text(), "One moment");
    reply.action = Action::bounce;

    return reply;
}

Step with_tidied_cookies(Step step, const Visit &visit)
{
    auto *reply = std::get_if<Reply>(&step);
    if (reply != nullptr) {
        reply->change = tidied(visit);
        if (reply->report.text.empty()) {
            reply->report = report_of_forgery(visit);
        }
    }

    return step;
}

} // namespace

} // namespace bff::flow
