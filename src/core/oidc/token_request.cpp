// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The requests to the token endpoint (RFC 6749, 4.1.3 and 6; RFC 7636, 4.5).
//
// Everything secret travels in the body or in Authorization, never in the
// URL, which providers and proxies write to their logs.

#include "core/oidc/token_request.hpp"

#include "core/oidc/client_auth.hpp"
#include "core/web/query.hpp"

namespace bff::oidc {
Result<web::HttpRequest> token_request(const CodeGrant &grant,
                                       const Metadata &metadata,
                                       const ClientSettings &client,
                                       const Occasion &occasion)
{
    web::FormWriter form;
    form.add("grant_type", "authorization_code")
        .add("code", grant.code)
        .add("redirect_uri", grant.redirect_uri);
    if (!grant.code_verifier.empty()) {
        form.add("code_verifier", grant.code_verifier);
    }

    return authenticated_post(metadata.token_endpoint, std::move(form), client,
                              occasion);
}

Result<web::HttpRequest> token_request(const RefreshGrant &grant,
                                       const Metadata &metadata,
                                       const ClientSettings &client,
                                       const Occasion &occasion)
{
    web::FormWriter form;
    form.add("grant_type", "refresh_token")
        .add("refresh_token", grant.refresh_token);

    return authenticated_post(metadata.token_endpoint, std::move(form), client,
                              occasion);
}

} // namespace bff::oidc
