// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Views into NGINX's memory: good until the handler returns.

#include "module/request_view.hpp"

#include "ngx/headers.hpp"

namespace bff::module {
namespace {

std::string_view host_of(ngx_http_request_t *r)
{
    if (r->headers_in.host != nullptr) {
        return ngx::view(r->headers_in.host->value);
    }
    return ngx::view(r->headers_in.server);
}

std::string_view request_id(ngx_http_request_t *r)
{
    auto *value =
        ngx_http_get_indexed_variable(r, main_conf(r).request_id_index);
    if (value == nullptr || value->not_found) {
        return {};
    }
    return {reinterpret_cast<char *>(value->data), value->len};
}

std::string_view or_empty(std::optional<std::string_view> value)
{
    return value.value_or(std::string_view{});
}

bool is_upgrade(ngx_http_request_t *r)
{
    return ngx::find_header(r, "upgrade") != nullptr;
}

} // namespace

web::RequestView view_of(ngx_http_request_t *r, const RequestContext &ctx)
{
    web::RequestView view;

    view.method = ngx::view(r->method_name);
    view.scheme = r->connection->ssl != nullptr ? "https" : "http";
    view.host = host_of(r);
    view.target = ngx::view(r->unparsed_uri);
    view.path = ngx::view(r->uri);
    view.query = ngx::view(r->args);
    view.cookie = ctx.cookie;
    view.body = ctx.body ? std::string_view{*ctx.body} : std::string_view{};
    view.accept = or_empty(ngx::header(r, "accept"));
    view.content_type = or_empty(ngx::header(r, "content-type"));
    view.sec_purpose = or_empty(ngx::header(r, "sec-purpose"));
    if (view.sec_purpose.empty()) {
        view.sec_purpose = or_empty(ngx::header(r, "purpose"));
    }
    view.csrf_header =
        or_empty(ngx::header(r, loc_conf(r).origins->csrf_header_name));
    view.request_id = request_id(r);
    view.origin = ngx::header(r, "origin");
    view.origins = ngx::count_headers(r, "origin");
    view.sec_fetch_site = ngx::header(r, "sec-fetch-site");
    view.sec_fetch_mode = ngx::header(r, "sec-fetch-mode");
    view.is_upgrade = is_upgrade(r);
    if (r->method == NGX_HTTP_OPTIONS) {
        view.access_control_request_method =
            ngx::header(r, "access-control-request-method");
        view.access_control_request_headers =
            ngx::header(r, "access-control-request-headers");
    }

    return view;
}

} // namespace bff::module
