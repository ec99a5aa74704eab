// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// A core response as an NGINX response.

#pragma once

#include "module/request_context.hpp"

namespace bff::module {

// Sends it and returns NGX_DONE; or, where the user's error_page has an
// answer to that status, sets its headers and returns the status.
ngx_int_t send(ngx_http_request_t *r, RequestContext &ctx,
               const web::HttpResponse &response);

} // namespace bff::module
