// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// How this client proves who it is, added to any request (CA-1).
//
// Exactly one method per request: a provider that sees two must refuse
// (RFC 6749, 2.3).

#include "core/oidc/client_auth.hpp"

#include "core/base/base64url.hpp"
#include "core/oidc/client_assertion.hpp"

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

// RFC 7521, 4.2 leaves client_id to us; some providers look for it first,
// and whoever does not need it compares it with sub.
Result<Done> add_assertion(const ClientSettings &client,
                           const Occasion &occasion, web::FormWriter &form)
{
    auto assertion = client_assertion(client, occasion);
    if (!assertion) {
        return std::move(assertion).error();
    }

    form.add("client_id", client.client_id)
        .add("client_assertion_type",
             "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
        .add("client_assertion", *assertion);
    return Done{};
}

} // namespace

Result<Done> authenticate(const ClientSettings &client,
                          const Occasion &occasion, web::HttpRequest &request,
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
    case ClientAuth::client_secret_jwt:
    case ClientAuth::private_key_jwt:
        return add_assertion(client, occasion, form);
    case ClientAuth::tls_client_auth: // MT-1: the certificate is the proof
    case ClientAuth::self_signed_tls_client_auth:
    case ClientAuth::none:
        form.add("client_id", client.client_id);
        break;
    }

    return Done{};
}

Result<web::HttpRequest> authenticated_post(std::string url,
                                            web::FormWriter form,
                                            const ClientSettings &client,
                                            const Occasion &occasion)
{
    web::HttpRequest request;
    request.method = "POST";
    request.url = std::move(url);
    request.headers = {
        {"Content-Type", "application/x-www-form-urlencoded"},
        {"Accept", "application/json"},
    };

    auto authenticated = authenticate(client, occasion, request, form);
    if (!authenticated) {
        return std::move(authenticated).error();
    }

    request.body = form.take();
    return request;
}

} // namespace bff::oidc
