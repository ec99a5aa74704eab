// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// A request to a protected location: with a session, without one, and from
// somebody else's page.

#include "flow_stage.hpp"

#include "core/session/login_attempt.hpp"

using namespace bff;
using namespace bff::unit;
using flow::Unauthenticated;

namespace {

std::string remembered_path(FlowStage &stage, const flow::Reply &reply)
{
    auto state = parameter(header(reply, "Location"), "state");
    auto name = session::login_cookie_name(stage.style, state);
    auto attempt = session::read_login(name + '=' + stage.jar[name], state,
                                       stage.style, stage.keys, stage.now);
    ck_assert(static_cast<bool>(attempt));
    return attempt->return_path;
}

void log_in_without_refresh_token(FlowStage &stage)
{
    auto login = stage.start_login();
    as_fetch(stage.send_code(login));
    stage.reply(stage.answer(
        stage.tokens(stage.id_token(login), R"({"refresh_token": null})")));
}

// The session of the jar, with another access token.
session::Found newer(const FlowStage &stage, std::string_view access_token)
{
    auto session = stage.session();
    session.generation++;
    session.access_token = Secret{access_token};
    session.access_token_expires = stage.now + Seconds{300};
    return {session::Found::State::active, session, true};
}

} // namespace

TEST(lets_our_pages_through_with_the_access_token)
{
    FlowStage stage;
    stage.log_in();

    for (const auto &request :
         {call("/api/cart"), posted(call("/api/cart")), page("/orders")}) {
        auto step = stage.access(request);
        ck_assert(as_proceed(step).bearer.reveal() == kAccessToken);
        ck_assert(is_kept(as_proceed(step).change));
    }
}

TEST(gives_no_token_to_requests_of_other_sites_bff_10)
{
    FlowStage stage;
    stage.log_in();

    auto image = call("/api/cart"); // <img src=...>
    image.csrf_header = "";
    image.mode = "no-cors";
    image.site = "cross-site";
    auto form = posted(link_from_elsewhere("/api/cart"));
    form.origin = "null";

    for (const auto &request :
         {foreign_call("/api/cart"), posted(foreign_call("/api/cart")), image,
          form}) {
        auto reply = stage.reply(stage.access(request));
        ck_assert(reply.error == "csrf");
        ck_assert_int_eq(reply.response.status, 403);
        ck_assert(is_kept(reply.change));
        ck_assert(reply.report.level == flow::Report::Level::warn);
    }
}

TEST(gives_no_token_to_a_sibling_subdomain_bff_13)
{
    FlowStage stage;
    stage.log_in();
    auto request = call("/api/cart");
    request.site = "same-site";
    request.origin = "https://blog.example.com";

    ck_assert(is_problem(stage.reply(stage.access(request)), 403, "csrf"));
}

TEST(gives_the_token_to_origins_that_are_trusted)
{
    FlowStage stage;
    stage.log_in();
    stage.origins.trusted = {"https://app.example.com"};
    auto request = call("/api/cart");
    request.site = "same-site";
    request.origin = "https://app.example.com";

    ck_assert(!as_proceed(stage.access(request)).bearer.empty());
}

TEST(gives_no_token_when_nothing_shows_where_a_request_comes_from_bff_11)
{
    FlowStage stage;
    stage.log_in();
    auto request = call("/api/cart");
    request.mode.reset();
    request.site.reset();
    ck_assert(!as_proceed(stage.access(request)).bearer.empty());

    request.csrf_header = "";
    ck_assert(is_problem(stage.reply(stage.access(request)), 403, "csrf"));
}

TEST(uses_a_token_until_it_ends)
{
    FlowStage stage;
    stage.log_in();

    stage.now += Seconds{299};
    ck_assert(!as_proceed(stage.access(call("/api/"))).bearer.empty());

    stage.now += Seconds{1};
    as_fetch(stage.access(call("/api/")));
}

TEST(token_that_has_ended_and_cannot_be_renewed_is_no_session)
{
    FlowStage stage;
    log_in_without_refresh_token(stage);

    stage.now += Seconds{299};
    ck_assert(!as_proceed(stage.access(call("/api/"))).renew);

    stage.now += Seconds{1};
    auto reply = stage.reply(stage.access(call("/api/")));
    ck_assert(is_problem(reply, 401, "session_expired"));
    ck_assert(is_kept(reply.change));
}

