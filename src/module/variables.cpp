// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Getters only look at what the request context already knows; before the
// module was asked, and without a session, there is nothing to see.

#include "module/variables.hpp"

#include "core/session/claims.hpp"
#include "core/session/session_codec.hpp"
#include "module/session_news.hpp"
#include "ngx/boundary.hpp"
#include "ngx/headers.hpp"
#include "ngx/text.hpp"

namespace bff::module {
namespace {

using Text = std::optional<std::string>;
using Get = Text (*)(RequestContext &ctx, std::string_view name);

constexpr std::string_view kClaimPrefix = "bff_claim_";

const session::Session *live_session(RequestContext &ctx)
{
    return ctx.found.session ? &*ctx.found.session : nullptr;
}

// Opened once for a request, when somebody asks.
const session::Details *details(RequestContext &ctx)
{
    complete(ctx);
    auto *session = live_session(ctx);
    if (session == nullptr) {
        return nullptr;
    }

    if (!ctx.details) {
        auto opened = session::unpack_details(session->packed_details);
        if (!opened) {
            return nullptr;
        }
        ctx.details = std::move(*opened);
    }
    return &*ctx.details;
}

Text get_session(RequestContext &ctx, std::string_view)
{
    if (ctx.provider == nullptr) {
        return std::nullopt; // nobody was asked here
    }
    return live_session(ctx) ? "active" : "none";
}

Text get_sub(RequestContext &ctx, std::string_view)
{
    auto *known = details(ctx);
    return known ? Text{known->sub} : std::nullopt;
}

Text get_claim(RequestContext &ctx, std::string_view name)
{
    auto *known = details(ctx);
    return known ? session::claim_text(known->claims,
                                       name.substr(kClaimPrefix.size()))
                 : std::nullopt;
}

Text get_access_token(RequestContext &ctx, std::string_view)
{
    return ctx.granted && !ctx.bearer.empty() ? Text{ctx.bearer.reveal()}
                                              : std::nullopt;
}

Text get_id_token(RequestContext &ctx, std::string_view)
{
    auto *known = details(ctx);
    return known && !known->id_token.empty() ? Text{known->id_token.reveal()}
                                             : std::nullopt;
}

Text get_session_expires_in(RequestContext &ctx, std::string_view)
{
    auto *session = live_session(ctx);
    return session ? Text{std::to_string(
                         session->left(instant(ngx_time())).count())}
                   : std::nullopt;
}

Text get_provider(RequestContext &ctx, std::string_view)
{
    return ctx.provider ? Text{ctx.provider->name} : std::nullopt;
}

Text get_action(RequestContext &ctx, std::string_view)
{
    auto name = flow::name_of(ctx.action);
    return name.empty() ? std::nullopt : Text{name};
}

Text get_error(RequestContext &ctx, std::string_view)
{
    return ctx.error.empty() ? std::nullopt : Text{ctx.error};
}

// Seconds with milliseconds, as $upstream_response_time.
Text get_provider_time(RequestContext &ctx, std::string_view)
{
    if (ctx.provider_time == 0 && ctx.waiting_since == 0) {
        return std::nullopt;
    }

    u_char text[NGX_TIME_T_LEN + 5];
    auto *end = ngx_sprintf(text, "%T.%03M",
                            static_cast<time_t>(ctx.provider_time / 1000),
                            ctx.provider_time % 1000);
    return std::string{text, end};
}

struct Variable {
    std::string_view name;
    Get get;
    ngx_uint_t flags;
};

constexpr Variable kVariables[] = {
    {"bff_session", get_session, 0},
    {"bff_sub", get_sub, 0},
    {kClaimPrefix, get_claim, NGX_HTTP_VAR_PREFIX},
    {"bff_access_token", get_access_token, 0},
    {"bff_id_token", get_id_token, 0},
    {"bff_session_expires_in", get_session_expires_in, 0},
    {"bff_provider", get_provider, 0},
    {"bff_action", get_action, 0},
    {"bff_error", get_error, 0},
    {"bff_provider_time", get_provider_time, 0},
};

// Who asks before the session is known may keep the answer: that is
// remembered (see requirements). Once the answer is sent it does not matter.
RequestContext *asked_context(ngx_http_request_t *r)
{
    auto *ctx = find_context(r);
    if (ctx == nullptr && !r->main->header_sent && !srv_conf(r).uses->empty()) {
        ctx = &context(r);
    }
    if (ctx != nullptr) {
        ctx->was_asked = true;
    }
    return ctx;
}

// For prefix variables NGINX passes the whole name as data.
ngx_int_t get(ngx_http_request_t *r, ngx_http_variable_value_t *v,
              const Variable &variable, std::string_view name)
{
    auto *ctx = asked_context(r);
    auto text = ctx ? variable.get(*ctx, name) : std::nullopt;

    if (!text) {
        v->not_found = 1;
        return NGX_OK;
    }

    auto kept = ngx::in_pool(r->pool, *text);
    wipe(*text);
    v->len = kept.len;
    v->data = kept.data;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    return NGX_OK;
}

ngx_int_t get_named(ngx_http_request_t *r, ngx_http_variable_value_t *v,
                    uintptr_t data)
{
    return get(r, v, *reinterpret_cast<const Variable *>(data), {});
}

ngx_int_t get_prefixed(ngx_http_request_t *r, ngx_http_variable_value_t *v,
                       uintptr_t data)
{
    return get(r, v, kVariables[2],
               ngx::view(*reinterpret_cast<ngx_str_t *>(data)));
}

// --- NGINX's own, of headers that we edit ---

// Who looked before (a map, an "if", limit_req_zone) must not fix what
// "proxy_set_header Authorization $http_authorization" sends: neither what
// the client had there, nor, in a subrequest, the token of its main request.
constexpr std::string_view kEdited[] = {"http_cookie", "http_authorization",
                                        "http_dpop"};

ngx_http_variable_t *known_variable(ngx_conf_t *cf, std::string_view name)
{
    auto *core = static_cast<ngx_http_core_main_conf_t *>(
        ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module));
    auto &keys = core->variables_keys->keys;

