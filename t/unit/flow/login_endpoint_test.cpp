// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// A page drives the login: it asks by POST where to send the browser, may
// choose what login_args allows, and may ask without being seen.

#include "flow_stage.hpp"

#include "core/session/login_attempt.hpp"

using namespace bff;
using namespace bff::unit;

namespace {

flow::Step ask(FlowStage &stage, std::string_view body)
{
    return stage.endpoint("login", posted_json("/bff/login", body));
}

std::string url_of(const flow::Reply &reply)
{
    auto value = body(reply);
    return std::string{
        json::string_at(value.get(), "authorization_url").value_or("")};
}

session::LoginAttempt attempt_of(FlowStage &stage, std::string_view url)
{
    std::string cookies;
    for (const auto &[name, value] : stage.jar) {
        cookies += (cookies.empty() ? "" : "; ") + name + "=" + value;
    }
    return *session::read_login(cookies, parameter(url, "state"), stage.style,
                                stage.keys, stage.now);
}

bool is_refused(std::string_view body, std::string_view code)
{
    FlowStage stage;
    auto reply = stage.reply(ask(stage, body));
    return is_problem(reply, 400, code) && stage.jar.empty();
}

} // namespace

TEST(tells_a_page_where_to_send_the_browser)
{
    FlowStage stage;
    auto reply = stage.reply(ask(stage, R"({"returnUrl": "/orders?a=%20b"})"));
    auto url = url_of(reply);

    ck_assert_int_eq(reply.response.status, 200);
    ck_assert(header(reply, "Content-Type") == "application/json");
    ck_assert(header(reply, "Location").empty());
    ck_assert(url.starts_with("https://id.example.com/authorize?"));
    ck_assert(parameter(url, "redirect_uri") ==
              "https://shop.example.com/bff/callback");
    ck_assert(attempt_of(stage, url).return_path == "/orders?a=%20b");
    ck_assert(reply.action == flow::Action::login);
}

TEST(takes_an_empty_body_for_no_wishes)
{
    for (auto text : {"", "{}", R"({"params": {}})"}) {
        FlowStage stage;
        auto url = url_of(stage.reply(ask(stage, text)));
        ck_assert(attempt_of(stage, url).return_path == "/");
    }
}

TEST(passes_the_login_args_of_a_body_and_no_others)
{
    FlowStage stage;
    auto url = url_of(stage.reply(ask(stage, R"({"params": {
        "prompt": "login", "max_age": 60, "login_hint": "a@b.c",
        "scope": "admin", "state": "mine", "unknown": "x"}})")));

    ck_assert(parameter(url, "prompt") == "login");
    ck_assert(parameter(url, "max_age") == "60");
    ck_assert(parameter(url, "login_hint") == "a@b.c");
    ck_assert(parameter(url, "scope") == "openid");
    ck_assert(parameter(url, "state") != "mine");
    ck_assert(url.find("unknown") == std::string::npos);
    ck_assert(attempt_of(stage, url).max_age == Seconds{60});
}

TEST(refuses_a_body_that_says_something_else)
{
    for (auto text :
         {"hello", "[]", "7", R"({"returnUrl": 7})", R"({"returnUrl": null})",
          R"({"params": []})", R"({"params": {"prompt": true}})",
          R"({"params": {"prompt": ["login"]}})",
          R"({"params": {"max_age": "soon"}})",
          R"({"params": {"max_age": -1}})",
          R"({"returnUrl": "/a", "returnUrl": "/b"})"}) {
        ck_assert_msg(is_refused(text, "bad_request"), "%s", text);
    }
}

TEST(refuses_a_return_url_of_a_body_that_leads_elsewhere_bcp_1)
{
    for (auto text : {R"({"returnUrl": "//evil.example"})",
                      R"({"returnUrl": "https://evil.example/"})",
                      R"({"returnUrl": "/\\evil"})", R"({"returnUrl": ""})"}) {
        ck_assert_msg(is_refused(text, "bad_return_url"), "%s", text);
    }
}

TEST(refuses_a_body_that_is_no_json_by_its_own_word)
{
    for (auto type : {"", "text/plain", "application/x-www-form-urlencoded",
                      "application/jsonp"}) {
        FlowStage stage;
        auto request = posted_json("/bff/login", "{}");
        request.content_type = type;
        auto reply = stage.reply(stage.endpoint("login", request));
        ck_assert(is_problem(reply, 400, "bad_request"));
        ck_assert(stage.jar.empty());
    }
}

TEST(tells_another_sites_page_nothing_bff_10)
{
    FlowStage stage;
    auto reply = stage.reply(
        stage.endpoint("login", posted(foreign_call("/bff/login"))));

    ck_assert(is_problem(reply, 403, "csrf"));
    ck_assert(stage.jar.empty());
}

TEST(remembers_which_acr_values_were_sent_idt_16)
{
    FlowStage stage;
    auto login = stage.start_login("?acr_values=gold%20silver");
    ck_assert(attempt_of(stage, login.url).acr_values == "gold silver");

    stage.extra_auth_args = "acr_values=platinum";
    login = stage.start_login("?acr_values=gold");
    ck_assert(attempt_of(stage, login.url).acr_values == "platinum");

    login = stage.start_login();
    stage.extra_auth_args.clear();
    ck_assert(attempt_of(stage, stage.start_login().url).acr_values.empty());
}

TEST(remembers_that_nobody_is_looking)
{
    FlowStage stage;
    ck_assert(
        attempt_of(stage, stage.start_login("?prompt=none").url).is_silent);
    ck_assert(
        !attempt_of(stage, stage.start_login("?prompt=login").url).is_silent);
    ck_assert(!attempt_of(stage, stage.start_login().url).is_silent);
}

TEST(tells_the_application_that_a_silent_login_cannot_begin)
{
    FlowStage stage;
    stage.forget_documents();
    as_fetch(stage.endpoint(
        "login",
        page("/bff/login?prompt=none&returnUrl=%2Fquiet%3Fa%3D1%23x")));
    auto reply = stage.reply(
        stage.answer(failed(Code::unavailable, "connect() failed")));

    ck_assert(is_problem(reply, 503, "provider_unavailable"));
    ck_assert(header(reply, "Content-Type") == "application/problem+json");
    ck_assert(header(reply, "Refresh") ==
              "0; url=/quiet?a=1&bff_error=provider_unavailable#x");
}

TEST(offers_people_the_same_login_again_when_the_provider_was_away)
{
    FlowStage stage;
    stage.forget_documents();
    as_fetch(stage.endpoint("login", page("/bff/login?returnUrl=%2Forders")));
    auto reply = stage.reply(
        stage.answer(failed(Code::unavailable, "connect() failed")));

    ck_assert(is_problem(reply, 503, "provider_unavailable"));
    ck_assert(header(reply, "Refresh").empty());
    ck_assert(reply.response.body.find(
                  "href=\"/bff/login?returnUrl=%2Forders\">Try again") !=
              std::string::npos);
}
