// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// A token goes upstream only in a location that asks for it, with the
// session of that location's provider. What the client sent as Authorization
// or DPoP never does, but for clients that were let in for it.

#include "module/proceed.hpp"

#include "core/base/text.hpp"
#include "core/oidc/bearer_challenge.hpp"
#include "core/web/cache_control.hpp"
#include "module/caches.hpp"
#include "module/driver.hpp"
#include "module/module.hpp"
#include "module/requirements.hpp"
#include "module/session_news.hpp"
#include "ngx/headers.hpp"
#include "ngx/log.hpp"

namespace bff::module {
namespace {

// A subrequest shares its parent's list until it needs one of its own.
void before_edit(ngx_http_request_t *r)
{
    if (r != r->main) {
        ngx::own_header_list(r);
    }
}

// The very line that was looked through when the request came?
bool is_same(std::string_view line, const web::OurCookies &cookies)
{
    return line.data() == cookies.header().data() &&
           line.size() == cookies.header().size();
}

void strip_cookies(ngx_http_request_t *r)
{
    auto &main = main_conf(r);
    bool is_own_list = r == r->main && find_context(r) != nullptr;
    if (!is_own_list && our_cookies(main, ngx::cookie_header(r)).empty()) {
        return;
    }

    // remembers them: an internal redirect may need them
    auto &ctx = context(r);
    before_edit(r);
    ngx::edit_cookies(r, [&](std::string_view line) {
        return is_same(line, ctx.cookies) ? ctx.cookies.rest()
                                          : our_cookies(main, line).rest();
    });
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

void bring_cookies(ngx_http_request_t *r, RequestContext &ctx)
{
    if (ctx.answer_headers.empty()) { // our own answer has its own
        keep_for_this_browser(r);
    }
    for (const auto &cookie : std::exchange(ctx.set_cookies, {})) {
        ngx::add_response_header(r, "Set-Cookie", cookie);
    }
}

// Whose request it is, for this location.
flow::Who who_is(const RequestContext *ctx, const LocConf &location)
{
    auto *provider = location.use->provider;

    if (ctx != nullptr && ctx->granted == provider) {
        return flow::Who::session;
    }
    if (ctx != nullptr && ctx->own_bearer == provider &&
        location.accept_bearer == 1 && location.requirements == nullptr) {
        return flow::Who::client;
    }
    return flow::Who::nobody;
}

// NGINX runs no access phase for a subrequest; here is what it would have
// said.
ngx_int_t check_subrequest(ngx_http_request_t *r, const LocConf &location,
                           flow::Who who)
{
    if (who == flow::Who::nobody && !policy_of(location).lets_anybody_pass()) {
        ngx::log(NGX_LOG_WARN, r->connection->log,
                 "subrequest refused: its main request was not given a token "
                 "of this provider");
        return NGX_HTTP_UNAUTHORIZED;
    }

    auto *requirement =
        who == flow::Who::session ? unmet(r, location) : nullptr;
    if (requirement != nullptr) {
        ngx::log(NGX_LOG_INFO, r->connection->log,
                 "subrequest refused: \"bff_require\" is not met");
        return requirement->status;
    }
    return NGX_DECLINED;
}

void write_authorization(ngx_http_request_t *r, const RequestContext &ctx,
                         const LocConf &location, flow::Who who)
{
    bool has_token =
        who == flow::Who::session && !ctx.bearer.empty() &&
        location.authorization == ngx_uint_t(flow::Authorization::bearer);

    if (who == flow::Who::client && ctx.authorization) {
        ngx::set_authorization(r, *ctx.authorization, {});
    } else if (has_token) {
        ngx::set_authorization(r, "Bearer ", ctx.bearer.reveal());
    } else {
        ngx::remove_authorization(r);
    }
}

// The client's own were looked for when its request was, and nothing has come
// since.
bool is_without_dpop(ngx_http_request_t *r)
{
    const auto *ctx = r == r->main ? find_context(r) : nullptr;

    return ctx != nullptr && ctx->without_dpop == ngx::end_of_headers(r);
}

// What its own list had is remembered for a location without a session.
void take_dpop(ngx_http_request_t *r, RequestContext &ctx)
{
    auto taken = ngx::take_headers(r, "dpop");
    if (!taken.empty()) {
        ctx.dpop = std::move(taken);
    }
}

// The location asks for a session.
ngx_int_t edit_protected(ngx_http_request_t *r, const LocConf &location,
                         bool has_no_dpop)
{
    auto who = who_is(find_context(r), location);

    if (r != r->main) {
        auto rc = check_subrequest(r, location, who);
        if (rc != NGX_DECLINED) {
            return rc;
        }
    }

    auto &ctx = context(r); // what the client sent, before it goes
    before_edit(r);
    if (who != flow::Who::client && !has_no_dpop) {
        take_dpop(r, ctx);
    }
    write_authorization(r, ctx, location, who);
    ctx.was_edited = true;
    ctx.is_edited = ctx.is_edited || r == r->main;

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
        ngx::set_authorization(r, *ctx->authorization, {});
    } else {
        ngx::remove_authorization(r);
    }
    take_dpop(r, *ctx); // of a client that was let in for it, it is still there
    ctx->without_dpop = {};
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
    if (r->headers_out.status != NGX_HTTP_UNAUTHORIZED || ctx.bearer.empty() ||
        loc_conf(r).authorization != ngx_uint_t(flow::Authorization::bearer)) {
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
    bool has_no_dpop = is_without_dpop(r); // before there are edits

    strip_cookies(r);

    if (location.use != nullptr) {
        return edit_protected(r, location, has_no_dpop);
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
        if (!ctx->set_cookies.empty()) {
            bring_cookies(r, *ctx);
        }
    }

    keep_out_of_caches(r);
}

} // namespace bff::module
