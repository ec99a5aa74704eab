// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// GET frontchannel: the provider's logout page shows it in a frame, and a
// session ends (FCL-*).
//
// In a frame of another site a browser keeps Strict and Lax cookies to itself,
// so the session is found by its sid. Nobody proves anything here: whoever
// knows a sid can end its session, and nothing else; made-up ones fill only a
// list of their own.

#include "core/flow/frontchannel_endpoint.hpp"

#include "core/flow/answer.hpp"
#include "core/flow/problem.hpp"
#include "core/flow/visitor.hpp"
#include "core/session/mark.hpp"
#include "core/session/revocations.hpp"
#include "core/web/query.hpp"
#include "core/web/url.hpp"

namespace bff::flow {
namespace {

constexpr size_t kMostSidOctets = 255; // as in ID tokens

// FCL-1: the sid, "" when neither is there. Errors: refused.
Result<std::string> sid_of(const Visit &visit);

// FCL-2: the one whose cookie came along.
Reply end_own_session(const Visit &visit);
Reply end_session(const Visit &visit, std::string_view sid);

Reply nothing_done(const Visit &visit);
Reply done(const Visit &visit);
Reply done_here(const Visit &visit);

std::string frame_ancestors(const Visit &visit);

} // namespace

Step FrontchannelEndpoint::begin(const Visit &visit)
{
    auto sid = sid_of(visit);
    if (!sid) {
        return problem_reply(
            Problem::bad_request, visit.request,
            {.report = {Report::Level::warn,
                        "front-channel logout refused for provider \"" +
                            visit.party.client->name +
                            "\": " + sid.error().detail}});
    }

    return sid->empty() ? end_own_session(visit) : end_session(visit, *sid);
}

Step FrontchannelEndpoint::resume(const Visit &visit, const Answer &)
{
    return begin(visit); // it never asks the provider
}

namespace {

Result<std::string> sid_of(const Visit &visit)
{
    auto query = web::Query::parse(visit.request.query);
    if (!query) {
        return std::move(query).error();
    }

    auto iss = query->get("iss");
    auto sid = query->get("sid");
    if (!iss && !sid) {
        return std::string{};
    }

    if (!iss || !sid) {
        return Error{Code::refused,
                     "\"iss\" and \"sid\" come together or not at all"};
    }
    if (*iss != visit.party.client->issuer) {
        return Error{Code::refused, "\"iss\" is another issuer"};
    }
    if (sid->empty() || sid->size() > kMostSidOctets) {
        return Error{Code::refused, "\"sid\" is none"};
    }

    return std::string{*sid};
}

// RIL-1: with SameSite=None any site could.
Reply end_own_session(const Visit &visit)
{
    const auto *session = live_session(visit);
    if (session == nullptr || visit.request.sec_fetch_site == "cross-site") {
        return nothing_done(visit);
    }

    visit.revocations.add(session::revocation_of(*session, visit.moment()));
    return done_here(visit);
}

Reply end_session(const Visit &visit, std::string_view sid)
{
    const auto &client = *visit.party.client;
    auto revocation = session::revocation_of(
        client.issuer, sid, "", visit.moment(), client.session_timeout);

    const auto *session = live_session(visit);
    if (session == nullptr) {
        visit.revocations.add_unproven(revocation);
        return done(visit);
    }

    if (session->sid_mark != session::mark(client.issuer, "sid", sid)) {
        return nothing_done(visit);
    }

    visit.revocations.add(revocation);
    return done_here(visit);
}

Reply nothing_done(const Visit &visit)
{
    Reply reply;
    reply.response = empty_answer(200);
    reply.response.headers.push_back(
        {"Content-Security-Policy",
         "default-src 'none'; frame-ancestors " + frame_ancestors(visit)});
    reply.action = Action::frontchannel;

    return reply;
}

Reply done(const Visit &visit)
{
    auto reply = nothing_done(visit);
    reply.report = {Report::Level::info, "front-channel logout by provider \"" +
                                             visit.party.client->name + '"'};

    return reply;
}

// In the browser that has come; what any site can ask for clears nothing.
Reply done_here(const Visit &visit)
{
    auto reply = done(visit);
    clear_cache(reply.response);
    reply.change = session::Forget{};

    return reply;
}

// FCL-3: the provider's pages may have another host than its issuer.
std::string frame_ancestors(const Visit &visit)
{
    std::string ancestors;
    const auto &metadata = visit.provider.metadata;
    auto end_session = metadata ? metadata->end_session_endpoint : "";

    for (const auto &text : {visit.party.client->issuer, end_session}) {
        auto url = web::Url::parse(text);
        if (url && ancestors.find(url->origin()) == std::string::npos) {
            ancestors += (ancestors.empty() ? "" : " ") + url->origin();
        }
    }

    return ancestors;
}

} // namespace

} // namespace bff::flow
