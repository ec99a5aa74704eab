// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// A JWT by which this client proves who it is (RFC 7523, 2.2; CA-2).

#pragma once

#include <string>

#include "core/base/instant.hpp"
#include "core/crypto/entropy.hpp"
#include "core/oidc/client_settings.hpp"

namespace bff::oidc {

// What makes each proof another one.
struct Occasion {
    Instant now;
    crypto::Entropy &entropy;
};

// For one HTTP attempt (CA-3), with the method of client.auth:
// client_secret_jwt or private_key_jwt. Errors: unavailable (no random
// bytes, or OpenSSL failed).
Result<std::string> client_assertion(const ClientSettings &client,
                                     const Occasion &occasion);

} // namespace bff::oidc
