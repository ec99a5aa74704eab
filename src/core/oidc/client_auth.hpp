// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// How this client proves who it is, added to any request (CA-1).

#pragma once

#include "core/oidc/client_settings.hpp"
#include "core/web/http_message.hpp"
#include "core/web/query.hpp"

namespace bff::oidc {

// Puts the credentials into the headers or the form, never both.
void authenticate(const ClientSettings &client, web::HttpRequest &request,
                  web::FormWriter &form);

} // namespace bff::oidc
