// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// A token goes upstream only in a location that asks for it, with the
// session of that location's provider. What the client sent as Authorization
// or DPoP never does.

#include "module/proceed.hpp"

#include "core/base/text.hpp"
#include "core/oidc/bearer_challenge.hpp"
#include "core/session/cookie_style.hpp"
#include "core/web/cache_control.hpp"
#include "module/caches.hpp"
#include "module/module.hpp"
#include "module/session_news.hpp"
#include "ngx/headers.hpp"
#include "ngx/log.hpp"

namespace bff::module {
namespace {

bool is_ours(const MainConf &main, std::string_view name)
{
    for (const auto *provider : main.providers) {
        if (session::is_name_of(name, provider->cookies)) {
            return true;
        }
    }
    return false;
}

void strip_cookies(ngx_http_request_t *r)
{
    auto &main = main_conf(r);

    ngx::edit_cookies(r, [&](std::string_view value) {
        auto left = web::without_cookies(
            value, [&](std::string_view name) { return is_ours(main, name); });
        if (left) {
            context(r); // remembers them: an internal redirect may need them
        }
        return left;
    });
}

// A subrequest shares its parent's list until it needs one of its own.
void before_edit(ngx_http_request_t *r)
{
    if (r != r->main) {
        ngx::own_header_list(r);
    }
}

// BFF-20, RT-8: an answer that comes with cookies of ours is for one browser,
// whatever it says of itself.
void keep_for_this_browser(ngx_http_request_t *r)
{
    ngx::each_response_header(r, [&](ngx_table_elt_t &header) {
        if (text::equal_ignoring_case(ngx::view(header.key), "cache-control")) {
            auto value = web::without_sharing(ngx::view(header.value));
            header.value =
                ngx::in_pool(r->pool, value.empty() ? "private" : value);
        }
    });
    ngx::add_response_header(r, "Cache-Control", "private");
}

// The location asks for a token.
ngx_int_t edit_protected(ngx_http_request_t *r, const LocConf &location)
{
    auto *ctx = find_context(r);
    bool granted = ctx != nullptr && ctx->granted == location.use->provider;
    bool may_pass =
        location.without_session == ngx_uint_t(flow::Unauthenticated::pass);

    if (r != r->main && !granted && !may_pass) {
        ngx::log(NGX_LOG_WARN, r->connection->log,
                 "subrequest refused: its main request was not given a token "
                 "of this provider");
        return NGX_HTTP_UNAUTHORIZED;
    }

    auto &known = context(r); // what the client sent, before it goes
    before_edit(r);
    ngx::remove_header(r, "dpop");
    if (granted) {
        std::string value{"Bearer "};
        value += known.bearer.reveal();
        ngx::set_authorization(r, value);
        wipe(value);
    } else {
        ngx::remove_header(r, "authorization");
    }
    known.was_edited = true;
    known.is_edited = known.is_edited || r == r->main;

    return NGX_DECLINED;
}

// The location does not, but its request, or the one that it is part of, may
// have been in one that did.
void edit_unprotected(ngx_http_request_t *r)
{
    auto *ctx = find_context(r);
    if (ctx == nullptr || !(r == r->main ? ctx->is_edited : ctx->was_edited)) {
        return;
    }

    before_edit(r);
    if (ctx->authorization) {
        ngx::set_authorization(r, *ctx->authorization);
    } else {
        ngx::remove_header(r, "authorization");
    }
    ngx::remove_header(r, "dpop"); // a subrequest's parent may have it still
    for (const auto &value : ctx->dpop) {
        ngx::add_header(r, "DPoP", value);
    }
    if (r == r->main) {
        ctx->is_edited = false;
    }
}

// RT-7.
bool is_token_rejected(ngx_http_request_t *r, const RequestContext &ctx)
{
    if (r->headers_out.status != NGX_HTTP_UNAUTHORIZED || ctx.bearer.empty()) {
        return false;
    }

    bool is_rejected = false;
    ngx::each_response_header(r, [&](const ngx_table_elt_t &header) {
        is_rejected =
            is_rejected ||
            (text::lower(ngx::view(header.key)) == "www-authenticate" &&
             oidc::is_invalid_token(ngx::view(header.value)));
    });
    return is_rejected;
}

} // namespace

ngx_int_t edit_request(ngx_http_request_t *r)
{
    auto &location = loc_conf(r);

    strip_cookies(r);

    if (location.use != nullptr) {
        return edit_protected(r, location);
    }

    edit_unprotected(r);
    return NGX_DECLINED;
}

void edit_response(ngx_http_request_t *r)
{
    if (main_conf(r).providers.empty()) {
        return;
    }

    auto *ctx = find_context(r);
    if (ctx == nullptr) {
        return;
    }

    if (r == r->main) {
        if (is_token_rejected(r, *ctx)) {
            replace_rejected(*ctx);
        }
        tell_browser(*ctx);
        if (!ctx->set_cookies.empty() && ctx->answer_headers.empty()) {
            keep_for_this_browser(r); // our own answer has its own
        }
        for (const auto &cookie : std::exchange(ctx->set_cookies, {})) {
            ngx::add_response_header(r, "Set-Cookie", cookie);
        }
    }

    keep_out_of_caches(r);
}

} // namespace bff::module
