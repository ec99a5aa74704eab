// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Takes a session's refresh token back at the provider, when the browser has
// its answer already (REV-*).
//
// Whatever comes of it, the session is over here; a token that may still be
// alive is worth a line in the log, and no second attempt.

#include "core/flow/revocation.hpp"

#include "core/base/text.hpp"
#include "core/oidc/revocation.hpp"
#include "core/session/session_codec.hpp"

namespace bff::flow {
namespace {

constexpr Seconds kWithin{2}; // REV-2

Report report_of(const std::string &provider,
                 const Result<web::HttpResponse> &answer);

} // namespace

Result<std::optional<Errand>> revocation(const Visit &visit,
                                         const session::Session &session)
{
    const auto &client = *visit.party.client;
    const auto &metadata = visit.provider.metadata;
    if (!client.revoke || !session.has_refresh_token || !metadata ||
        metadata->revocation_endpoint.empty()) {
        return std::optional<Errand>{};
    }

    auto details = session::unpack_details(session.packed_details);
    if (!details) {
        return std::move(details).error();
    }

    auto request = oidc::revocation_request(details->refresh_token, *metadata,
                                            client, {visit.now, visit.entropy});
    if (!request) {
        return std::move(request).error();
    }

    return std::optional{Errand{std::move(*request), kWithin,
                                [provider = client.name](const auto &answer) {
                                    return report_of(provider, answer);
                                }}};
}

namespace {

Report report_of(const std::string &provider,
                 const Result<web::HttpResponse> &answer)
{
    auto done = oidc::read_revocation(answer);
    if (done) {
        return {Report::Level::info,
                "refresh token revoked at provider \"" + provider + '"'};
    }

    return {Report::Level::warn, "refresh token not revoked at provider \"" +
                                     provider + "\", it may still be alive: " +
                                     text::for_log(done.error().detail, 400)};
}

} // namespace

} // namespace bff::flow
