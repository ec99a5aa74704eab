// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// How this client proves who it is, added to any request (CA-1).
//
// Exactly one method per request: a provider that sees two must refuse
// (RFC 6749, 2.3).

#include "core/oidc/client_auth.hpp"

#include "core/base/base64url.hpp"

namespace bff::oidc {
namespace {

// The form algorithm writes a space as '+' (RFC 6749, 2.3.1 and appendix B).
std::string form_encoded(std::string_view text)
{
    auto encoded = web::percent_encode(text);

    for (size_t at = 0; (at = encoded.find("%20", at)) != std::string::npos;) {
        encoded.replace(at, 3, "+");
    }

    return encoded;
}

std::string basic_credentials(const ClientSettings &client)
{
    return "Basic " + base64url::encode_standard(
                          form_encoded(client.client_id) + ":" +
                          form_encoded(client.client_secret.reveal()));
}

} // namespace

void authenticate(const ClientSettings &client, web::HttpRequest &request,
                  web::FormWriter &form)
{
    switch (client.auth.value_or(ClientAuth::client_secret_basic)) {
    case ClientAuth::client_secret_basic:
        request.headers.push_back({"Authorization", basic_credentials(client)});
        break;
    case ClientAuth::client_secret_post:
        form.add("client_id", client.client_id)
            .add("client_secret", client.client_secret.reveal());
        break;
    case ClientAuth::none:
        form.add("client_id", client.client_id);
        break;
    }
}

} // namespace bff::oidc
