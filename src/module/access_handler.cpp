// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Decides in the access phase, edits headers in precontent, so that other
// modules see the client's own Authorization until all have had their say.

#include "module/access_handler.hpp"

#include "module/cors.hpp"
#include "module/driver.hpp"
#include "module/endpoint_handler.hpp"
#include "module/proceed.hpp"

namespace bff::module {
namespace {

// HTTP/0.9 has no headers: no session, and no way to say so. NGINX says so
// of a post_action as well, which is what becomes of any request.
bool is_http_09(ngx_http_request_t *r)
{
    return r->http_version < NGX_HTTP_VERSION_10 && !r->post_action;
}

// "satisfy any": somebody else said yes before we were asked. A session that
// is there still counts; none is no obstacle any more.
void look_for_session(ngx_http_request_t *r, LocConf &location)
{
    auto *ctx = find_context(r);
    if (ctx != nullptr && ctx->decided_for == &location) {
        return;
    }

    peek(r, *location.use->provider);
    context(r).decided_for = &location;
}

} // namespace

ngx_int_t on_access(ngx_http_request_t *r)
{
    auto &location = loc_conf(r);

    if (r != r->main || location.use == nullptr || endpoint_of(r) != nullptr) {
        return NGX_DECLINED;
    }
    if (is_http_09(r)) {
        return NGX_HTTP_BAD_REQUEST;
    }

    if (is_preflight(r)) {
        return answer_preflight(r, *location.use->provider);
    }

    auto &ctx = context(r);
    auto rc = tell_access(ctx, location);
    if (rc != NGX_DECLINED) {
        return rc; // the request may be gone now
    }

    ctx.decided_for = &location;
    return ctx.granted != nullptr ? NGX_OK : NGX_DECLINED;
}

ngx_int_t on_precontent(ngx_http_request_t *r)
{
    auto &location = loc_conf(r);

    if (r == r->main) {
        if (auto *provider = endpoint_of(r)) {
            return is_http_09(r) ? NGX_HTTP_BAD_REQUEST
                                 : serve_endpoint(r, *provider);
        }
        if (location.use != nullptr) {
            if (is_http_09(r)) {
                return NGX_HTTP_BAD_REQUEST;
            }
            if (is_preflight(r)) {
                return answer_preflight(r, *location.use->provider);
            }
            look_for_session(r, location);
        }
    }

    return edit_request(r);
}

} // namespace bff::module
