// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Every error that a person or a page may see, in one table: code, status,
// words. As problem+json for pages' calls, as a small HTML page for people.

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/base/instant.hpp"
#include "core/flow/step.hpp"
#include "core/web/request_view.hpp"

namespace bff::flow {

enum class Problem {
    no_session,
    session_expired,
    session_revoked,
    csrf,
    forbidden,
    bad_return_url,
    bad_request,
    login_expired,
    state_mismatch,
    issuer_mismatch,
    login_refused,
    code_rejected,
    id_token_invalid,
    userinfo_invalid,
    provider_misconfigured,
    provider_unavailable,
    store_unavailable,
};

std::string_view code_of(Problem problem); // "no_session", ...
int status_of(Problem problem);

struct ProblemDetails {
    int status = 0;                       // 0: the problem's own; 404, 405, 413
    std::string_view sentence = {};       // instead of the problem's own
    std::string_view login_url = {};      // a fresh login; 401: in the header
    std::string_view provider_error = {}; // login_refused: printable, bounded
    std::optional<Seconds> retry_after = {}; // provider_*
    std::string_view allow = {};             // 405
    Report report = {};
};

// A page for navigations, with its JSON twin, else JSON (RFC 9457).
// Cache-Control: no-store, and for HTML a strict CSP; nothing unescaped.
// The report's text gets the request id appended, so that what the person
// sees leads to the log line.
Reply problem_reply(Problem problem, const web::RequestView &request,
                    ProblemDetails details);

} // namespace bff::flow
