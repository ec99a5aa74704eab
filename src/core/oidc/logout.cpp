// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The URL that ends the session at the provider (RP-Initiated Logout 2).
//
// client_id goes along with the hint, since a provider may have forgotten
// the token; post_logout_redirect_uri exactly as it was registered (RIL-3).

#include "core/oidc/logout.hpp"

#include "core/web/query.hpp"
#include "core/web/url.hpp"

namespace bff::oidc {

Parameters end_session_parameters(const EndSession &request,
                                  const ClientSettings &client)
{
    Parameters parameters;
    auto add = [&](std::string_view name, std::string_view value) {
        if (!value.empty()) {
            parameters.emplace_back(name, value);
        }
    };

    add("id_token_hint", request.id_token_hint);
    add("client_id", client.client_id);
    add("post_logout_redirect_uri", request.post_logout_redirect_uri);
    add("state", request.state);

    return parameters;
}

std::string end_session_url(const EndSession &request, const Metadata &metadata,
                            const ClientSettings &client)
{
    if (metadata.end_session_endpoint.empty()) {
        return "";
    }

    web::FormWriter form;
    for (const auto &[name, value] : end_session_parameters(request, client)) {
        form.add(name, value);
    }

    return web::with_query(metadata.end_session_endpoint, form.take());
}

} // namespace bff::oidc
