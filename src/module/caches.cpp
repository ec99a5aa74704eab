// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// NGINX decides that an answer may be kept before it asks for it, and keeps
// some without showing them to any filter: the status of an error that
// proxy_intercept_errors takes, and that of an API that cannot be reached. So
// the decision is taken back as soon as it was made, which is when the content
// handler (proxy_pass and its like) has begun.

#include "module/caches.hpp"

#include "core/base/apart.hpp"
#include "module/request_context.hpp"
#include "ngx/boundary.hpp"

namespace bff::module {
namespace {

ngx_int_t begin_content(ngx_http_request_t *r);

// Keeps the request until this function has done with it.
void begin_upstream(ngx_http_request_t *r);

} // namespace

void watch_content(ngx_http_core_loc_conf_t &core, LocConf &conf,
                   const LocConf &around)
{
    // an "if" that says nothing of it leaves the handler of what is around it
    conf.content = core.handler != nullptr ? core.handler : around.content;

    if (conf.use != nullptr && core.handler != nullptr) {
        core.handler = ngx::guarded_phase<begin_content>;
    }
}

void keep_out_of_caches([[maybe_unused]] ngx_http_request_t *r)
{
#if (NGX_HTTP_CACHE)
    auto *u = r->upstream;
    if (u == nullptr || (!u->cacheable && !u->store)) {
        return;
    }

    auto *use = loc_conf(r).use;
    auto *ctx = find_context(r);
    if (use != nullptr && ctx != nullptr &&
        ctx->is_about_somebody_of(use->provider)) {
        u->cacheable = 0;
        u->store = 0;
    }
#endif
}

namespace {

ngx_int_t run(ngx_http_handler_pt content, ngx_http_request_t *r)
{
    MeasuredApart apart{Apart::nginx};

    return content != nullptr ? content(r) : NGX_HTTP_NOT_FOUND;
}

ngx_int_t begin_content(ngx_http_request_t *r)
{
    auto rc = run(loc_conf(r).content, r);

    keep_out_of_caches(r);
    auto *body = r->request_body;
    if (body != nullptr && body->post_handler == ngx_http_upstream_init) {
        body->post_handler = ngx::guarded_body<begin_upstream>;
    }

    return rc;
}

void begin_upstream(ngx_http_request_t *r)
{
    MeasuredApart apart{Apart::nginx};

    r->main->count++;
    ngx_http_upstream_init(r);
    keep_out_of_caches(r);
    ngx_http_finalize_request(r, NGX_DONE); // it may be gone now
}

} // namespace
} // namespace bff::module
