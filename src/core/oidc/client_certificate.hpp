// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The certificate that this client shows in TLS (RFC 8705).
//
// Here it is only looked at; showing it is NGINX's.

#pragma once

#include <string>
#include <string_view>

#include "core/base/result.hpp"

namespace bff::oidc {

struct ClientCertificate {
    // As a JWK with x5c, for a provider that knows it by jwks_uri (2.2.2);
    // "" when its key is of a type that has no JWK here.
    std::string jwk;

    // PEM files: the certificate, others may follow it, and its key. Errors:
    // misconfigured; detail names the directive.
    static Result<ClientCertificate> parse(std::string_view certificate,
                                           std::string_view key);
};

} // namespace bff::oidc
