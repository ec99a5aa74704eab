// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The request on its way upstream: bearer in, our cookies out; and the
// response on its way back: fresh cookies on it, and never into a cache.

#pragma once

#include "module/request_context.hpp"

namespace bff::module {

// In the precontent phase, of main requests and subrequests alike. Returns
// NGX_DECLINED, or a status that refuses the request.
ngx_int_t edit_request(ngx_http_request_t *r);

// In the header filter.
void edit_response(ngx_http_request_t *r);

} // namespace bff::module
