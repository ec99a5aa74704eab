// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// POST refresh: new tokens now, for a page that wants them before they are
// due.
//
// A session without a refresh token cannot have new ones: the page is told to
// log in, and what there is stays.

#include "core/flow/refresh_endpoint.hpp"

#include "core/flow/answer.hpp"
#include "core/flow/visitor.hpp"

namespace bff::flow {
namespace {

Reply renewed(const Visit &visit);

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
    return visit.found.is_newer ? Step{renewed(visit)}
                                : Step{fetch_tokens(used(visit))};
}

Step RefreshEndpoint::resume(const Visit &visit, const Answer &answer)
{
    if (!answer && answer.error().code != Code::expired) {
        return not_renewed(visit, answer.error());
    }

    if (!answer || live_session(visit) == nullptr) {
        return unauthenticated_reply(visit);
    }

    return renewed(visit);
}

namespace {

Reply renewed(const Visit &visit)
{
    Reply reply;
    reply.response = empty_answer(204);
    reply.change = used(visit);
    reply.action = Action::refresh;
    return reply;
}

} // namespace

} // namespace bff::flow
