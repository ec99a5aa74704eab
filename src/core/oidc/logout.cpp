// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The URL that ends the session at the provider (RP-Initiated Logout 2).
//
// client_id goes along with the hint, since a provider may have forgotten
// the token; post_logout_redirect_uri exactly as it was registered (RIL-3).

#include "core/oidc/logout.hpp"

#include "core/web/query.hpp"
#include "core/web/url.hpp"

namespace bff::oidc {

std::string end_session_url(const EndSession &request, const Metadata &metadata,
                            const ClientSettings &client)
{
    if (metadata.end_session_endpoint.empty()) {
        return "";
    }

    web::FormWriter form;
    if (!request.id_token_hint.empty()) {
        form.add("id_token_hint", request.id_token_hint);
    }
    form.add("client_id", client.client_id);
    if (!request.post_logout_redirect_uri.empty()) {
        form.add("post_logout_redirect_uri", request.post_logout_redirect_uri);
    }
    if (!request.state.empty()) {
        form.add("state", request.state);
    }

    return web::with_query(metadata.end_session_endpoint, form.take());
}

} // namespace bff::oidc
