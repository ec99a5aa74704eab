// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The URL that ends the session at the provider (RP-Initiated Logout 2).

#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/oidc/client_settings.hpp"
#include "core/oidc/metadata.hpp"

namespace bff::oidc {

struct EndSession {
    std::string_view id_token_hint; // "" to leave it out
    std::string_view post_logout_redirect_uri;
    std::string_view state; // "" to leave it out
};

// Name and value, in order.
using Parameters = std::vector<std::pair<std::string, std::string>>;
Parameters end_session_parameters(const EndSession &request,
                                  const ClientSettings &client);

// "" when the provider has no end_session_endpoint (RIL-4).
std::string end_session_url(const EndSession &request, const Metadata &metadata,
                            const ClientSettings &client);

} // namespace bff::oidc
