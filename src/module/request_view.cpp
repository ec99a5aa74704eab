// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Views into NGINX's memory: good until the handler returns.

#include "module/request_view.hpp"

#include <algorithm>
#include <array>

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

std::string_view request_id(void *request)
{
    auto *r = static_cast<ngx_http_request_t *>(request);

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

std::string_view csrf_header(void *request)
{
    auto *r = static_cast<ngx_http_request_t *>(request);

    return or_empty(ngx::header(r, loc_conf(r).origins->csrf_header_key));
}

// What the core may want to know of a request's headers, found in one pass.
class Headers {
public:
    explicit Headers(ngx_http_request_t *r) : request_{r}
    {
        ngx::each_header(r, [this](ngx_table_elt_t &line) {
            auto name = name_of(line);
            if (name != kNames) {
                found_[name].add(line);
            }
        });
    }

    enum Name {
        accept,
        origin,
        purpose,
        upgrade,
        sec_purpose,
        content_type,
        sec_fetch_site,
        sec_fetch_mode,
        preflight_method,
        preflight_headers,
        kNames
    };

    std::optional<std::string_view> operator[](Name name) const
    {
        return ngx::value_of(request_, found_[name], kText[name]);
    }
    int lines(Name name) const { return found_[name].lines; }

private:
    static constexpr std::string_view kText[kNames] = {
        "accept",
        "origin",
        "purpose",
        "upgrade",
        "sec-purpose",
        "content-type",
        "sec-fetch-site",
        "sec-fetch-mode",
        "access-control-request-method",
        "access-control-request-headers",
    };

    template <Name name> static Name only(const ngx_table_elt_t &line)
    {
        return ngx::has_name(line, kText[name]) ? name : kNames;
    }

    // Most lines are told apart by their lengths.
    static Name name_of(const ngx_table_elt_t &line)
    {
        switch (line.key.len) {
        case kText[accept].size():
            return std::min(only<accept>(line), only<origin>(line));
        case kText[purpose].size():
            return std::min(only<purpose>(line), only<upgrade>(line));
        case kText[sec_purpose].size():
            return only<sec_purpose>(line);
        case kText[content_type].size():
            return only<content_type>(line);
        case kText[sec_fetch_site].size():
            return std::min(only<sec_fetch_site>(line),
                            only<sec_fetch_mode>(line));
        case kText[preflight_method].size():
            return only<preflight_method>(line);
        case kText[preflight_headers].size():
            return only<preflight_headers>(line);
        default:
            return kNames;
        }
    }

    ngx_http_request_t *request_;
    std::array<ngx::FoundHeader, kNames> found_;
};

void look_for_upgrade(ngx_http_request_t *r, const Headers &headers,
                      web::RequestView &view)
{
    auto protocol = headers[Headers::upgrade];

    view.is_upgrade = protocol.has_value();
    view.is_websocket = protocol && web::is_websocket_handshake(
                                        view.method, *protocol,
                                        or_empty(ngx::header(r, "connection")));
}

void show_headers(ngx_http_request_t *r, web::RequestView &view)
{
    Headers headers{r};

    view.accept = or_empty(headers[Headers::accept]);
    view.content_type = or_empty(headers[Headers::content_type]);
    view.sec_purpose = or_empty(headers[Headers::sec_purpose]);
    if (view.sec_purpose.empty()) {
        view.sec_purpose = or_empty(headers[Headers::purpose]);
    }
    view.csrf_header = {csrf_header, r};
    view.origin = headers[Headers::origin];
    view.origins = headers.lines(Headers::origin);
    view.sec_fetch_site = headers[Headers::sec_fetch_site];
    view.sec_fetch_mode = headers[Headers::sec_fetch_mode];
    look_for_upgrade(r, headers, view);
    if (r->method == NGX_HTTP_OPTIONS) {
        view.access_control_request_method = headers[Headers::preflight_method];
        view.access_control_request_headers =
            headers[Headers::preflight_headers];
    }
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
    view.request_id = {request_id, r};
    view.authorization = ctx.authorization;
    show_headers(r, view);

    return view;
}

} // namespace bff::module
