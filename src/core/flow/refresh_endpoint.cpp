// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// POST refresh: new tokens now, for a page that wants them before they are
// due.
//
// A session without a refresh token cannot have new ones: the page is told to
// log in, and what there is stays. A page that asks all the time gets what it
// has, so that a loop in it is none at the provider.

#include "core/flow/refresh_endpoint.hpp"

#include "core/flow/answer.hpp"
#include "core/flow/visitor.hpp"

namespace bff::flow {
namespace {

Fetch fetch_new(const Visit &visit);
Reply renewed(const Visit &visit);
Reply told_again(const Visit &visit);

} // namespace

Step RefreshEndpoint::begin(const Visit &visit)
{
    if (auto reply = turned_away(visit)) {
        return std::move(*reply);
    }

    if (!live_session(visit)->has_refresh_token) {
        return unauthenticated_reply(visit);
    }

    // RT-5: others were faster
    return visit.found.is_newer ? Step{renewed(visit)} : Step{fetch_new(visit)};
}

Step RefreshEndpoint::resume(const Visit &visit, const Answer &answer)
{
    if (!answer && answer.error().code == Code::refused) {
        return told_again(visit);
    }

    if (!answer && answer.error().code != Code::expired) {
        return not_renewed(visit, answer.error());
    }

    if (!answer || live_session(visit) == nullptr) {
        return unauthenticated_reply(visit);
    }

    return renewed(visit);
}

namespace {

Fetch fetch_new(const Visit &visit)
{
    bool early = live_session(visit)->has_live_token(visit.now);
    return fetch_tokens(used(visit), early);
}

Reply renewed(const Visit &visit)
{
    Reply reply;
    reply.response = empty_answer(204);
    reply.change = used(visit);
    reply.action = Action::refresh;
    return reply;
}

// They came moments ago. The cookie with them is made anew: who asks may have
// lost it.
Reply told_again(const Visit &visit)
{
    if (live_session(visit) == nullptr) {
        return unauthenticated_reply(visit);
    }

    auto reply = renewed(visit);
    reply.change = session::Rewrite{visit.is_activity};
    return reply;
}

} // namespace

} // namespace bff::flow
