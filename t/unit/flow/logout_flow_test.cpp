// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Logout: here, at the provider, and not on anybody else's wish.

#include "flow_stage.hpp"

#include "core/flow/session_info.hpp"

using namespace bff;
using namespace bff::unit;

namespace {

flow::Step open_logout(FlowStage &stage, BrowserRequest request,
                       std::string_view query = "")
{
    request.target = "/bff/logout" + std::string{query};
    return stage.endpoint("logout", request);
}

flow::Reply logout(FlowStage &stage, BrowserRequest request,
                   std::string_view query = "")
{
    return stage.reply(open_logout(stage, std::move(request), query));
}

std::string sid_of(const flow::Reply &login)
{
    return "?sid=" +
           flow::logout_token(std::get<session::Save>(login.change).session);
}

BrowserRequest form_post()
{
    auto request = posted(page("/"));
    request.origin = "https://shop.example.com";
    return request;
}

bool has_session(const FlowStage &stage)
{
    return stage.jar.contains(stage.style.name);
}

std::string logout_url(const flow::Reply &reply)
{
    auto json = body(reply);
    return std::string{
        json::string_at(json.get(), "logout_url").value_or("null")};
}

} // namespace

TEST(ends_the_session_and_tells_the_page_where_to_go_on_ril_2)
{
    FlowStage stage;
    stage.log_in();
    auto reply = logout(stage, posted(call("/")));
    auto url = logout_url(reply);

    ck_assert_int_eq(reply.response.status, 200);
    ck_assert(is_forgotten(reply.change));
    ck_assert(!has_session(stage));
    ck_assert(url.starts_with("https://id.example.com/logout?"));
    ck_assert(parameter(url, "client_id") == kClientId);
    ck_assert(parameter(url, "post_logout_redirect_uri") ==
              "https://shop.example.com/");
    ck_assert_uint_eq(parameter(url, "state").size(), 43);
    ck_assert(reply.action == flow::Action::logout);
    ck_assert(reply.report.text == "session ended for provider \"corp\"");
}

TEST(shows_the_id_token_to_no_script_bff_21)
{
    FlowStage stage;
    stage.log_in();
    auto reply = logout(stage, posted(call("/")));

    ck_assert(parameter(logout_url(reply), "id_token_hint").empty());
}

TEST(sends_a_form_to_the_provider_with_the_hint_ril_3)
{
    FlowStage stage;
    stage.log_in();
    auto reply = logout(stage, form_post());
    auto url = header(reply, "Location");

    ck_assert_int_eq(reply.response.status, 303);
    ck_assert(parameter(url, "id_token_hint") == stage.secrets.back());
    ck_assert(is_forgotten(reply.change));
}

TEST(sends_no_hint_that_was_not_kept)
{
    FlowStage stage;
    stage.client->logout_token_hint = false;
    stage.log_in();
    auto url = header(logout(stage, form_post()), "Location");

    ck_assert(url.starts_with("https://id.example.com/logout?"));
    ck_assert(parameter(url, "id_token_hint").empty());
}

TEST(follows_the_link_that_carries_this_sessions_token_ril_1)
{
    FlowStage stage;
    auto sid = sid_of(stage.log_in());
    auto reply = logout(stage, link_from_elsewhere("/"), sid);

    ck_assert_int_eq(reply.response.status, 302);
    ck_assert(header(reply, "Location")
                  .starts_with("https://id.example.com/logout?"));
    ck_assert(is_forgotten(reply.change));
}

TEST(follows_a_click_on_our_own_page_without_the_token_ril_1)
{
    FlowStage stage;
    stage.log_in();

    ck_assert(is_forgotten(logout(stage, page("/")).change));
}

TEST(ends_nothing_for_anybody_else_ril_1)
{
    FlowStage other;
    other.entropy = std::make_shared<TapeEntropy>(9);
    auto foreign_sid = sid_of(other.log_in());

    auto image = foreign_call("/");
    image.mode = "no-cors";
    image.origin = std::nullopt;
    auto old_browser = page("/");
    old_browser.mode.reset();
    old_browser.site.reset();
    auto fetched = call("/");
    auto sibling = page("/");
    sibling.site = "same-site";
    auto typed = page("/");
    typed.site = "none";

    for (const auto &request : {image, link_from_elsewhere("/"), old_browser,
                                fetched, sibling, typed}) {
        for (const auto &query :
             {std::string{}, std::string{"?sid="}, foreign_sid}) {
            FlowStage stage;
            stage.log_in();
            auto reply = logout(stage, request, query);
            ck_assert(reply.error == "csrf");
            ck_assert_int_eq(reply.response.status, 403);
            ck_assert(is_kept(reply.change));
            ck_assert(has_session(stage));
        }
    }
}

