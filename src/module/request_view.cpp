// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Views into NGINX's memory: good until the handler returns.

#include "module/request_view.hpp"

#include <array>

#include "core/base/text.hpp"
#include "core/web/request_kind.hpp"
#include "ngx/headers.hpp"

namespace bff::module {
namespace {

// Is `name`, as NGINX has found it, that of this Host header?
bool names(std::string_view host, std::string_view name)
{
    bool is_of_it = host.data() == name.data() && host.size() >= name.size();
    if (!is_of_it && !text::starts_with_ignoring_case(host, name)) {
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

// What we may want to know of a request's headers, found in one pass.
class Headers {
public:
    explicit Headers(ngx_http_request_t *r) : request_{r}
    {
        ngx::each_header(r, [this](ngx_table_elt_t &line) {
            if (may_be_one(line)) {
                look_at(line);
            }
        });
    }

    enum Name {
        dpop,
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
        count
    };

    int lines(Name name) const { return lines_[name]; }

    // Leaves alone what was not sent.
    template <class Text> void show(Name name, Text &text) const
    {
        if (lines_[name] != 0) {
            text = lines_[name] == 1
                       ? ngx::view(first_[name]->value)
                       : ngx::value_of_lines(request_, kText[name]);
        }
    }

private:
    static constexpr std::string_view kText[count] = {
        "dpop",
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

    // A bit for each length that one of them has: most lines have another.
    static constexpr uint64_t kLengths = [] {
        uint64_t lengths = 0;
        for (auto text : kText) {
            lengths |= uint64_t{1} << text.size();
        }
        return lengths;
    }();

    static bool may_be_one(const ngx_table_elt_t &line)
    {
        return (kLengths >> line.key.len % 64 & 1) != 0;
    }

    void look_at(ngx_table_elt_t &line)
    {
        switch (line.key.len) {
        case kText[dpop].size():
            return add_if<dpop>(line);
        case kText[accept].size():
            return add_if<accept, origin>(line);
        case kText[purpose].size():
            return add_if<purpose, upgrade>(line);
        case kText[sec_purpose].size():
            return add_if<sec_purpose>(line);
        case kText[content_type].size():
            return add_if<content_type>(line);
        case kText[sec_fetch_site].size():
            return add_if<sec_fetch_site, sec_fetch_mode>(line);
        case kText[preflight_method].size():
            return add_if<preflight_method>(line);
        case kText[preflight_headers].size():
            return add_if<preflight_headers>(line);
        }
    }

    template <Name name, Name... others> void add_if(ngx_table_elt_t &line)
    {
        if (ngx::has_name(line, kText[name])) {
            first_[name] = lines_[name]++ == 0 ? &line : first_[name];
        } else if constexpr (sizeof...(others) > 0) {
            add_if<others...>(line);
        }
    }

    ngx_http_request_t *request_;
    std::array<int, count> lines_{};
    std::array<ngx_table_elt_t *, count> first_{};
};

void look_for_upgrade(ngx_http_request_t *r, const Headers &headers,
                      web::RequestView &view)
{
    std::string_view protocol;
    headers.show(Headers::upgrade, protocol);

    view.is_upgrade = true;
    view.is_websocket = web::is_websocket_handshake(
        view.method, protocol, or_empty(ngx::header(r, "connection")));
}

void show_headers(ngx_http_request_t *r, RequestContext &ctx,
                  web::RequestView &view)
{
    Headers headers{r};

    ctx.without_dpop = headers.lines(Headers::dpop) == 0
                           ? ngx::end_of_headers(r)
                           : ngx::HeadersEnd{};
    headers.show(Headers::accept, view.accept);
    headers.show(Headers::content_type, view.content_type);
    headers.show(Headers::sec_purpose, view.sec_purpose);
    if (view.sec_purpose.empty()) {
        headers.show(Headers::purpose, view.sec_purpose);
    }
    view.csrf_header = {csrf_header, r};
    headers.show(Headers::origin, view.origin);
    view.origins = headers.lines(Headers::origin);
    headers.show(Headers::sec_fetch_site, view.sec_fetch_site);
    headers.show(Headers::sec_fetch_mode, view.sec_fetch_mode);
    if (headers.lines(Headers::upgrade) != 0) {
        look_for_upgrade(r, headers, view);
    }
    if (r->method == NGX_HTTP_OPTIONS) {
        headers.show(Headers::preflight_method,
                     view.access_control_request_method);
        headers.show(Headers::preflight_headers,
                     view.access_control_request_headers);
    }
}

} // namespace

web::RequestView view_of(ngx_http_request_t *r, RequestContext &ctx)
{
    web::RequestView view;

    view.method = ngx::view(r->method_name);
    view.scheme = r->connection->ssl != nullptr ? "https" : "http";
    view.host = host_of(r);
    view.target = ngx::view(r->unparsed_uri);
    view.path = ngx::view(r->uri);
    view.query = ngx::view(r->args);
    view.cookie = ctx.cookies.header();
    view.body = ctx.body ? std::string_view{*ctx.body} : std::string_view{};
    view.request_id = {request_id, r};
    view.authorization = ctx.authorization;
    show_headers(r, ctx, view);

    return view;
}

} // namespace bff::module