TEST(token_near_its_end_is_used_while_it_is_renewed_rt_7)
{
    FlowStage stage;
    stage.log_in();

    stage.now += Seconds{269};
    ck_assert(!as_proceed(stage.access(call("/api/"))).renew);

    stage.now += Seconds{1};
    auto step = stage.access(call("/api/"));
    ck_assert(as_proceed(step).renew);
    ck_assert(as_proceed(step).bearer.reveal() == kAccessToken);

    stage.client->refresh_before = Seconds{0};
    ck_assert(!as_proceed(stage.access(call("/api/"))).renew);
}

TEST(token_that_has_ended_is_renewed_first_rt_7)
{
    FlowStage stage;
    stage.log_in();
    stage.now += Seconds{300};

    auto step = stage.access(call("/api/"));
    ck_assert(as_fetch(step).once == flow::Once::refresh);
    ck_assert(as_fetch(step).request.url.empty());

    stage.renewed = newer(stage, "second-access-token");
    step = stage.answer(http(200, ""));
    ck_assert(as_proceed(step).bearer.reveal() == "second-access-token");
}

TEST(new_token_that_has_ended_already_is_not_renewed_again_rt_7)
{
    FlowStage stage;
    stage.log_in();
    stage.now += Seconds{300};
    as_fetch(stage.access(call("/api/")));

    stage.renewed = newer(stage, "second-access-token");
    auto ended = *stage.renewed->session;
    ended.access_token_expires = stage.now;
    stage.renewed->session = ended;
    auto step = stage.answer(http(200, ""));
    ck_assert(as_proceed(step).bearer.reveal() == "second-access-token");
}

TEST(request_of_another_site_renews_nothing_bff_10)
{
    FlowStage stage;
    stage.log_in();
    stage.now += Seconds{300};

    ck_assert(
        is_problem(stage.reply(stage.access(foreign_call("/"))), 403, "csrf"));
}

TEST(session_that_ended_at_its_refresh_is_forgotten_rt_6)
{
    for (const auto &request : {call("/api/"), page("/orders")}) {
        FlowStage stage;
        stage.log_in();
        stage.now += Seconds{300};
        as_fetch(stage.access(request));

        stage.renewed = {session::Found::State::expired, {}};
        auto reply =
            stage.reply(stage.answer(failed(Code::expired, "it is over")));
        ck_assert(is_forgotten(reply.change));
        ck_assert(reply.response.status == 302 ||
                  is_problem(reply, 401, "session_expired"));
    }
}

TEST(session_that_could_not_be_renewed_stays_rt_6)
{
    for (auto policy : {Unauthenticated::automatic, Unauthenticated::pass}) {
        FlowStage stage;
        stage.log_in();
        stage.now += Seconds{300};

        as_fetch(stage.access(call("/api/"), {policy}));
        auto away = stage.reply(stage.answer(
            Error{Code::unavailable, "connection refused", Seconds{7}}));
        ck_assert(is_problem(away, 503, "provider_unavailable"));
        ck_assert(header(away, "Retry-After") == "7");
        ck_assert(is_kept(away.change));

        as_fetch(stage.access(call("/api/"), {policy}));
        auto faulty = stage.reply(
            stage.answer(failed(Code::unsupported, "invalid_client")));
        ck_assert(is_problem(faulty, 502, "provider_misconfigured"));
        ck_assert(is_kept(faulty.change));
    }
}

TEST(uses_a_token_of_unknown_lifetime_as_long_as_the_session_lasts_cb_8)
{
    FlowStage stage;
    auto login = stage.start_login();
    as_fetch(stage.send_code(login));
    stage.reply(stage.answer(
        stage.tokens(stage.id_token(login), R"({"expires_in": null})")));

    stage.now += stage.client->session_timeout - Seconds{1};
    ck_assert(!as_proceed(stage.access(call("/api/"))).bearer.empty());

    stage.now += Seconds{1};
    auto reply = stage.reply(stage.access(call("/api/")));
    ck_assert(is_problem(reply, 401, "session_expired"));
    ck_assert(is_forgotten(reply.change));
}

TEST(checks_the_origin_before_it_tells_that_a_token_has_ended)
{
    FlowStage stage;
    stage.log_in();
    stage.now += Seconds{300};

    ck_assert(is_problem(stage.reply(stage.access(foreign_call("/api/"))), 403,
                         "csrf"));
}

TEST(tells_scripts_without_a_session_where_to_log_in)
{
    FlowStage stage;
    auto reply = stage.reply(stage.access(call("/api/cart")));

    ck_assert(is_problem(reply, 401, "no_session"));
    ck_assert(header(reply, "WWW-Authenticate") == "Bff login=\"/bff/login\"");
    ck_assert(json::string_at(body(reply).get(), "login_url") == "/bff/login");
    ck_assert(is_kept(reply.change));
    ck_assert(set_cookies(reply).empty());
}

