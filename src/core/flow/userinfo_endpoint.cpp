// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// GET userinfo: what the provider says now about who is logged in (BFF-29).
//
// The session's access token goes to the provider, and nothing but claims
// comes back (BFF-21). Whatever the provider answers, the session stays as it
// is: an API may take a token that this endpoint does not.

#include "core/flow/userinfo_endpoint.hpp"

#include "core/flow/answer.hpp"
#include "core/flow/problem.hpp"
#include "core/flow/visitor.hpp"
#include "core/session/session_codec.hpp"

namespace bff::flow {
namespace {

Step answer_of(const Visit &visit, UserinfoCall::Outcome outcome);
Reply refusal(const Visit &visit, const Error &error);

} // namespace

Step UserinfoEndpoint::begin(const Visit &visit)
{
    if (auto reply = turned_away(visit)) {
        return std::move(*reply);
    }

    const auto *session = live_session(visit);
    if (session->has_live_token(visit.now)) {
        return ask(visit);
    }

    return session->has_refresh_token ? Step{fetch_tokens(used(visit))}
                                      : unauthenticated_reply(visit);
}

Step UserinfoEndpoint::resume(const Visit &visit, const Answer &answer)
{
    if (call_) {
        return answer_of(visit, call_->resume(visit, answer));
    }

    if (!answer && answer.error().code != Code::expired) {
        return not_renewed(visit, answer.error());
    }

    return ask(visit);
}

Step UserinfoEndpoint::ask(const Visit &visit)
{
    const auto *session = live_session(visit);
    if (session == nullptr) {
        return unauthenticated_reply(visit);
    }

    auto details = session::unpack_details(session->packed_details);
    if (!details) {
        return unauthenticated_reply(visit);
    }

    call_.emplace(session->access_token, std::move(details->sub));
    return answer_of(visit, call_->begin(visit));
}

namespace {

Step answer_of(const Visit &visit, UserinfoCall::Outcome outcome)
{
    if (auto *fetch = std::get_if<Fetch>(&outcome)) {
        return std::move(*fetch);
    }

    if (auto *error = std::get_if<Error>(&outcome)) {
        return refusal(visit, *error);
    }

    Reply reply;
    reply.response = json_answer(200, std::get<json::Value>(outcome).get());
    reply.change = used(visit);
    reply.action = Action::userinfo;

    return reply;
}

Reply refusal(const Visit &visit, const Error &error)
{
    if (error.code != Code::forged) {
        return provider_problem(visit, error);
    }

    return problem_reply(
        Problem::userinfo_invalid, visit.request,
        {.report = {Report::Level::error, error.detail + ", provider: \"" +
                                              visit.party.client->name + '"'}});
}

} // namespace

} // namespace bff::flow
