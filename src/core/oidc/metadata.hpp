// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The provider's discovery document, checked against the issuer (DISC-*).
//
// The document only ever adds convenience: PKCE, nonce and the algorithms
// stay as configured whatever it says (DISC-6).

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.hpp"
#include "core/oidc/client_settings.hpp"

namespace bff::oidc {

struct Metadata {
    std::string authorization_endpoint;
    std::string token_endpoint;
    std::string jwks_uri;
    std::string userinfo_endpoint;        // "" when unknown
    std::string end_session_endpoint;     // likewise
    std::string revocation_endpoint;      // likewise
    bool iss_parameter_supported = false; // RFC 9207, 3

    // The body of a 200 answer; endpoints set by hand win. Errors:
    // unsupported (DISC-2: another issuer; DISC-4: endpoints missing or not
    // https; not JSON, too large, too deep, duplicate members).
    static Result<Metadata> parse(std::string_view json,
                                  const ClientSettings &client);

    // When every needed endpoint was set by hand no document is needed:
    // authorization, token, and jwks unless only HS* is accepted.
    static std::optional<Metadata> by_hand(const ClientSettings &client);
};

} // namespace bff::oidc
