// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Which method this client proves itself by, and whether what was written is
// enough for it (BFF-1, CA-1, CA-4, MT-1).

#pragma once

#include "core/oidc/client_settings.hpp"

namespace bff::oidc {

// A part of ClientSettings::check(), with its errors; fills in `auth`.
Result<Done> check_credentials(ClientSettings &client);

} // namespace bff::oidc
