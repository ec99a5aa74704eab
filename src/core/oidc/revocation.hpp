// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The request that takes a token back, and its answer (RFC 7009; REV-*).

#pragma once

#include "core/base/result.hpp"
#include "core/base/secret.hpp"
#include "core/oidc/client_assertion.hpp"
#include "core/oidc/client_settings.hpp"
#include "core/oidc/metadata.hpp"
#include "core/web/http_message.hpp"

namespace bff::oidc {

// The provider must have a revocation_endpoint. Errors: as of authenticate().
Result<web::HttpRequest> revocation_request(const Secret &refresh_token,
                                            const Metadata &metadata,
                                            const ClientSettings &client,
                                            const Occasion &occasion);

// REV-1: 200 means done, also for a token that the provider did not know.
// Errors: unavailable, unsupported; the token must be taken for alive (REV-2).
Result<Done> read_revocation(const Result<web::HttpResponse> &answer);

} // namespace bff::oidc