TEST(ends_nothing_for_a_foreign_post_with_or_without_a_session_ril_1)
{
    FlowStage stage;
    auto form = posted(link_from_elsewhere("/"));
    form.origin = "https://evil.example";

    for (const auto &request : {posted(foreign_call("/")), form}) {
        auto reply = logout(stage, request);
        ck_assert(reply.error == "csrf");
        ck_assert(is_kept(reply.change));
    }
    stage.log_in();
    for (const auto &request : {posted(foreign_call("/")), form}) {
        ck_assert(logout(stage, request).error == "csrf");
        ck_assert(has_session(stage));
    }
}

TEST(deletes_no_cookie_that_a_foreign_link_could_not_bring_ck_14)
{
    // The browser has a Strict session cookie and keeps it to itself.
    FlowStage stage;
    auto reply = logout(stage, link_from_elsewhere("/"));

    ck_assert(reply.error == "csrf");
    ck_assert(is_kept(reply.change));
    ck_assert(set_cookies(reply).empty());

    reply = logout(stage, link_from_elsewhere("/"), "?sid=of-one-not-seen");
    ck_assert_int_eq(reply.response.status, 302);
    ck_assert(header(reply, "Location") == "https://shop.example.com/");
    ck_assert(is_kept(reply.change));
    ck_assert(set_cookies(reply).empty());
}

TEST(is_harmless_the_second_time_ril_6)
{
    FlowStage stage;
    auto sid = sid_of(stage.log_in());
    logout(stage, page("/"), sid);

    auto link = logout(stage, page("/"), sid);
    ck_assert(header(link, "Location") == "https://shop.example.com/");

    auto post = logout(stage, posted(call("/")));
    ck_assert_int_eq(post.response.status, 200);
    ck_assert(logout_url(post) == "null");
    ck_assert(is_forgotten(post.change));
}

TEST(needs_no_provider_when_there_is_nothing_to_end)
{
    FlowStage stage;
    stage.forget_documents();

    ck_assert_int_eq(logout(stage, page("/")).response.status, 302);
    ck_assert_int_eq(logout(stage, posted(call("/"))).response.status, 200);
}

TEST(ends_here_where_the_provider_has_no_logout_ril_4)
{
    FlowStage stage;
    stage.learn_metadata(R"({"end_session_endpoint": null})");
    stage.client->post_logout_uri = "/goodbye";
    stage.log_in();
    auto reply = logout(stage, page("/"));
    ck_assert(header(reply, "Location") == "https://shop.example.com/goodbye");
    ck_assert(is_forgotten(reply.change));

    stage.log_in();
    ck_assert(logout_url(logout(stage, posted(call("/")))) == "null");
}

TEST(asks_for_metadata_when_nobody_has_yet)
{
    FlowStage stage;
    stage.log_in();
    stage.forget_documents();
    auto step = open_logout(stage, posted(call("/")));
    ck_assert(as_fetch(step).once == flow::Once::metadata);

    stage.learn_metadata();
    auto reply = stage.reply(stage.answer(http(200, "")));
    ck_assert(logout_url(reply).starts_with("https://id.example.com/logout?"));
    ck_assert(reply.report.level == flow::Report::Level::info);
    ck_assert(!has_session(stage));
}

TEST(ends_here_while_the_provider_is_away_and_says_so)
{
    for (auto code : {Code::unavailable, Code::unsupported, Code::refused}) {
        FlowStage stage;
        stage.log_in();
        stage.forget_documents();
        as_fetch(open_logout(stage, posted(call("/"))));

        auto reply = stage.reply(stage.answer(failed(code, "timed out")));
        ck_assert_int_eq(reply.response.status, 200);
        ck_assert(logout_url(reply) == "null");
        ck_assert(!has_session(stage));
        ck_assert(reply.report.level == flow::Report::Level::warn);
        ck_assert_str_eq(reply.report.text.c_str(),
                         "session ended here, but not at provider \"corp\": "
                         "timed out");
    }
}

TEST(lands_where_the_operator_says)
{
    struct Row {
        std::string_view setting, landing;
    };
    for (const auto &[setting, landing] :
         {Row{"", "https://shop.example.com/"},
          Row{"/bye?x=1", "https://shop.example.com/bye?x=1"},
          Row{"https://www.example.com/bye", "https://www.example.com/bye"}}) {
        FlowStage stage;
        stage.client->post_logout_uri = setting;
        stage.log_in();
        auto url = header(logout(stage, page("/")), "Location");
        ck_assert(parameter(url, "post_logout_redirect_uri") == landing);
        ck_assert(header(logout(stage, page("/")), "Location") == landing);
    }
}

