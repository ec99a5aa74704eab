// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Found by its cleanup record, as NGINX's realip module finds its own.

#include "module/request_context.hpp"

#include "module/module.hpp"
#include "ngx/headers.hpp"
#include "ngx/pool.hpp"
#include "ngx/stalls.hpp"

namespace bff::module {
namespace {

void destroy(void *data)
{
    BFF_STALL(ngx::tally_of<destroy>());
    static_cast<RequestContext *>(data)->~RequestContext();
}

RequestContext *make(ngx_http_request_t *main)
{
    auto *cln = ngx_pool_cleanup_add(main->pool, sizeof(RequestContext));
    if (cln == nullptr) {
        throw std::bad_alloc{};
    }

    auto *context = new (cln->data) RequestContext{main};
    cln->handler = destroy;
    return context;
}

} // namespace

RequestContext::RequestContext(ngx_http_request_t *main)
    : request{main}, cookie{ngx::cookie_header(main)}
{
    if (auto *header = main->headers_in.authorization) {
        authorization = std::string{ngx::view(header->value)};
    }
}

RequestContext *find_context(ngx_http_request_t *r)
{
    auto *main = r->main;

    auto *known = static_cast<RequestContext *>(
        ngx_http_get_module_ctx(main, ngx_http_bff_module));
    if (known == nullptr) {
        known = ngx::find_in_pool<RequestContext>(main->pool, destroy);
        ngx_http_set_ctx(main, known, ngx_http_bff_module);
    }
    return known;
}

RequestContext &context(ngx_http_request_t *r)
{
    if (auto *known = find_context(r)) {
        return *known;
    }

    auto *made = make(r->main);
    ngx_http_set_ctx(r->main, made, ngx_http_bff_module);
    return *made;
}

} // namespace bff::module
