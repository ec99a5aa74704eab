// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// A private key of this client: what it signs, and its public half.
//
// Parsed once, when the configuration is read. What is published is what
// verifies: a key whose halves do not belong together is refused.

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/base/handle.hpp"
#include "core/base/json.hpp"
#include "core/base/result.hpp"
#include "core/oidc/client_settings.hpp"

namespace bff::oidc {

// What the operator said of a key, beside its file.
struct WrittenKey {
    std::string kid = {};              // "": the JWK's, else its thumbprint
    std::optional<Algorithm> alg = {}; // else the JWK's, else by type and curve
};

class PrivateKey {
public:
    // PEM or a JWK. Errors: misconfigured; detail goes on from "cannot use
    // the file: " and holds nothing of it.
    static Result<PrivateKey> parse(std::string_view file,
                                    const WrittenKey &written = {});

    const std::string &kid() const noexcept { return kid_; }
    Algorithm alg() const noexcept { return alg_; }

    // kty and public members, kid, use, alg; never a private member.
    json::Value public_jwk() const;

    // The protected header of a token that this key signs: alg, kid, typ.
    json::Value header(std::string_view typ) const;

    // A compact JWS. The header's alg is this key's. Errors: unavailable
    // (OpenSSL failed).
    Result<std::string> sign(json::Value header,
                             std::string_view payload) const;

private:
    std::string kid_;
    Algorithm alg_{};
    json::Value public_jwk_;
    // One of the two: cjose for RSA and EC, OpenSSL for Ed25519.
    Handle<cjose_jwk_t> jwk_;
    Handle<EVP_PKEY> pkey_;
};

} // namespace bff::oidc