TEST(tells_foreign_pages_without_a_session_nothing_but_401)
{
    FlowStage stage;

    ck_assert(is_problem(stage.reply(stage.access(foreign_call("/api/"))), 401,
                         "no_session"));
}

TEST(sends_a_page_without_a_session_to_login_and_back_bff_23)
{
    FlowStage stage;
    auto reply = stage.reply(stage.access(page("/orders?id=7%2f8&x=%C3%A4")));

    ck_assert_int_eq(reply.response.status, 302);
    ck_assert(header(reply, "Location")
                  .starts_with("https://id.example.com/authorize?"));
    ck_assert(reply.action == flow::Action::login);
    ck_assert(remembered_path(stage, reply) == "/orders?id=7%2f8&x=%C3%A4");
}

TEST(begins_no_login_for_a_prefetched_page_cb_6)
{
    for (auto policy :
         {Unauthenticated::automatic, Unauthenticated::redirect}) {
        FlowStage stage;
        auto reply =
            stage.reply(stage.access(prefetched(page("/orders")), {policy}));

        ck_assert(is_problem(reply, 401, "no_session"));
        ck_assert(set_cookies(reply).empty());
    }

    FlowStage member;
    member.log_in();
    as_proceed(member.access(prefetched(page("/orders"))));
}

TEST(does_not_send_a_posted_form_back_to_where_it_was_posted)
{
    FlowStage stage;
    auto reply = stage.reply(stage.access(posted(page("/orders"))));

    ck_assert_int_eq(reply.response.status, 302);
    ck_assert(remembered_path(stage, reply) == "/");
}

TEST(remembers_no_target_that_could_lead_to_another_host_bcp_1)
{
    for (auto target : {"//evil.example/", "/\\evil.example", "/%5cevil",
                        "https://evil.example/"}) {
        FlowStage stage;
        auto reply = stage.reply(stage.access(page(target)));
        ck_assert(remembered_path(stage, reply) == "/");
    }
}

TEST(waits_for_metadata_and_then_logs_in)
{
    FlowStage stage;
    stage.forget_documents();
    auto step = stage.access(page("/orders"));
    ck_assert(as_fetch(step).once == flow::Once::metadata);

    stage.learn_metadata();
    auto reply = stage.reply(stage.answer(http(200, "")));
    ck_assert(remembered_path(stage, reply) == "/orders");
}

TEST(tells_a_page_when_the_provider_is_away)
{
    FlowStage stage;
    stage.forget_documents();
    as_fetch(stage.access(page("/orders")));

    auto reply =
        stage.reply(stage.answer(failed(Code::unavailable, "refused")));
    ck_assert(is_problem(reply, 503, "provider_unavailable"));
}

TEST(lets_live_sessions_through_while_the_provider_is_away)
{
    FlowStage stage;
    stage.log_in();
    stage.forget_documents();

    ck_assert(!as_proceed(stage.access(call("/api/"))).bearer.empty());
}

TEST(bounces_a_link_of_another_site_once_ck_14)
{
    FlowStage stage;
    auto reply = stage.reply(stage.access(link_from_elsewhere("/a?b=c&d")));

    ck_assert_int_eq(reply.response.status, 200);
    ck_assert(header(reply, "Refresh") == "0; url=/a?b=c&d");
    ck_assert(reply.action == flow::Action::bounce);
    ck_assert(set_cookies(reply).empty());

    // what the page's own navigation then gets
    auto again = stage.reply(stage.access(page("/a?b=c&d")));
    ck_assert_int_eq(again.response.status, 302);
}

TEST(bounces_to_this_site_only_bcp_1)
{
    FlowStage stage;
    auto reply = stage.reply(stage.access(link_from_elsewhere("//evil/")));

    ck_assert(header(reply, "Refresh") == "0; url=/");
}

TEST(bounces_to_what_is_too_long_to_remember_ck_14)
{
    FlowStage stage;
    auto target = "/?" + std::string(5000, 'a');
    auto link = link_from_elsewhere(target);

    ck_assert(header(stage.reply(stage.access(link)), "Refresh") ==
              "0; url=" + target);
}

TEST(bounces_nothing_that_a_strict_cookie_cannot_explain)
{
    FlowStage lax;
    lax.style.same_site = web::SameSite::lax;
    auto link = link_from_elsewhere("/a");
    ck_assert_int_eq(lax.reply(lax.access(link)).response.status, 302);

    FlowStage form;
    auto post = posted(link);
    ck_assert_int_eq(form.reply(form.access(post)).response.status, 302);

    FlowStage over; // the cookie came along
    over.log_in();
    over.now += over.client->session_timeout;
    ck_assert_int_eq(over.reply(over.access(link)).response.status, 302);

    FlowStage api;
    auto reply = api.reply(api.access(link, {Unauthenticated::unauthorized}));
    ck_assert(is_problem(reply, 401, "no_session"));
}

