// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// From a refresh token to a session with new tokens.
//
// Told for the worker, not for a request: whoever asked may have left.

#pragma once

#include <optional>

#include "core/flow/signature_check.hpp"
#include "core/flow/story.hpp"
#include "core/oidc/id_token.hpp"
#include "core/oidc/token_response.hpp"

namespace bff::flow {

// Its reply is for nobody's eyes: `change` says what becomes of the session
// and `error` why, "" when it has new tokens. Keep: another time perhaps.
class RefreshFlow final : public Story {
public:
    Step begin(const Visit &visit) override;
    Step resume(const Visit &visit, const Answer &answer) override;

    // Of a reply that keeps the session: why, and when the provider may be
    // asked again.
    const std::optional<Error> &failure() const { return failure_; }

private:
    enum class Stage { metadata, keys, token, signature };

    Step ask(const Visit &visit);
    Step take_tokens(const Visit &visit, const Answer &answer);
    Step read_id_token(const Visit &visit);
    Step take_verdict(const Visit &visit, SignatureCheck::Outcome outcome);
    Result<oidc::IdToken> check_claims(const Visit &visit) const;
    Step take_unverified(const Visit &visit);

    Reply renewed(const Visit &visit, session::Session session);
    Reply ended_meanwhile(const Visit &visit, const session::Session &session);
    Reply over(const Visit &visit, std::string_view why);
    Reply kept(const Visit &visit, const Error &error);

    Stage stage_ = Stage::metadata;
    session::Details details_;
    std::optional<oidc::TokenResponse> tokens_;
    Instant tokens_came_;
    std::optional<SignatureCheck> signature_;
    std::optional<Error> failure_;
};

} // namespace bff::flow
