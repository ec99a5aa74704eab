// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Pages of trusted origins: their preflights, and the headers that let them
// read what they asked for.

#pragma once

#include "module/request_context.hpp"

namespace bff::module {

bool is_preflight_options(ngx_http_request_t *r);
inline bool is_preflight(ngx_http_request_t *r)
{
    return r->method == NGX_HTTP_OPTIONS && is_preflight_options(r);
}

// Instead of anything that looks at a session. Returns as tell() does.
ngx_int_t answer_preflight(ngx_http_request_t *r, Provider &provider);

// In the header filter: of our own answers, of NGINX's and of the upstream's.
void add_cors(ngx_http_request_t *r);

} // namespace bff::module