TEST(lands_where_the_page_says_if_that_is_here_ril_5)
{
    FlowStage stage;
    auto sid = sid_of(stage.log_in());
    auto url =
        header(logout(stage, page("/"), sid + "&returnUrl=/bye"), "Location");

    ck_assert(parameter(url, "post_logout_redirect_uri") ==
              "https://shop.example.com/bye");
}

TEST(refuses_to_land_elsewhere_and_ends_nothing_bcp_1)
{
    for (auto bad : {"//evil.example", "https://evil.example/", "%5C%5Cevil",
                     "javascript:alert(1)", ""}) {
        FlowStage stage;
        auto sid = sid_of(stage.log_in());
        auto query = sid + "&returnUrl=" + bad;
        ck_assert(logout(stage, page("/"), query).error == "bad_return_url");
        ck_assert(logout(stage, posted(call("/")), query).error ==
                  "bad_return_url");
        ck_assert(has_session(stage));
    }
}

TEST(refuses_a_query_that_two_parsers_read_differently)
{
    FlowStage stage;
    stage.log_in();

    ck_assert(logout(stage, page("/"), "?sid=a&sid=b").error == "bad_request");
    ck_assert(has_session(stage));
}

TEST(ends_nothing_for_a_prefetch)
{
    FlowStage stage;
    auto sid = sid_of(stage.log_in());

    ck_assert(logout(stage, prefetched(page("/")), sid).error == "bad_request");
    ck_assert(has_session(stage));
}

TEST(refuses_a_host_that_is_none_bff_15)
{
    FlowStage stage;
    stage.log_in();
    auto request = page("/");
    request.host = "a b";

    ck_assert(logout(stage, request).error == "bad_request");
    ck_assert(has_session(stage));
}

TEST(clears_the_remains_of_a_session)
{
    FlowStage stage;
    stage.log_in();
    stage.now += stage.client->session_timeout;
    auto reply = logout(stage, page("/"));

    ck_assert(header(reply, "Location") == "https://shop.example.com/");
    ck_assert(is_forgotten(reply.change));
}

TEST(ends_also_without_random_bytes_for_a_state)
{
    FlowStage stage;
    stage.log_in();
    stage.entropy = std::make_shared<BrokenEntropy>();
    auto reply = logout(stage, page("/"));

    ck_assert(is_forgotten(reply.change));
    ck_assert(parameter(header(reply, "Location"), "state").empty());
}

// --- what a copy of the cookie is worth ---

TEST(ends_the_session_for_its_copies_too_bff_25)
{
    FlowStage stage;
    stage.log_in();
    auto copies = stage.jar;
    logout(stage, posted(call("/")));

    stage.jar = copies;
    auto replayed = stage.reply(stage.access(call("/api/")));
    ck_assert(is_problem(replayed, 401, "session_revoked"));
    ck_assert(is_forgotten(replayed.change));
    ck_assert(!has_session(stage));

    stage.jar = copies;
    auto page_reply = stage.reply(stage.access(page("/orders")));
    ck_assert_int_eq(page_reply.response.status, 302);
}

TEST(remembers_the_end_of_a_session_until_it_would_have_ended_bff_25)
{
    FlowStage stage;
    stage.log_in();
    auto expires = stage.now + stage.client->session_timeout;
    stage.now += Seconds{600};
    logout(stage, posted(call("/")));

    ck_assert_int_eq(stage.revocations.proven.size(), 1);
    ck_assert(stage.revocations.proven[0].until == expires);
}

TEST(revokes_nothing_for_who_may_not_end_it_ril_1)
{
    FlowStage stage;
    stage.log_in();
    logout(stage, posted(foreign_call("/")));
    logout(stage, link_from_elsewhere("/"));

    ck_assert(stage.revocations.is_empty());
}

TEST(clears_the_cache_of_who_was_logged_in)
{
    FlowStage stage;
    stage.log_in();
    ck_assert(header(logout(stage, posted(call("/"))), "Clear-Site-Data") ==
              "\"cache\"");
    ck_assert(
        header(logout(stage, posted(call("/"))), "Clear-Site-Data").empty());
}

// --- the refresh token ---

namespace {

constexpr auto kRevocation =
    R"({"revocation_endpoint": "https://id.example.com/revoke"})";

} // namespace

