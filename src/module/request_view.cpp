// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Views into NGINX's memory: good until the handler returns.

#include "module/request_view.hpp"

#include "core/base/text.hpp"
#include "core/web/request_kind.hpp"
#include "ngx/headers.hpp"

namespace bff::module {
namespace {

// Is `name`, as NGINX has found it, that of this Host header?
bool names(std::string_view host, std::string_view name)
{
    if (!text::starts_with_ignoring_case(host, name)) {
        return false;
    }

    host.remove_prefix(name.size());
    host.remove_prefix(host.starts_with('.') ? 1 : 0);
    return host.empty() || host.starts_with(':');
}

// None where the request's target names another host than its header (RFC
// 9112, 3.2.2): whoever reads it next may believe the other.
std::string_view host_of(ngx_http_request_t *r)
{
    auto name = ngx::view(r->headers_in.server);
    if (r->headers_in.host == nullptr) {
        return name;
    }

    auto host = ngx::view(r->headers_in.host->value);
    return names(host, name) ? host : std::string_view{};
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

void look_for_upgrade(ngx_http_request_t *r, web::RequestView &view)
{
    auto protocol = ngx::header(r, "upgrade");

    view.is_upgrade = protocol.has_value();
    view.is_websocket = protocol && web::is_websocket_handshake(
                                        view.method, *protocol,
                                        or_empty(ngx::header(r, "connection")));
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
    view.authorization = ctx.authorization;
    look_for_upgrade(r, view);
    if (r->method == NGX_HTTP_OPTIONS) {
        view.access_control_request_method =
            ngx::header(r, "access-control-request-method");
        view.access_control_request_headers =
            ngx::header(r, "access-control-request-headers");
    }

    return view;
}

} // namespace bff::module
