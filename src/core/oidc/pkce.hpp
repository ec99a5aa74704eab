// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Proof Key for Code Exchange (RFC 7636): S256 only (BCP-4).

#pragma once

#include <string>
#include <string_view>

namespace bff::oidc {

// BASE64URL(SHA256(ASCII(code_verifier)))
std::string code_challenge(std::string_view code_verifier);

} // namespace bff::oidc
