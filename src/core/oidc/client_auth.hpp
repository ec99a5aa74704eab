// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// How this client proves who it is, added to any request (CA-1).

#pragma once

#include "core/base/result.hpp"
#include "core/oidc/client_assertion.hpp"
#include "core/oidc/client_settings.hpp"
#include "core/web/http_message.hpp"
#include "core/web/query.hpp"

namespace bff::oidc {

// Puts the credentials into the headers or the form, never both. For each
// HTTP attempt anew (CA-3). Errors: unavailable (no assertion could be made).
Result<Done> authenticate(const ClientSettings &client,
                          const Occasion &occasion, web::HttpRequest &request,
                          web::FormWriter &form);

// This form, posted with the credentials. Errors: as above.
Result<web::HttpRequest> authenticated_post(std::string url,
                                            web::FormWriter form,
                                            const ClientSettings &client,
                                            const Occasion &occasion);

} // namespace bff::oidc
