// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The access phase: does this request have a session, and may it pass?

#pragma once

#include "module/request_context.hpp"

namespace bff::module {

// Runs after all other access handlers, so that what they deny stays denied.
ngx_int_t on_access(ngx_http_request_t *r);

// Precontent: routes endpoints, then prepares what goes upstream.
ngx_int_t on_precontent(ngx_http_request_t *r);

} // namespace bff::module
