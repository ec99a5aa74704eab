// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The URL that the browser is sent to for a login (OIDC Core 3.1.2.1).
//
// Always the code flow, always nonce and state, PKCE unless it is off
// (BFF-2, BCP-2).

#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/oidc/client_settings.hpp"
#include "core/oidc/metadata.hpp"

namespace bff::oidc {

struct AuthorizationRequest {
    std::string_view redirect_uri;
    std::string_view state;
    std::string_view nonce;
    std::string_view code_verifier; // "" when PKCE is off
    ResponseMode response_mode = ResponseMode::query;
    std::string_view extra_args; // a query string of the operator's
    // What the page passed; only names in client.login_args are used.
    std::vector<std::pair<std::string, std::string>> login_args;
};

// Nothing in extra_args or login_args can replace or repeat a parameter that
// the protocol sets: such names are left out.
std::string authorization_url(const AuthorizationRequest &request,
                              const Metadata &metadata,
                              const ClientSettings &client);

} // namespace bff::oidc
