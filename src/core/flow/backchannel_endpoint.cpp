// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// POST backchannel: the provider itself ends sessions (LT-*).
//
//   form -> JWS -+-> metadata, keys when nobody has asked yet -+
//                |                                             |
//                +---------------------------------------------+-> claims
//                                                                    |
//                  200 <- revocation <- its jti is a new one <-------+
//
// No browser is here: no cookie is read and none is set. Whether a session
// ends is nobody's business, so the answer to every good token is the same;
// to everything else it is one and the same 400, and the log has the reason.

#include "core/flow/backchannel_endpoint.hpp"

#include "core/base/text.hpp"
#include "core/flow/answer.hpp"
#include "core/flow/problem.hpp"
#include "core/oidc/logout_token.hpp"
#include "core/session/revocations.hpp"
#include "core/web/query.hpp"

namespace bff::flow {
namespace {

// LT-1. Errors: refused, forged.
Result<oidc::Jws> logout_token(const Visit &visit);

// LT-7, LT-8.
Step end_sessions(const Visit &visit, const oidc::Jws &verified);
Report report_of(const Visit &visit, const oidc::LogoutToken &token);

// LT-9.
Reply refused(const Visit &visit, const Error &why);

} // namespace

Step BackchannelEndpoint::begin(const Visit &visit)
{
    auto jws = logout_token(visit);
    if (!jws) {
        return refused(visit, jws.error());
    }
    // KEY-7: anybody can post one, which must not keep a login waiting
    signed_.emplace(std::move(*jws), "the logout token",
                    Once::renewed_keys_for_anybody);

    if (visit.provider.needs_keys() && !visit.provider.metadata) {
        waits_for_metadata_ = true;
        return fetch_metadata(visit);
    }

    return take_verdict(visit, signed_->begin(visit));
}

Step BackchannelEndpoint::resume(const Visit &visit, const Answer &answer)
{
    if (!waits_for_metadata_) {
        return take_verdict(visit, signed_->resume(visit, answer));
    }

    waits_for_metadata_ = false;
    return visit.provider.metadata ? take_verdict(visit, signed_->begin(visit))
                                   : Step{refused(visit, why_missing(answer))};
}

Step BackchannelEndpoint::take_verdict(const Visit &visit,
                                       SignatureCheck::Outcome outcome)
{
    if (auto *fetch = std::get_if<Fetch>(&outcome)) {
        return std::move(*fetch);
    }

    if (auto *error = std::get_if<Error>(&outcome)) {
        return refused(visit, *error);
    }

    return end_sessions(visit, signed_->jws());
}

namespace {

Result<oidc::Jws> logout_token(const Visit &visit)
{
    const auto &request = visit.request;
    if (web::media_type(request.content_type) !=
        "application/x-www-form-urlencoded") {
        return Error{Code::refused, "the body is not a form"};
    }

    auto form = web::Query::parse(request.body);
    if (!form) {
        return std::move(form).error();
    }

    auto token = form->get("logout_token");
    if (!token) {
        return Error{Code::refused, "there is no \"logout_token\""};
    }

    return oidc::Jws::parse(*token, visit.party.client->id_token_algs);
}

Step end_sessions(const Visit &visit, const oidc::Jws &verified)
{
    const auto &client = *visit.party.client;
    auto token = oidc::check_logout_token(verified, client, visit.now);
    if (!token) {
        return refused(visit, token.error());
    }

    auto until = token->expires + client.clock_skew;
    if (!visit.used_tokens.claim(client.issuer, token->jti, until)) {
        return refused(visit, {Code::forged, "logout token came before: its "
                                             "\"jti\" was used"});
    }

    visit.revocations.add(session::revocation_of(client.issuer, token->sid,
                                                 token->sub, visit.moment(),
                                                 client.session_timeout));

    Reply reply;
    reply.response = empty_answer(200);
    reply.action = Action::backchannel;
    reply.report = report_of(visit, *token);
    return reply;
}

Report report_of(const Visit &visit, const oidc::LogoutToken &token)
{
    return {Report::Level::info,
            "provider \"" + visit.party.client->name + "\" ended " +
                (token.sid.empty() ? "all sessions of somebody"
                                   : "a session of its own, and those here "
                                     "that began with it")};
}

Reply refused(const Visit &visit, const Error &why)
{
    bool is_theirs = why.code == Code::refused || why.code == Code::forged;

    auto value = json::object();
    json::put(value.get(), "error", std::string_view{"invalid_request"});

    Reply reply;
    reply.response = json_answer(400, value.get());
    reply.action = Action::reject;
    reply.error = code_of(Problem::bad_request);
    reply.report = {is_theirs ? Report::Level::warn : Report::Level::error,
                    "back-channel logout refused for provider \"" +
                        visit.party.client->name +
                        "\": " + text::for_log(why.detail, 400)};
    return reply;
}

} // namespace

} // namespace bff::flow
