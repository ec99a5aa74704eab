// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What came back from the provider by way of the browser (CB-*, ISS-*).

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.hpp"
#include "core/oidc/metadata.hpp"

namespace bff::oidc {

struct AuthorizationResponse {
    std::string state;
    std::optional<std::string> iss;
    std::string code;              // "" with an error
    std::string error;             // "" with a code
    std::string error_description; // bounded, for the log only
    std::string session_state;     // Session Management 1.0, 2; or ""

    // Of a query or a form. Strict: no repeated parameter, a state of at most
    // 128 characters, code or error and not both, no token in the front channel
    // (CB-1, CB-2, CB-5). Errors: refused.
    static Result<AuthorizationResponse> parse(std::string_view form);

    // RFC 9207: ISS-1, ISS-2, ISS-3. Errors: refused.
    Result<Done> check_issuer(std::string_view issuer,
                              bool iss_parameter_supported) const;
};

} // namespace bff::oidc
