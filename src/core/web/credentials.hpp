// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What a client says of itself in its own Authorization header.

#pragma once

#include <string_view>

namespace bff::web {

// Is this the value of one Authorization header with a bearer token, and
// nothing else (RFC 6750, 2.1)? The scheme in any case (RFC 9110, 11.1). Who
// it is that the token stands for, only the upstream can tell.
bool is_bearer(std::string_view authorization) noexcept;

} // namespace bff::web
