// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// From ?code=...&state=... to a session.
//
// The order is the defence (CB-1): everything that costs nothing is checked
// before anything goes to the provider, the code is redeemed once, and no
// claim is believed before signature and checks.

#pragma once

#include <optional>
#include <string_view>

#include "core/flow/callback_message.hpp"
#include "core/flow/problem.hpp"
#include "core/flow/signature_check.hpp"
#include "core/flow/story.hpp"
#include "core/flow/userinfo_call.hpp"
#include "core/oidc/authorization_response.hpp"
#include "core/oidc/id_token.hpp"
#include "core/oidc/token_response.hpp"
#include "core/session/login_attempt.hpp"

namespace bff::flow {

class CallbackFlow final : public Story {
public:
    Step begin(const Visit &visit) override;
    Step resume(const Visit &visit, const Answer &answer) override;

private:
    enum class Stage { metadata, token, signature, userinfo };

    Step read_response(const Visit &visit);
    Step check_issuer(const Visit &visit);
    Step use_response(const Visit &visit);
    Step take_tokens(const Visit &visit, const Answer &answer);
    Step read_id_token(const Visit &visit);
    Step take_verdict(const Visit &visit, SignatureCheck::Outcome outcome);
    Step check_claims(const Visit &visit);
    Step take_userinfo(const Visit &visit, UserinfoCall::Outcome outcome);
    Step make_session(const Visit &visit, const json_t *userinfo);
    Step start_session(const Visit &visit, session::Session session);

    Step without_attempt(const Visit &visit, const Error &error);
    Step refused_by_provider(const Visit &visit);
    Step used_before(const Visit &visit);

    bool may_go_home(const Visit &visit) const;
    Reply home() const;
    Reply landed(std::string_view path, web::HttpResponse answer) const;
    web::HttpResponse redirected(std::string_view path) const;
    Step fail(const Visit &visit, Problem problem, std::string_view why);
    Step fail(const Visit &visit, const Error &error); // the provider's
    Step fail(const Visit &visit, Reply reply);

    Stage stage_ = Stage::metadata;
    bool is_code_sent_ = false;
    bool is_wish_unmet_ = false; // max_age, acr_values: of the request itself
    CallbackMessage message_;
    oidc::AuthorizationResponse response_;
    std::optional<session::LoginAttempt> attempt_;
    std::optional<oidc::TokenResponse> tokens_;
    Instant tokens_came_;
    std::optional<SignatureCheck> signature_;
    std::optional<oidc::IdToken> id_token_;
    std::optional<UserinfoCall> userinfo_;
};

} // namespace bff::flow
