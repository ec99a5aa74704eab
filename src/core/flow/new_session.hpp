// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What is remembered of a login that has passed every check, and of tokens
// that were renewed later.

#pragma once

#include "core/flow/story.hpp"
#include "core/oidc/id_token.hpp"
#include "core/oidc/token_response.hpp"
#include "core/session/session.hpp"

namespace bff::flow {

// What the provider told, all of it checked.
struct Told {
    const oidc::TokenResponse &tokens;
    Instant tokens_came;
    const oidc::IdToken &id_token;
    const json_t *userinfo; // null: it was not asked
    std::string_view session_state;
};

// Errors: unavailable (no random bytes).
Result<session::Session> new_session(const Visit &visit, const Told &told);

struct Renewed {
    const oidc::TokenResponse &tokens;
    Instant tokens_came;
    const oidc::IdToken *id_token = nullptr; // null: none came
};

// The visit's session with its new tokens; `details` are what it had. What
// did not come anew stays (RT-2, RT-4).
session::Session renewed_session(const Visit &visit,
                                 const session::Details &details,
                                 const Renewed &renewed);

} // namespace bff::flow