TEST(lets_everybody_pass_without_a_token_when_told_so)
{
    FlowStage stage;
    flow::Policy pass{Unauthenticated::pass};

    for (const auto &request :
         {call("/api/"), page("/"), link_from_elsewhere("/"),
          foreign_call("/api/")}) {
        auto step = stage.access(request, pass);
        ck_assert(as_proceed(step).bearer.empty());
        ck_assert(is_kept(as_proceed(step).change));
    }
}

TEST(does_not_let_a_foreign_page_pass_that_brings_a_session_bff_10)
{
    FlowStage stage;
    stage.log_in();
    auto step = stage.access(foreign_call("/api/"), {Unauthenticated::pass});

    ck_assert(is_problem(stage.reply(std::move(step)), 403, "csrf"));
}

TEST(clears_what_is_no_session_also_while_passing)
{
    FlowStage stage;
    stage.log_in();
    stage.now += stage.client->session_timeout;
    auto step = stage.access(call("/api/"), {Unauthenticated::pass});

    ck_assert(as_proceed(step).bearer.empty());
    ck_assert(is_forgotten(as_proceed(step).change));
}

TEST(sends_scripts_to_login_and_pages_to_401_when_told_so)
{
    FlowStage stage;
    auto sent =
        stage.reply(stage.access(call("/api/"), {Unauthenticated::redirect}));
    ck_assert_int_eq(sent.response.status, 302);
    ck_assert(remembered_path(stage, sent) == "/");

    // an old browser, which says neither what it does nor what it likes
    auto old = page("/a?b");
    old.mode.reset();
    auto back = stage.reply(stage.access(old, {Unauthenticated::redirect}));
    ck_assert(remembered_path(stage, back) == "/a?b");

    auto refused =
        stage.reply(stage.access(page("/"), {Unauthenticated::unauthorized}));
    ck_assert(is_problem(refused, 401, "no_session"));
    ck_assert(header(refused, "Content-Type").starts_with("text/html"));
}

TEST(takes_a_forged_cookie_for_no_session_and_reports_it_bff_9)
{
    FlowStage stage;
    stage.log_in();
    auto good = stage.jar[stage.style.name];

    for (size_t at = 0; at < good.size(); at += 7) {
        auto bad = good;
        bad[at] = bad[at] == 'A' ? 'B' : 'A';
        if (bad == good) {
            continue;
        }
        stage.jar[stage.style.name] = bad;
        auto reply = stage.reply(stage.access(call("/api/")));
        ck_assert(is_problem(reply, 401, "no_session"));
        ck_assert(is_forgotten(reply.change));
        ck_assert(reply.report.level == flow::Report::Level::warn);
    }
}

TEST(sends_a_page_with_a_forged_cookie_to_login_without_it)
{
    FlowStage stage;
    stage.jar[stage.style.name] = "1forged";
    auto reply = stage.reply(stage.access(page("/orders")));

    ck_assert_int_eq(reply.response.status, 302);
    ck_assert(is_forgotten(reply.change));
    ck_assert(reply.report.level == flow::Report::Level::warn);
    ck_assert(!stage.jar.contains(stage.style.name));
}

TEST(takes_no_cookie_of_another_provider_bff_44)
{
    FlowStage stage;
    stage.log_in();
    stage.style.provider = "other";

    ck_assert(is_problem(stage.reply(stage.access(call("/api/"))), 401,
                         "no_session"));
}

TEST(request_that_gets_the_token_is_use_of_the_session)
{
    FlowStage stage;
    stage.style.idle = Seconds{600};
    stage.log_in();
    ck_assert(is_kept(as_proceed(stage.access(call("/api/"))).change));

    stage.now += Seconds{100};
    ck_assert(is_used(as_proceed(stage.access(call("/api/"))).change));
    stage.is_activity = false;
    ck_assert(is_kept(as_proceed(stage.access(call("/api/"))).change));
}

TEST(request_that_is_refused_is_no_use_bff_10)
{
    FlowStage stage;
    stage.style.idle = Seconds{600};
    stage.log_in();
    stage.now += Seconds{100};

    ck_assert(is_kept(stage.reply(stage.access(foreign_call("/"))).change));
}

