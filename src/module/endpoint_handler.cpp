// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Everything about an endpoint but its story, which is core/flow's.

#include "module/endpoint_handler.hpp"

#include "core/base/apart.hpp"
#include "core/flow/endpoints.hpp"
#include "core/flow/problem.hpp"
#include "module/cors.hpp"
#include "module/driver.hpp"
#include "module/reply.hpp"
#include "module/request_view.hpp"
#include "ngx/boundary.hpp"
#include "ngx/log.hpp"
#include "ngx/request_body.hpp"
#include "ngx/text.hpp"

namespace bff::module {
namespace {

// Of a body that is too large: so much is read and dropped, so that the
// answer is ours; more is NGINX's to refuse, at once.
constexpr size_t kDroppedOctets = 1024 * 1024;

// Either begins with a slash; what comes next tells most of them apart.
bool is_below(std::string_view prefix, std::string_view path)
{
    return path.size() >= prefix.size() && path[1] == prefix[1] &&
           path.starts_with(prefix);
}

inline Provider *provider_by_path(const std::vector<Use *> &uses,
                                  ngx_http_request_t *r)
{
    auto path = ngx::view(r->uri);

    for (auto *use : uses) {
        if (is_below(use->provider->endpoints_path(), path)) {
            return use->provider;
        }
    }
    return nullptr;
}

// Skips the location's rewrite handlers: they belong to another location,
// and those of the server have run.
ngx_int_t skip_phase(ngx_http_request_t *r)
{
    auto *cmcf = static_cast<ngx_http_core_main_conf_t *>(
        ngx_http_get_module_main_conf(r, ngx_http_core_module));
    auto *handlers = cmcf->phase_engine.handlers;

    auto next = static_cast<ngx_int_t>(handlers[r->phase_handler].next);
    r->phase_handler = next - 1;
    return NGX_DECLINED;
}

std::string_view endpoint_name(ngx_http_request_t *r, const Provider &provider)
{
    auto path = ngx::view(r->uri);
    auto prefix = provider.endpoints_path();

    return path.starts_with(prefix) ? path.substr(prefix.size())
                                    : std::string_view{};
}

ngx_int_t too_large(ngx_http_request_t *r, Provider &provider)
{
    auto &ctx = context(r);
    ctx.provider = &provider;

    flow::ProblemDetails details;
    details.status = 413;
    auto reply = flow::problem_reply(flow::Problem::bad_request,
                                     view_of(r, ctx), details);
    ctx.action = reply.action;
    ctx.error = reply.error;

    return send(r, ctx, reply.response);
}

// A body that was read, or is nobody's business.
bool has_body(ngx_http_request_t *r, const RequestContext &ctx)
{
    return r->method != NGX_HTTP_POST || ctx.body.has_value();
}

// An error_page leads here with a GET, and the length of another body.
bool is_too_large(ngx_http_request_t *r, const RequestContext &ctx)
{
    return r->method == NGX_HTTP_POST &&
           (ctx.is_body_too_large ||
            r->headers_in.content_length_n >
                static_cast<off_t>(flow::kEndpointBodyOctets));
}

void on_body(ngx_http_request_t *r)
{
    auto body = ngx::body_of(r, flow::kEndpointBodyOctets);
    auto &ctx = context(r);

    ctx.is_body_too_large = ctx.is_body_too_large || !body;
    ctx.body = std::move(body).value_or("");

    r->write_event_handler = ngx_http_core_run_phases;
    MeasuredApart apart{Apart::nginx};
    ngx_http_core_run_phases(r);
}

// A named location keeps the URI of the request that was sent there, as by
// error_page: it is no request for an endpoint any more.
bool is_named(ngx_http_request_t *r)
{
    auto *core = static_cast<ngx_http_core_loc_conf_t *>(
        ngx_http_get_module_loc_conf(r, ngx_http_core_module));
    return core->named;
}

// What else stands at an endpoint's path would answer instead, and to
// "auth_request /bff/user" its 200 would mean yes.
ngx_int_t refuse_subrequest(ngx_http_request_t *r)
{
    bool is_endpoint = loc_conf(r).endpoints != nullptr ||
                       provider_by_path(*srv_conf(r).uses, r) != nullptr;
    if (!is_endpoint || is_named(r)) {
        return NGX_DECLINED;
    }

    ngx::log(NGX_LOG_ERR, r->connection->log,
             "subrequest refused: an endpoint answers none; to ask for a "
             "session, write \"bff\" into the location");
    return NGX_HTTP_FORBIDDEN;
}

// A page that took the callback itself has the code in its own address.
void hide_query_of_referer(ngx_http_request_t *r)
{
    if (auto *referer = r->headers_in.referer) {
        auto query = ngx::view(referer->value).find('?');
        referer->value.len = std::min(referer->value.len, query);
    }
}

} // namespace

ngx_int_t hide_query(ngx_http_request_t *r)
{
    const auto &server = srv_conf(r);
    if (provider_by_path(*server.uses, r) == nullptr &&
        provider_by_path(*server.endpoints, r) == nullptr) {
        return NGX_DECLINED;
    }

    hide_query_of_referer(r);

    auto line = ngx::view(r->request_line);
    auto query = line.find('?');
    if (query == line.npos) {
        return NGX_DECLINED;
    }

    std::string hidden{line.substr(0, query)};
    auto version = line.find(' ', query);
    hidden += version == line.npos ? "" : line.substr(version);
    r->request_line = ngx::in_pool(r->pool, hidden);

    return NGX_DECLINED;
}

ngx_int_t route_endpoint(ngx_http_request_t *r)
{
    if (r != r->main) {
        return refuse_subrequest(r);
    }

    if (auto *ctx = find_context(r)) {
        ctx->endpoint = nullptr; // of before an internal redirect
    }

    auto *provider = provider_by_path(*srv_conf(r).uses, r);
    if (provider == nullptr || loc_conf(r).endpoints != nullptr ||
        is_named(r)) {
        return NGX_DECLINED;
    }

    auto *server = static_cast<ngx_http_core_srv_conf_t *>(
        ngx_http_get_module_srv_conf(r, ngx_http_core_module));
    r->loc_conf = server->ctx->loc_conf;
    ngx_http_update_location_config(r);
    context(r).endpoint = provider;

    return skip_phase(r);
}

ngx_int_t take_body(ngx_http_request_t *r, ngx_chain_t *in)
{
    if (r != r->main || r->method != NGX_HTTP_POST ||
        endpoint_of(r) == nullptr) {
        return NGX_OK;
    }

    auto &octets = context(r).body_octets;
    octets += ngx::octets_in(in);
    if (octets > kDroppedOctets) {
        return NGX_HTTP_REQUEST_ENTITY_TOO_LARGE;
    }
    if (octets > flow::kEndpointBodyOctets) {
        context(r).is_body_too_large = true;
        ngx::drop_octets(in);
    }
    return NGX_OK;
}

ngx_int_t serve_endpoint(ngx_http_request_t *r, Provider &provider)
{
    if (is_preflight(r)) {
        return answer_preflight(r, provider);
    }

    auto &ctx = context(r);
    if (is_too_large(r, ctx)) {
        return too_large(r, provider);
    }
    if (!has_body(r, ctx)) {
        return ngx::read_body(r, ngx::guarded_body<on_body>);
    }

    auto rc = tell(r, provider, [&] {
        return flow::endpoint_story(endpoint_name(r, provider),
                                    ngx::view(r->method_name));
    });

    return rc == NGX_DECLINED ? NGX_HTTP_NOT_FOUND : rc;
}

} // namespace bff::module
