// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What a response tells its browser of its session.
//
// A response may come long after its request. A cookie with older tokens that
// comes after one with newer ones would bring back a refresh token that was
// used already (RT-5), and one of a session that is over would take the place
// of the next. So cookies are made when the response's header goes out, of the
// newest that is known then; what cannot be known is left to the next request.

#include "module/session_news.hpp"

#include "core/session/activity.hpp"

namespace bff::module {
namespace {

session::Change with_renewed(RequestContext &ctx,
                             const session::Change &change);
session::Change still_due(const RequestContext &ctx);
Milliseconds age_of(const RequestContext &ctx);
bool are_stale(const RequestContext &ctx, const session::Session &renewed);
bool is_slow(const RequestContext &ctx);
void put_off(RequestContext &ctx, const session::Rewrite &rewrite);
void write_anew(RequestContext &ctx);

} // namespace

session::Found as_it_stands(const RequestContext &ctx, session::Found found)
{
    return session::without_revoked(std::move(found),
                                    main_conf(ctx.request).revocations);
}

void update(const RequestContext &ctx, session::Found &found)
{
    auto &revocations = main_conf(ctx.request).revocations;
    const auto &refresher = *ctx.provider->refresher;

    // who was logged out is told so, whatever came of a refresh
    session::end_if_revoked(found, revocations);
    if (!refresher.may_have_news(found)) {
        return;
    }

    refresher.update(found);
    if (found.is_newer) {
        session::end_if_revoked(found, revocations);
    }
}

// It is opened once more; one that its store has lost meanwhile stays brief.
void complete(RequestContext &ctx)
{
    if (!ctx.found.session || !ctx.found.session->is_brief) {
        return;
    }

    auto opened = ctx.provider->sessions->find(ctx.cookies.header(), Instant{});
    if (!opened.session || opened.session->id != ctx.found.session->id) {
        return;
    }
    if (opened.session->generation == ctx.found.session->generation) {
        ctx.found.session = std::move(opened.session);
        return;
    }

    // Its store has newer tokens by now. Who has the old ones says so to the
    // refresher, which else would replace the new ones as well.
    auto session = *ctx.found.session;
    session.packed_details = opened.session->packed_details;
    ctx.found.session = std::move(session);
}

// As its new tokens are to find it: the request that wants them may be use.
session::Session as_used(RequestContext &ctx, const session::Change &change)
{
    complete(ctx);

    auto *rewrite = std::get_if<session::Rewrite>(&change);

    return rewrite != nullptr && rewrite->is_used
               ? session::used(*ctx.found.session, instant(ngx_time()))
               : *ctx.found.session;
}

// Does what became of the session. Errors: as the store's.
Result<Done> change_session(RequestContext &ctx, const session::Change &change)
{
    auto what = with_renewed(ctx, change);
    if (auto *rewrite = std::get_if<session::Rewrite>(&what)) {
        put_off(ctx, *rewrite);
        return Done{};
    }
    if (!std::holds_alternative<session::Keep>(what)) {
        ctx.rewrite.reset();
    }

    auto cookies = ctx.provider->sessions->apply(what, ctx.found);
    if (!cookies) {
        ctx.new_tokens.reset(); // nobody is told of them
        return std::move(cookies).error();
    }
    for (const auto &cookie : *cookies) {
        ctx.set_cookies.push_back(cookie.text());
    }
    return Done{};
}

void change_later(RequestContext &ctx, const session::Change &change)
{
    if (auto *rewrite = std::get_if<session::Rewrite>(&change)) {
        put_off(ctx, *rewrite);
    } else if (!std::holds_alternative<session::Keep>(change)) {
        // Cookies that cannot be written do not stop a request that may pass.
        (void)static_cast<bool>(change_session(ctx, change));
    }
}

// Of a session that has ended meanwhile the browser is told nothing: it may
// have another one.
void look_for_renewed(RequestContext &ctx)
{
    if (ctx.granted != ctx.provider) {
        return;
    }

    update(ctx, ctx.found);
    if (ctx.found.is_newer && !are_stale(ctx, *ctx.found.session)) {
        (void)static_cast<bool>(change_session(ctx, still_due(ctx)));
    }
}

// A slow answer may be about a token that has been replaced long ago, or in the
// store from which its details come.
void replace_rejected(RequestContext &ctx)
{
    if (ctx.granted != ctx.provider || !ctx.found.session || is_slow(ctx)) {
        return;
    }

    auto sent = ctx.found.session->generation;
    complete(ctx);
    if (ctx.found.session->generation == sent) {
        ctx.provider->refresher->rejected(*ctx.found.session);
    }
}

void tell_browser(RequestContext &ctx)
{
    take_renewed(ctx);

    if (ctx.rewrite) {
        write_anew(ctx);
    }

    if (ctx.new_tokens) {
        ctx.provider->refresher->delivered(*ctx.new_tokens);
    }
}

namespace {

// --- new tokens ---

bool is_told(const RequestContext &ctx)
{
    const auto &session = ctx.found.session;

    return ctx.new_tokens && session &&
           ctx.new_tokens->generation == session->generation &&
           ctx.new_tokens->id == session->id;
}

// A session that was renewed meanwhile is told to its browser, whatever the
// story was about; once.
session::Change with_renewed(RequestContext &ctx, const session::Change &change)
{
    auto *rewrite = std::get_if<session::Rewrite>(&change);
    bool is_kept = std::holds_alternative<session::Keep>(change);

    if (!ctx.found.is_newer || (rewrite == nullptr && !is_kept)) {
        return change;
    }
    if (is_told(ctx)) {
        return session::Keep{};
    }

    auto session = *ctx.found.session;
    if (rewrite != nullptr && rewrite->is_used) {
        session.active = instant(ngx_time());
        ctx.found.session = session;
    }
    ctx.new_tokens = session;
    return session::Save{session};
}

session::Change still_due(const RequestContext &ctx)
{
    return ctx.rewrite ? session::Change{*ctx.rewrite}
                       : session::Change{session::Keep{}};
}

// By either clock: one that is set back makes no request young.
Milliseconds age_of(const RequestContext &ctx)
{
    Milliseconds by_clock = Seconds{ngx_time() - ctx.request->start_sec};
    return std::max(by_clock, Milliseconds{ngx_current_msec - ctx.began});
}

// A browser that was told of them long ago may have newer ones by now.
bool are_stale(const RequestContext &ctx, const session::Session &renewed)
{
    return age_of(ctx) > store::Flights::kGrace &&
           !ctx.provider->refresher->remembers(renewed);
}

// --- the same tokens, written anew ---

// Tokens that others replaced while a slow answer was made are not seen any
// more some time after the browser was told: the old ones must not come back
// (RT-5). Nor must a session in whose place the browser has another one by
// then. So a rewrite is left to the next request.
bool is_slow(const RequestContext &ctx)
{
    return age_of(ctx) > store::Flights::kGrace / 2;
}

// New tokens that are under way bring this along; who comes back after half
// the idle time does not wait for them.
bool can_wait(const RequestContext &ctx)
{
    const auto &session = *ctx.found.session;

    return ctx.provider->refresher->is_renewing(session) &&
           (!session.idle ||
            session.left(instant(ngx_time())) * 2 > *session.idle);
}

// The use of a session that is kept elsewhere is written down there, now; its
// cookie is only made anew for another seal.
void put_off(RequestContext &ctx, const session::Rewrite &rewrite)
{
    const auto &session = *ctx.found.session;
    auto now = instant(ngx_time());
    bool is_elsewhere = !session.handle.empty();

    if (is_elsewhere && (rewrite.is_used || session::is_ahead(session, now))) {
        ctx.provider->sessions->touch(session, now);
    }
    if (!is_elsewhere || session.has_old_key) {
        ctx.rewrite = rewrite;
    }
}

// Its last use is written down, or its seal is made anew: as the session is
// now, and not as it was when the request came.
void write_anew(RequestContext &ctx)
{
    auto rewrite = *std::exchange(ctx.rewrite, std::nullopt);
    if (!ctx.found.session || is_slow(ctx)) {
        return;
    }

    // first: what lands after this is seen by the look that follows
    bool may_wait = can_wait(ctx);
    auto now = instant(ngx_time());
    ctx.found = as_it_stands(
        ctx, ctx.provider->refresher->latest(std::move(ctx.found)));
    if (!ctx.found.session || (!ctx.found.is_newer && may_wait) ||
        ctx.provider->refresher->is_outdated(*ctx.found.session)) {
        return;
    }

    complete(ctx);
    auto session = session::used(
        *ctx.found.session,
        rewrite.is_used ? now : std::min(ctx.found.session->active, now));
    if (session.is_expired(now)) {
        return;
    }
    ctx.found.session = session;
    if (ctx.found.is_newer) {
        ctx.new_tokens = session;
    }
    (void)static_cast<bool>(change_session(ctx, session::Save{session}));
}

} // namespace

} // namespace bff::module
