// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Found by its cleanup record, as NGINX's realip module finds its own.

#include "module/request_context.hpp"

#include <algorithm>

#include "core/session/cookie_style.hpp"
#include "ngx/pool.hpp"
#include "ngx/stalls.hpp"

namespace bff::module {
namespace {

void destroy(void *data)
{
    BFF_STALL(ngx::tally_of<destroy>());
    static_cast<RequestContext *>(data)->~RequestContext();
}

} // namespace

RequestContext::RequestContext(ngx_http_request_t *main)
    : request{main}, cookies{
                         our_cookies(main_conf(main), ngx::cookie_header(main))}
{
    if (auto *header = main->headers_in.authorization) {
        authorization = std::string{ngx::view(header->value)};
    }
}

web::OurCookies our_cookies(const MainConf &main,
                            std::string_view cookie_header)
{
    return {cookie_header, [&](std::string_view name) {
                return std::ranges::any_of(
                    main.providers, [&](const Provider *provider) {
                        return session::is_name_of(name, provider->cookies);
                    });
            }};
}

RequestContext *find_lost_context(ngx_http_request_t *main)
{
    auto *found = ngx::find_in_pool<RequestContext>(main->pool, destroy);
    ngx_http_set_ctx(main, found, ngx_http_bff_module);
    return found;
}

RequestContext &make_context(ngx_http_request_t *main)
{
    auto *cln = ngx_pool_cleanup_add(main->pool, sizeof(RequestContext));
    if (cln == nullptr) {
        throw std::bad_alloc{};
    }

    auto *made = new (cln->data) RequestContext{main};
    cln->handler = destroy;
    ngx_http_set_ctx(main, made, ngx_http_bff_module);
    return *made;
}

} // namespace bff::module
