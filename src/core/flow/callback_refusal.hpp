// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What a callback that goes wrong is answered: one good sentence for the log,
// a code for the page, and for people a way to try again (CB-4, CB-9).

#pragma once

#include <string_view>

#include "core/flow/problem.hpp"
#include "core/flow/story.hpp"
#include "core/oidc/authorization_response.hpp"
#include "core/session/login_attempt.hpp"

namespace bff::flow {

struct Refusal {
    Problem problem;
    std::string_view why; // for the log
    std::string_view return_path = "/";
    std::string_view sentence = {}; // instead of the problem's own
};
Reply refuse(const Visit &visit, const Refusal &refusal);

// The parameters are none of an authorization response.
Reply refuse_malformed(const Visit &visit, std::string_view parameters,
                       const Error &error);

// No login of this browser waits for this answer.
Reply not_found(const Visit &visit, const oidc::AuthorizationResponse &response,
                const Error &error);

// One did, but it is over.
Reply already_used(const Visit &visit, const session::LoginAttempt &attempt);

// The provider answered with an error.
Reply refused_by(const Visit &visit,
                 const oidc::AuthorizationResponse &response,
                 std::string_view return_path);

} // namespace bff::flow
