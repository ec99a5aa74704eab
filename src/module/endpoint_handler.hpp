// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The endpoints below endpoints_path: found without a location, or in the
// one that the user wrote for them.

#pragma once

#include "module/request_context.hpp"

namespace bff::module {

// Before anything may be logged: a callback's query holds the code, and NGINX
// puts the request line into its logs, so that of an endpoint loses its query.
ngx_int_t hide_query(ngx_http_request_t *r);

// After a location was found: a request for an endpoint gets the server's own
// settings instead, as in an empty location, so that what the other location
// returns, rewrites or tries does not get in the way.
ngx_int_t route_endpoint(ngx_http_request_t *r);

// Whose endpoint this request is for; null: it is none.
inline Provider *endpoint_of(ngx_http_request_t *r)
{
    if (auto *written = loc_conf(r).endpoints) {
        return written->provider;
    }

    auto *ctx = find_context(r);
    return ctx ? ctx->endpoint : nullptr;
}

// Each piece of a body before NGINX keeps it, in memory or in a file: no more
// of it than an endpoint may have.
ngx_int_t take_body(ngx_http_request_t *r, ngx_chain_t *in);

ngx_int_t serve_endpoint(ngx_http_request_t *r, Provider &provider);

} // namespace bff::module