TEST(request_that_waits_for_tokens_is_use_whatever_comes_of_it)
{
    FlowStage stage;
    stage.style.idle = Seconds{600};
    stage.log_in();
    stage.now += Seconds{300};

    auto step = stage.access(call("/api/"));
    ck_assert(is_used(as_fetch(step).change));
    auto reply = stage.reply(stage.answer(failed(Code::unavailable, "gone")));
    ck_assert(is_problem(reply, 503, "provider_unavailable"));
    ck_assert(is_used(reply.change));

    as_fetch(stage.access(call("/api/")));
    stage.renewed = newer(stage, "second-access-token");
    step = stage.answer(http(200, ""));
    ck_assert(is_used(as_proceed(step).change));
}

TEST(session_that_nobody_used_leads_to_login)
{
    FlowStage stage;
    stage.style.idle = Seconds{200};
    stage.log_in();
    stage.now += Seconds{200};

    auto refused = stage.reply(stage.access(call("/api/")));
    ck_assert(is_problem(refused, 401, "session_expired"));
    ck_assert(is_forgotten(refused.change));
}

// --- bff_require, bff_accept_bearer, bff_authorization ---

TEST(says_in_whose_name_a_request_goes_on)
{
    FlowStage stage;
    flow::Policy pass{Unauthenticated::pass};
    ck_assert(as_proceed(stage.access(call("/api/"), pass)).who ==
              flow::Who::nobody);

    stage.log_in();
    ck_assert(as_proceed(stage.access(call("/api/"), pass)).who ==
              flow::Who::session);
    stage.now += Seconds{300};
    as_fetch(stage.access(call("/api/"), pass));
    stage.renewed = newer(stage, "new-token");
    ck_assert(as_proceed(stage.answer(http(200, ""))).who ==
              flow::Who::session);
}

TEST(lets_nobody_pass_where_something_is_required)
{
    FlowStage stage;
    flow::Policy policy{Unauthenticated::pass};
    policy.accepts_bearer = true;
    policy.has_requirements = true;
    auto request = call("/api/");

    ck_assert(is_problem(stage.reply(stage.access(request, policy)), 401,
                         "no_session"));
    request.authorization = "Bearer mine";
    ck_assert(is_problem(stage.reply(stage.access(request, policy)), 401,
                         "no_session"));
}

TEST(lets_clients_with_a_token_of_their_own_in_where_it_is_accepted)
{
    FlowStage stage;
    flow::Policy policy;
    policy.accepts_bearer = true;
    auto request = posted(foreign_call("/api/"));
    request.authorization = "Bearer mine";

    auto step = stage.access(request, policy);
    ck_assert(as_proceed(step).who == flow::Who::client);
    ck_assert(as_proceed(step).bearer.empty());
    ck_assert(is_kept(as_proceed(step).change));

    ck_assert(
        is_problem(stage.reply(stage.access(request)), 401, "no_session"));
    request.authorization = "Basic YTpi";
    ck_assert(is_problem(stage.reply(stage.access(request, policy)), 401,
                         "no_session"));
}

TEST(believes_no_token_beside_a_cookie_of_the_session_s_name)
{
    FlowStage stage;
    flow::Policy policy;
    policy.accepts_bearer = true;
    auto request = call("/api/");
    request.authorization = "Bearer mine";

    stage.jar[stage.style.name + ".1"] = "junk";
    ck_assert(is_problem(stage.reply(stage.access(request, policy)), 401,
                         "no_session"));

    stage.jar.clear();
    stage.log_in();
    auto step = stage.access(request, policy);
    ck_assert(as_proceed(step).who == flow::Who::session);
    ck_assert(as_proceed(step).bearer.reveal() == kAccessToken);

    auto foreign = foreign_call("/api/");
    foreign.authorization = "Bearer mine";
    ck_assert(
        is_problem(stage.reply(stage.access(foreign, policy)), 403, "csrf"));

    stage.now += stage.client->session_timeout;
    ck_assert(is_problem(stage.reply(stage.access(request, policy)), 401,
                         "session_expired"));
}

TEST(waits_for_no_token_where_none_goes_upstream)
{
    FlowStage stage;
    stage.log_in();
    flow::Policy off;
    off.authorization = flow::Authorization::off;
    stage.now += Seconds{300};

    auto step = stage.access(call("/api/"), off);
    ck_assert(as_proceed(step).who == flow::Who::session);
    ck_assert(as_proceed(step).bearer.empty());
    ck_assert(as_proceed(step).renew);
    ck_assert(is_problem(stage.reply(stage.access(foreign_call("/api/"), off)),
                         403, "csrf"));

    stage.now += stage.client->session_timeout;
    ck_assert(is_problem(stage.reply(stage.access(call("/api/"), off)), 401,
                         "session_expired"));
}
