// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// One request, one story at a time.

#include "module/driver.hpp"

#include "core/base/apart.hpp"
#include "core/flow/access_flow.hpp"
#include "core/flow/problem.hpp"
#include "core/flow/requirement.hpp"
#include "module/reply.hpp"
#include "module/report.hpp"
#include "module/request_view.hpp"
#include "module/requirements.hpp"
#include "module/session_news.hpp"
#include "ngx/boundary.hpp"
#include "ngx/text.hpp"

namespace bff::module {
namespace {

template <class... F> struct Overloaded : F... {
    using F::operator()...;
};
template <class... F> Overloaded(F...) -> Overloaded<F...>; // for clang 14

// --- showing the story what is true now ---

std::string_view extra_auth_args(void *request)
{
    auto *r = static_cast<ngx_http_request_t *>(request);
    auto &written = find_context(r)->provider->extra_auth_args;
    ngx_str_t value{};

    if (written.value.data != nullptr &&
        ngx_http_complex_value(r, &written, &value) != NGX_OK) {
        throw std::bad_alloc{};
    }
    return ngx::view(value);
}

template <class Tell>
flow::Step show(ngx_http_request_t *r, RequestContext &ctx, Tell tell)
{
    auto &main = main_conf(r);
    auto &provider = *ctx.provider;
    auto request = view_of(r, ctx);
    const auto *time = ngx_timeofday();
    auto now = instant(time->sec);

    return tell(flow::Visit{
        request, ctx.found, provider.documents->provider(now), *provider.party,
        *loc_conf(r).origins, main.entropy, main.used_logins, main.used_tokens,
        main.revocations, web::LateText{extra_auth_args, r}, now,
        loc_conf(r).activity == 1, Milliseconds{time->msec}});
}

flow::Step next_step(ngx_http_request_t *r, RequestContext &ctx)
{
    if (!ctx.answer) {
        return show(r, ctx, [&](const flow::Visit &visit) {
            return ctx.story->begin(visit);
        });
    }

    auto answer = std::move(*ctx.answer);
    ctx.answer.reset();
    ctx.found = as_it_stands(ctx, std::move(ctx.found));
    return show(r, ctx, [&](const flow::Visit &visit) {
        return ctx.story->resume(visit, answer);
    });
}

// --- waiting ---

// From an event of the call's own; the context may be gone afterwards.
void resume(RequestContext &ctx, flow::Answer answer)
{
    auto *r = ctx.request;
    auto *c = r->connection;

    ctx.provider_time += ngx_current_msec - ctx.waiting_since;
    ctx.answer.emplace(std::move(answer));
    ctx.call.reset();
    ctx.wait.reset();
    ctx.renewal.reset();

    r->read_event_handler = ngx_http_block_reading;
    r->write_event_handler = ngx_http_core_run_phases;
    MeasuredApart apart{Apart::nginx};
    ngx_http_core_run_phases(r);
    ngx_http_run_posted_requests(c);
}

// As NGINX's limit_req waits: a client that leaves is noticed.
ngx_int_t suspend(ngx_http_request_t *r, RequestContext &ctx)
{
    ctx.waiting_since = ngx_current_msec;

    if (r->connection->read->ready) {
        ngx_post_event(r->connection->read, &ngx_posted_events);
    } else if (ngx_handle_read_event(r->connection->read, 0) != NGX_OK) {
        ctx.call.reset();
        ctx.wait.reset();
        ctx.renewal.reset();
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->read_event_handler = ngx_http_test_reading;
    r->write_event_handler = ngx_http_request_empty_handler;

    return NGX_AGAIN;
}

// What came of the refresh is what the story finds now.
void resume_renewed(RequestContext &ctx, Result<session::Session> renewed)
{
    using State = session::Found::State;

    ctx.details.reset();
    if (renewed) {
        ctx.found = session::renewed(ctx.found, std::move(*renewed));
        resume(ctx, web::HttpResponse{});
        return;
    }

    if (renewed.error().code == Code::expired) {
        auto found = as_it_stands(ctx, std::move(ctx.found));
        ctx.found = found.session ? session::Found{State::expired, std::nullopt}
                                  : std::move(found);
    }
    resume(ctx, std::move(renewed).error());
}

ngx_int_t ask(ngx_http_request_t *r, RequestContext &ctx,
              const flow::Fetch &fetch)
{
    auto &provider = *ctx.provider;

    bool is_early = fetch.once == flow::Once::early_refresh;
    if (is_early || fetch.once == flow::Once::refresh) {
        ctx.renewal =
            provider.refresher->ask(as_used(ctx, fetch.change), is_early,
                                    [&ctx](Result<session::Session> renewed) {
                                        resume_renewed(ctx, std::move(renewed));
                                    });
        return suspend(r, ctx);
    }

    if (fetch.once == flow::Once::no) {
        ctx.call =
            provider.http->start(fetch.request, [&ctx](flow::Answer answer) {
                resume(ctx, std::move(answer));
            });
        return suspend(r, ctx);
    }

    ctx.wait = provider.documents->ask(fetch.once, [&ctx](Result<Done> told) {
        resume(ctx, told ? flow::Answer{web::HttpResponse{}}
                         : flow::Answer{std::move(told).error()});
    });
    return suspend(r, ctx);
}

// --- ending ---

// A session that could not be kept is a login that has failed: its own
// cookie goes, and so does the session before it (CK-22).
flow::Reply not_kept(ngx_http_request_t *r, RequestContext &ctx,
                     const flow::Reply &story, const Error &error)
{
    flow::ProblemDetails details;
    details.report = {flow::Report::Level::error,
                      "login failed: " + error.detail};
    auto reply = flow::problem_reply(flow::Problem::store_unavailable,
                                     view_of(r, ctx), details);

    for (const auto &header : story.response.headers) {
        if (header.name == "Set-Cookie") {
            reply.response.headers.push_back(header);
        }
    }
    reply.change = session::Forget{};
    return reply;
}

ngx_int_t answer(ngx_http_request_t *r, RequestContext &ctx,
                 const flow::Reply &reply)
{
    if (auto kept = change_session(ctx, reply.change); !kept) {
        return answer(r, ctx, not_kept(r, ctx, reply, kept.error()));
    }
    auto &main = main_conf(r);
    auto &provider = *ctx.provider;

    ctx.action = reply.action;
    ctx.error = reply.error;
    write_report(r->connection->log, reply.report, main.warnings);

    auto rc = send(r, ctx, reply.response); // the request may be gone now
    if (reply.errand) {
        main.errands.run(*provider.http, *reply.errand);
    }
    return rc;
}

void take_back(RequestContext &ctx)
{
    ctx.granted = nullptr;
    ctx.own_bearer = nullptr;
    ctx.bearer = {};
}

// Variables tell of this session from here on. Not null: it may not do this,
// and is granted nothing.
const Requirement *grant(ngx_http_request_t *r, RequestContext &ctx,
                         flow::Proceed &proceed)
{
    auto *provider = ctx.provider;
    ctx.granted = proceed.who == flow::Who::session ? provider : nullptr;
    ctx.own_bearer = proceed.who == flow::Who::client ? provider : nullptr;
    ctx.bearer = std::move(proceed.bearer);

    if (ctx.is_stale) {
        forget_stale_values(r, ctx);
    }
    auto *requirement = unmet(r, loc_conf(r));
    if (requirement != nullptr) {
        take_back(ctx);
    }
    return requirement;
}

ngx_int_t forbid(ngx_http_request_t *r, RequestContext &ctx,
                 const flow::Proceed &proceed, int status)
{
    auto step = show(r, ctx, [&](const flow::Visit &visit) -> flow::Step {
        return flow::forbidden_reply(visit, status, proceed.change);
    });
    return answer(r, ctx, std::get<flow::Reply>(step));
}

ngx_int_t let_through(RequestContext &ctx, const flow::Proceed &proceed)
{
    ctx.action = flow::Action::pass;
    if (proceed.renew) {
        ctx.provider->refresher->renew(as_used(ctx, proceed.change));
    }

    change_later(ctx, proceed.change);
    ctx.is_renewing = proceed.renew || ctx.found.is_newer;

    return NGX_DECLINED;
}

ngx_int_t perform(ngx_http_request_t *r, RequestContext &ctx, flow::Step step)
{
    if (auto *fetch = std::get_if<flow::Fetch>(&step)) {
        return ask(r, ctx, *fetch);
    }

    ctx.story.reset();

    return std::visit(
        Overloaded{
            [](flow::Pass &) -> ngx_int_t { return NGX_DECLINED; },
            [](flow::Fetch &) -> ngx_int_t { return NGX_ERROR; },
            [&](flow::Reply &reply) { return answer(r, ctx, reply); },
            [&](flow::Proceed &proceed) {
                auto *unmet = grant(r, ctx, proceed);
                return unmet ? forbid(r, ctx, proceed, unmet->status)
                             : let_through(ctx, proceed);
            },
        },
        step);
}

void begin(ngx_http_request_t *r, RequestContext &ctx, Provider &provider)
{
    take_renewed(ctx); // of before an internal redirect
    if (ctx.provider != &provider) {
        ctx.rewrite.reset(); // of another session
    }
    ctx.provider = &provider;
    ctx.origins = loc_conf(r).origins;
    take_back(ctx);
    ctx.is_stale = std::exchange(ctx.was_asked, false) || ctx.is_stale;
    ctx.is_renewing = false;
    ctx.details.reset();
}

// Most requests end here at once: their story needs no memory of its own.
flow::Step begin_access(ngx_http_request_t *r, RequestContext &ctx,
                        Provider &provider, const flow::Policy &policy)
{
    begin(r, ctx, provider);
    ctx.found = provider.sessions->look(ctx.cookies, instant(ngx_time()));
    update(ctx, ctx.found);

    flow::AccessFlow story{policy};
    auto step = show(
        r, ctx, [&](const flow::Visit &visit) { return story.begin(visit); });
    if (std::holds_alternative<flow::Fetch>(step)) {
        ctx.story = std::make_unique<flow::AccessFlow>(std::move(story));
    }
    return step;
}

} // namespace

flow::Policy policy_of(const LocConf &location)
{
    return {static_cast<flow::Unauthenticated>(location.without_session),
            static_cast<flow::Authorization>(location.authorization),
            location.accept_bearer == 1, location.requirements != nullptr};
}

void peek(ngx_http_request_t *r, Provider &provider)
{
    auto &ctx = context(r);
    auto policy = policy_of(loc_conf(r));
    policy.without_session = flow::Unauthenticated::pass;

    auto step = begin_access(r, ctx, provider, policy);
    ctx.story.reset();

    if (auto *proceed = std::get_if<flow::Proceed>(&step)) {
        (void)grant(r, ctx, *proceed);
        let_through(ctx, *proceed);
    } else if (auto *fetch = std::get_if<flow::Fetch>(&step)) {
        // for the next request
        provider.refresher->renew(as_used(ctx, fetch->change));
        change_later(ctx, fetch->change);
    } else {
        ctx.found = {}; // refused: nobody's session is used here
    }
}

ngx_int_t say(ngx_http_request_t *r, Provider &provider,
              const flow::Reply &reply)
{
    auto &ctx = context(r);

    ctx.provider = &provider;
    ctx.rewrite.reset();
    ctx.origins = loc_conf(r).origins;
    return answer(r, ctx, reply);
}

ngx_int_t tell(ngx_http_request_t *r, Provider &provider,
               const MakeStory &make_story)
{
    auto &ctx = context(r);

    if (ctx.is_waiting()) {
        return NGX_AGAIN;
    }
    if (!ctx.answer) {
        begin(r, ctx, provider);
        ctx.found =
            provider.sessions->find(ctx.cookies.header(), instant(ngx_time()));
        update(ctx, ctx.found);
        ctx.story = make_story();
    }

    return perform(r, ctx, next_step(r, ctx));
}

ngx_int_t tell_access(RequestContext &ctx, const LocConf &location)
{
    auto *r = ctx.request;

    if (ctx.is_waiting()) {
        return NGX_AGAIN;
    }

    return perform(r, ctx,
                   ctx.answer ? next_step(r, ctx)
                              : begin_access(r, ctx, *location.use->provider,
                                             policy_of(location)));
}

} // namespace bff::module
