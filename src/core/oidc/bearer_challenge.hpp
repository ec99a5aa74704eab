// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What an API says of the access token that it was given (RFC 6750, 3).

#pragma once

#include <string_view>

namespace bff::oidc {

// This value of WWW-Authenticate has error="invalid_token": the token is
// expired, revoked or of no use otherwise, and another one may be (3.1).
bool is_invalid_token(std::string_view www_authenticate) noexcept;

} // namespace bff::oidc
