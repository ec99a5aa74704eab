// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The token endpoint's answer: tokens, lifetimes, or a typed OAuth error
// (RFC 6749, 5; CB-8, CB-9).

#pragma once

#include <optional>
#include <string>
#include <variant>

#include "core/base/instant.hpp"
#include "core/base/result.hpp"
#include "core/base/secret.hpp"
#include "core/web/http_message.hpp"

namespace bff::oidc {

struct TokenResponse {
    Secret access_token;
    Secret refresh_token; // empty when there is none
    Secret id_token;      // likewise
    std::string token_type;
    std::string scope;                 // "" when not said
    std::optional<Seconds> expires_in; // absent: unknown

    // 200 with a JSON object: Bearer in any case, a non-empty printable
    // access_token, expires_in as number or numeric string. Errors:
    //   refused      the provider said no: 400 or 401 with an OAuth error
    //                (detail: the error code, bounded and printable), or
    //                another 4xx but 408 and 429
    //   unavailable  5xx, 408, 429
    //   unsupported  an answer that breaks a rule, a redirect among them
    static Result<TokenResponse> parse(const web::HttpResponse &response);

    // The answer to a refresh token (RT-6): refused is invalid_grant alone,
    // which nothing will make good again; any other no is about this client,
    // and unsupported.
    static Result<TokenResponse>
    parse_refreshed(const web::HttpResponse &response);
};

} // namespace bff::oidc
