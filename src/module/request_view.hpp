// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Shows an NGINX request to the core.

#pragma once

#include "core/web/request_view.hpp"
#include "module/request_context.hpp"

namespace bff::module {

web::RequestView view_of(ngx_http_request_t *r, RequestContext &ctx);

} // namespace bff::module
