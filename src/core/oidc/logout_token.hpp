// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The claim checks of a logout token (OpenID Connect Back-Channel Logout 2.6;
// LT-2 to LT-8).
//
// Takes a token whose signature is good; says no to everything that is not
// the provider's wish, of this moment, that sessions of this client end.

#pragma once

#include <string>

#include "core/base/instant.hpp"
#include "core/base/result.hpp"
#include "core/oidc/client_settings.hpp"
#include "core/oidc/jws.hpp"

namespace bff::oidc {

struct LogoutToken {
    std::string sid; // "" when it names none; never both empty
    std::string sub; // likewise
    std::string jti; // whether it came before is for the caller to know
    Instant expires; // by `exp`, clock_skew not added
};

// Errors: forged, saying which check failed.
Result<LogoutToken> check_logout_token(const Jws &verified,
                                       const ClientSettings &client,
                                       Instant now);

} // namespace bff::oidc