TEST(revokes_the_refresh_token_afterwards_rev_1)
{
    FlowStage stage;
    stage.learn_metadata(kRevocation);
    stage.log_in();
    auto reply = logout(stage, posted(call("/")));

    ck_assert(reply.errand.has_value());
    const auto &[request, within, report] = *reply.errand;
    auto sent = web::Query::parse(request.body);
    ck_assert(request.url == "https://id.example.com/revoke");
    ck_assert(sent->get("token") == kRefreshToken);
    ck_assert(within == Seconds{2});

    auto done = report(http(200, ""));
    ck_assert(done.level == flow::Report::Level::info);
    ck_assert(done.text == "refresh token revoked at provider \"corp\"");
}

TEST(tells_the_log_of_a_token_that_may_be_alive_rev_2)
{
    FlowStage stage;
    stage.learn_metadata(kRevocation);
    stage.log_in();
    auto reply = logout(stage, posted(call("/")));

    for (const auto &answer :
         {http(503, ""), failed(Code::unavailable, "timed out\n")}) {
        auto failed = reply.errand->report(answer);
        ck_assert(failed.level == flow::Report::Level::warn);
        ck_assert(failed.text.starts_with(
            "refresh token not revoked at provider \"corp\", it may still be "
            "alive: "));
        ck_assert(failed.text.find('\n') == std::string::npos);
    }
}

TEST(revokes_nothing_where_there_is_nothing_to_revoke_rev_1)
{
    FlowStage off;
    off.learn_metadata(kRevocation);
    off.client->revoke = false;
    off.log_in();
    ck_assert(!logout(off, posted(call("/"))).errand);

    FlowStage without_endpoint;
    without_endpoint.log_in();
    ck_assert(!logout(without_endpoint, posted(call("/"))).errand);

    FlowStage nobody;
    nobody.learn_metadata(kRevocation);
    ck_assert(!logout(nobody, posted(call("/"))).errand);

    FlowStage without_token;
    without_token.learn_metadata(kRevocation);
    auto login = without_token.start_login();
    as_fetch(without_token.send_code(login));
    without_token.reply(without_token.answer(without_token.tokens(
        without_token.id_token(login), R"({"refresh_token": null})")));
    ck_assert(!logout(without_token, posted(call("/"))).errand);
}

// --- long hints ---

namespace {

// With an ID token of more than 4000 octets.
void log_in_at_length(FlowStage &stage)
{
    auto login = stage.start_login();
    as_fetch(stage.send_code(login));
    auto long_name = "{\"name\":\"" + std::string(4000, 'n') + "\"}";
    stage.reply(stage.answer(stage.tokens(stage.id_token(login, long_name))));
}

} // namespace

TEST(sends_a_long_hint_in_a_form_that_no_script_can_read_ril_3)
{
    for (bool posts : {false, true}) {
        FlowStage stage;
        log_in_at_length(stage);
        auto reply = logout(stage, posts ? form_post() : page("/"));
        const auto &html = reply.response.body;

        ck_assert_int_eq(reply.response.status, 200);
        ck_assert(html.find("<form method=\"post\" "
                            "action=\"https://id.example.com/logout\">") !=
                  std::string::npos);
        for (auto name : {"id_token_hint", "client_id",
                          "post_logout_redirect_uri", "state"}) {
            ck_assert(html.find("name=\"" + std::string{name} + '"') !=
                      std::string::npos);
        }
        auto policy = header(reply, "Content-Security-Policy");
        ck_assert(policy.find("sandbox allow-forms allow-scripts") !=
                  std::string::npos);
        ck_assert(policy.find("allow-same-origin") == std::string::npos);
        ck_assert(policy.find("frame-ancestors 'none'") != std::string::npos);
        ck_assert(is_forgotten(reply.change));
        ck_assert(!has_session(stage));
    }
}

TEST(sends_no_long_hint_where_a_script_might_read_it_ril_3)
{
    FlowStage stage;
    log_in_at_length(stage);
    auto old_browser = form_post();
    old_browser.mode.reset();
    ck_assert(logout_url(logout(stage, old_browser)).size() < 1000);

    log_in_at_length(stage);
    auto login = stage.reply(stage.endpoint("session", call("/bff/session")));
    auto json = body(login);
    auto link = json::string_at(json.get(), "logout_url").value();
    auto fetched = call("/");
    auto reply = logout(stage, fetched, link.substr(link.find('?')));
    ck_assert_int_eq(reply.response.status, 302);
    ck_assert(parameter(header(reply, "Location"), "id_token_hint").empty());
}