    auto *all = static_cast<ngx_hash_key_t *>(keys.elts);
    for (ngx_uint_t i = 0; i < keys.nelts; i++) {
        if (ngx::view(all[i].key) == name) {
            return static_cast<ngx_http_variable_t *>(all[i].value);
        }
    }
    return nullptr;
}

ngx_int_t get_header(ngx_http_request_t *r, ngx_http_variable_value_t *v,
                     uintptr_t data)
{
    auto name = reinterpret_cast<const std::string_view *>(data)->substr(
        std::string_view{"http_"}.size());
    auto *header = ngx::find_header(r, name);

    v->not_found = header == nullptr;
    if (header != nullptr) {
        v->len = header->value.len;
        v->data = header->value.data;
        v->valid = 1;
    }
    return NGX_OK;
}

bool look_again_each_time(ngx_conf_t *cf, const std::string_view &name)
{
    auto *variable = known_variable(cf, name);

    // Not yet by name, as all $http_ are; "set" may make it its own as ever.
    if (variable == nullptr) {
        auto text = ngx::in_pool(cf->pool, name);
        variable = ngx_http_add_variable(cf, &text, NGX_HTTP_VAR_CHANGEABLE);
        if (variable == nullptr) {
            return false;
        }
        variable->get_handler = ngx::guarded<get_header>;
        variable->data = reinterpret_cast<uintptr_t>(&name);
    }

    variable->flags |= NGX_HTTP_VAR_NOCACHEABLE;
    return true;
}

} // namespace

ngx_int_t add_variables(ngx_conf_t *cf)
{
    for (const auto &name : kEdited) {
        if (!look_again_each_time(cf, name)) {
            return NGX_ERROR;
        }
    }

    for (const auto &variable : kVariables) {
        auto name = ngx::in_pool(cf->pool, variable.name);
        auto *added = ngx_http_add_variable(
            cf, &name, variable.flags | NGX_HTTP_VAR_NOCACHEABLE);
        if (added == nullptr) {
            return NGX_ERROR;
        }

        bool prefixed = variable.flags & NGX_HTTP_VAR_PREFIX;
        added->get_handler =
            prefixed ? ngx::guarded<get_prefixed> : ngx::guarded<get_named>;
        added->data = reinterpret_cast<uintptr_t>(&variable);
    }

    return NGX_OK;
}

} // namespace bff::module
