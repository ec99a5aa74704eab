// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// From a refresh token to a session with new tokens (RT-*).
//
//   metadata, keys -> token endpoint -+-> no ID token ---------+-> new session
//                                     |                        |
//                                     +-> signature -> claims -+
//
// Only two things end the session: the provider says invalid_grant, or what
// it sends is about somebody else. The keys are had before the refresh token
// is used: it may be good for one use only.

#include "core/flow/refresh_flow.hpp"

#include "core/base/text.hpp"
#include "core/flow/new_session.hpp"
#include "core/flow/problem.hpp"
#include "core/flow/revocation.hpp"
#include "core/oidc/id_token.hpp"
#include "core/oidc/token_request.hpp"
#include "core/session/session_codec.hpp"

namespace bff::flow {
namespace {

std::string of_provider(const Visit &visit);

} // namespace

Step RefreshFlow::begin(const Visit &visit)
{
    const auto &session = *visit.found.session;
    if (session.is_brief) {
        return kept(visit, {Code::unavailable, "its details are not known"});
    }

    auto details = session::unpack_details(session.packed_details);
    if (!details || details->refresh_token.empty()) {
        return over(visit, "it has no refresh token");
    }
    details_ = std::move(*details);

    return ask(visit);
}

Step RefreshFlow::resume(const Visit &visit, const Answer &answer)
{
    switch (stage_) {
    case Stage::metadata:
        return visit.provider.metadata ? ask(visit)
                                       : kept(visit, why_missing(answer));
    case Stage::keys:
        return visit.provider.keys ? ask(visit)
                                   : kept(visit, why_missing(answer));
    case Stage::token:
        return take_tokens(visit, answer);
    case Stage::signature:
        return take_verdict(visit, signature_->resume(visit, answer));
    }

    return Pass{};
}

Step RefreshFlow::ask(const Visit &visit)
{
    if (!visit.provider.metadata) {
        stage_ = Stage::metadata;
        return fetch_metadata(visit);
    }

    if (visit.provider.needs_keys()) {
        stage_ = Stage::keys;
        return Fetch{visit.provider.request_for(oidc::Document::keys),
                     Once::keys};
    }

    auto request =
        oidc::token_request(oidc::RefreshGrant{details_.refresh_token.reveal()},
                            *visit.provider.metadata, *visit.party.client,
                            {visit.now, visit.entropy});
    if (!request) {
        return kept(visit, request.error());
    }

    stage_ = Stage::token;
    return Fetch{std::move(*request)};
}

// RT-6.
Step RefreshFlow::take_tokens(const Visit &visit, const Answer &answer)
{
    if (!answer) {
        return kept(visit, answer.error());
    }

    auto tokens = oidc::TokenResponse::parse_refreshed(*answer);
    if (!tokens && tokens.error().code == Code::refused) {
        return over(visit, "the provider refused the refresh token: " +
                               tokens.error().detail);
    }
    if (!tokens) {
        return kept(visit, tokens.error());
    }
    tokens_ = std::move(*tokens);
    tokens_came_ = visit.now;

    return tokens_->id_token.empty()
               ? renewed(visit, renewed_session(visit, details_,
                                                {*tokens_, tokens_came_}))
               : read_id_token(visit);
}

// RT-3.
Step RefreshFlow::read_id_token(const Visit &visit)
{
    auto jws = oidc::Jws::parse(tokens_->id_token.reveal(),
                                visit.party.client->id_token_algs);
    if (!jws) {
        return over(visit, jws.error().detail);
    }
    signature_.emplace(std::move(*jws), "the ID token");

    stage_ = Stage::signature;
    return take_verdict(visit, signature_->begin(visit));
}

Step RefreshFlow::take_verdict(const Visit &visit,
                               SignatureCheck::Outcome outcome)
{
    if (auto *fetch = std::get_if<Fetch>(&outcome)) {
        return std::move(*fetch);
    }

    if (auto *error = std::get_if<Error>(&outcome)) {
        return error->code == Code::forged && !signature_->is_doubtful()
                   ? over(visit, error->detail)
                   : take_unverified(visit);
    }

    auto id_token = check_claims(visit);
    if (!id_token) {
        return over(visit, id_token.error().detail);
    }

    return renewed(
        visit,
        renewed_session(visit, details_, {*tokens_, tokens_came_, &*id_token}));
}

// The keys cannot be had now, and the old refresh token is used up. The tokens
// came from the provider itself, so they are taken as if no ID token had come
// along (RT-2); one that is about somebody else ends the session all the same.
Step RefreshFlow::take_unverified(const Visit &visit)
{
    auto id_token = check_claims(visit);
    if (!id_token) {
        return over(visit, id_token.error().detail);
    }

    auto reply = renewed(
        visit, renewed_session(visit, details_, {*tokens_, tokens_came_}));
    reply.report = {Report::Level::warn, reply.report.text +
                                             ", without the ID token that came "
                                             "along: its key cannot be had"};
    return reply;
}

Result<oidc::IdToken> RefreshFlow::check_claims(const Visit &visit) const
{
    oidc::Expectations expected{};
    expected.access_token = tokens_->access_token.reveal();
    expected.earlier = {details_.sub, details_.nonce, details_.auth_time,
                        details_.azp};

    return oidc::check_id_token(signature_->jws(), *visit.party.client,
                                expected, visit.now);
}

Reply RefreshFlow::renewed(const Visit &visit, session::Session session)
{
    // a new ID token may have brought another sid
    if (session::is_revoked(*visit.found.session, visit.revocations) ||
        session::is_revoked(session, visit.revocations)) {
        return ended_meanwhile(visit, session);
    }

    Reply reply;
    reply.change = session::Save{std::move(session)};
    reply.action = Action::refresh;
    reply.report = {Report::Level::info, "tokens renewed" + of_provider(visit)};

    return reply;
}

// A logout came first: nobody may use these tokens, so they go back.
Reply RefreshFlow::ended_meanwhile(const Visit &visit,
                                   const session::Session &session)
{
    Reply reply;
    reply.change = session::Forget{};
    reply.action = Action::refresh;
    reply.error = code_of(Problem::session_revoked);
    reply.report = {Report::Level::info,
                    "session ended during its refresh" + of_provider(visit)};

    auto errand = revocation(visit, session);
    if (errand) {
        reply.errand = std::move(*errand);
    } else {
        reply.report = {Report::Level::warn,
                        reply.report.text + ": " + errand.error().detail};
    }
    return reply;
}

// A token that is not due goes with every request that has the cookie, and
// nobody would look what became of it.
Reply RefreshFlow::over(const Visit &visit, std::string_view why)
{
    const auto &session = *visit.found.session;
    if (session.has_live_token(visit.now) &&
        !session.is_due(visit.party.client->refresh_before, visit.now)) {
        visit.revocations.add(session::end_of(session, visit.moment()));
    }

    Reply reply;
    reply.change = session::Forget{};
    reply.action = Action::refresh;
    reply.error = code_of(Problem::session_expired);
    reply.report = {Report::Level::warn,
                    "session ended at its refresh: " + std::string{why} +
                        of_provider(visit)};

    return reply;
}

Reply RefreshFlow::kept(const Visit &visit, const Error &error)
{
    failure_ = error;

    Reply reply;
    reply.action = Action::refresh;
    reply.error = code_of(error.code == Code::unsupported
                              ? Problem::provider_misconfigured
                              : Problem::provider_unavailable);
    reply.report = {Report::Level::error,
                    "tokens not renewed: " + text::for_log(error.detail, 400) +
                        of_provider(visit)};

    return reply;
}

namespace {

std::string of_provider(const Visit &visit)
{
    return ", provider: \"" + visit.party.client->name + '"';
}

} // namespace

} // namespace bff::flow
