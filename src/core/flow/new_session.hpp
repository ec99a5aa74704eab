// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What is remembered of a login that has passed every check.

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

} // namespace bff::flow
