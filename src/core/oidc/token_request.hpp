// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The requests to the token endpoint (RFC 6749, 4.1.3 and 6; RFC 7636, 4.5).

#pragma once

#include <string_view>

#include "core/base/result.hpp"
#include "core/oidc/client_assertion.hpp"
#include "core/oidc/client_settings.hpp"
#include "core/oidc/metadata.hpp"
#include "core/web/http_message.hpp"

namespace bff::oidc {

struct CodeGrant {
    std::string_view code;
    std::string_view redirect_uri;
    std::string_view code_verifier; // "" when PKCE is off
};

// RT-1: no scope, which asks for what was granted.
struct RefreshGrant {
    std::string_view refresh_token;
};

// Errors: as of authenticate().
Result<web::HttpRequest> token_request(const CodeGrant &grant,
                                       const Metadata &metadata,
                                       const ClientSettings &client,
                                       const Occasion &occasion);
Result<web::HttpRequest> token_request(const RefreshGrant &grant,
                                       const Metadata &metadata,
                                       const ClientSettings &client,
                                       const Occasion &occasion);

} // namespace bff::oidc
