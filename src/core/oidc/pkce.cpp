// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Proof Key for Code Exchange (RFC 7636): S256 only (BCP-4).
//
// The verifier is a token of ours and never leaves but for the token
// endpoint; its challenge may be seen by everybody.

#include "core/oidc/pkce.hpp"

#include "core/base/base64url.hpp"
#include "core/crypto/digest.hpp"

namespace bff::oidc {

std::string code_challenge(std::string_view code_verifier)
{
    return base64url::encode(crypto::sha256(code_verifier));
}

} // namespace bff::oidc
