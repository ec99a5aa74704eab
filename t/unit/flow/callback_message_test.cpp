// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The answer comes in a query, in a form, or through a page; and only in the
// way that was asked for (CB-6).

#include "flow_stage.hpp"

#include "core/session/login_attempt.hpp"

using namespace bff;
using namespace bff::unit;
using Pending = FlowStage::Pending;

namespace {

constexpr std::string_view kIss = "&iss=https%3A%2F%2Fid.example.com";

void use_form_post(FlowStage &stage)
{
    stage.client->response_mode = oidc::ResponseMode::form_post;
    stage.style.login_same_site = web::SameSite::none;
}

std::string answer_to(const Pending &login)
{
    return "code=" + std::string{kCode} + "&state=" + login.state +
           std::string{kIss};
}

std::string told(std::string_view url)
{
    return R"({"url": ")" + std::string{url} + "\"}";
}

flow::Step tell(FlowStage &stage, std::string_view body)
{
    return stage.endpoint("callback", posted_json("/bff/callback", body));
}

flow::Reply finish(FlowStage &stage, const Pending &login)
{
    return stage.reply(stage.answer(stage.tokens(stage.id_token(login))));
}

bool is_not_handled(FlowStage &stage, std::string_view url, bool authenticated)
{
    auto reply = stage.reply(tell(stage, told(url)));
    auto value = body(reply);
    return reply.response.status == 200 && is_kept(reply.change) &&
           json::boolean_at(value.get(), "handled") == false &&
           json::boolean_at(value.get(), "authenticated") == authenticated;
}

} // namespace

TEST(takes_a_form_that_was_asked_for_cb_6)
{
    FlowStage stage;
    use_form_post(stage);
    auto login = stage.start_login("?returnUrl=/orders");
    ck_assert(parameter(login.url, "response_mode") == "form_post");

    as_fetch(stage.endpoint(
        "callback", posted_form("/bff/callback?code=x", answer_to(login))));
    auto reply = finish(stage, login);
    ck_assert(is_saved(reply.change));
    ck_assert(header(reply, "Refresh") == "0; url=/orders");
}

TEST(redirects_after_a_form_with_303_where_the_session_is_lax_bcp_13)
{
    FlowStage stage;
    use_form_post(stage);
    stage.style.same_site = web::SameSite::lax;
    auto login = stage.start_login("?returnUrl=/orders");
    as_fetch(stage.endpoint("callback",
                            posted_form("/bff/callback", answer_to(login))));

    ck_assert_int_eq(finish(stage, login).response.status, 303);
}

TEST(takes_no_form_when_a_query_was_asked_for_cb_6)
{
    FlowStage stage;
    auto login = stage.start_login();
    auto reply = stage.reply(stage.endpoint(
        "callback", posted_form("/bff/callback", answer_to(login))));

    ck_assert(is_problem(reply, 400, "bad_request"));
    ck_assert(set_cookies(reply).empty()); // and uses up nothing
    as_fetch(stage.send_code(login));
}

TEST(takes_no_query_when_a_form_was_asked_for_cb_6)
{
    FlowStage stage;
    use_form_post(stage);
    auto login = stage.start_login();

    for (auto request :
         {link_from_elsewhere(stage.callback(login)),
          posted_json("/bff/callback", told("https://shop.example.com" +
                                            stage.callback(login)))}) {
        auto reply = stage.reply(stage.endpoint("callback", request));
        ck_assert(is_problem(reply, 400, "bad_request"));
        ck_assert(set_cookies(reply).empty());
    }
    as_fetch(stage.endpoint("callback",
                            posted_form("/bff/callback", answer_to(login))));
}

TEST(refuses_a_body_of_another_type_cb_1)
{
    for (auto type : {"", "text/plain", "multipart/form-data; boundary=x"}) {
        FlowStage stage;
        use_form_post(stage);
        auto login = stage.start_login();
        auto request = posted_form("/bff/callback", answer_to(login));
        request.content_type = type;
        auto reply = stage.reply(stage.endpoint("callback", request));
        ck_assert(is_problem(reply, 400, "bad_request"));
        ck_assert(set_cookies(reply).empty());
    }
}

TEST(refuses_a_form_that_two_parsers_read_differently_cb_1)
{
    FlowStage stage;
    use_form_post(stage);
    auto login = stage.start_login();
    auto reply = stage.reply(stage.endpoint(
        "callback",
        posted_form("/bff/callback", answer_to(login) + "&code=other")));

    ck_assert(is_problem(reply, 400, "bad_request"));
}

TEST(lets_a_page_take_the_callback)
{
    FlowStage stage;
    stage.client->redirect_uri = "https://shop.example.com/cb";
    auto login = stage.start_login("?returnUrl=/orders");
    as_fetch(tell(stage, told("https://shop.example.com/cb?" +
                              answer_to(login) + "#top")));
    auto reply = finish(stage, login);
    auto value = body(reply);

    ck_assert(is_saved(reply.change));
    ck_assert_int_eq(reply.response.status, 200);
    ck_assert(header(reply, "Refresh").empty());
    ck_assert(json::boolean_at(value.get(), "handled") == true);
    ck_assert(json::boolean_at(value.get(), "authenticated") == true);
    ck_assert(json::string_at(value.get(), "returnUrl") == "/orders");
}

TEST(tells_a_page_that_a_url_is_no_callback)
{
    for (auto url :
         {"https://shop.example.com/", "https://shop.example.com/bff/callback",
          "https://shop.example.com/bff/callback?code=x",
          "https://shop.example.com/bff/callback?state=x",
          "https://shop.example.com/other?code=x&state=y",
          "https://evil.example/bff/callback?code=x&state=y",
          "http://shop.example.com/bff/callback?code=x&state=y",
          "/bff/callback?code=x&state=y", "", "nonsense"}) {
        FlowStage stage;
        ck_assert_msg(is_not_handled(stage, url, false), "%s", url);
    }

    FlowStage stage;
    stage.log_in();
    ck_assert(is_not_handled(stage, "https://shop.example.com/", true));
}

TEST(tells_a_page_by_code_that_the_provider_refused_cb_4)
{
    FlowStage stage;
    auto login = stage.start_login();
    auto reply =
        stage.reply(tell(stage, told("https://shop.example.com/bff/callback?"
                                     "error=access_denied&state=" +
                                     login.state + std::string{kIss})));
    auto value = body(reply);

    ck_assert(is_problem(reply, 403, "login_refused"));
    ck_assert(json::string_at(value.get(), "provider_error") ==
              "access_denied");
    ck_assert(stage.jar.empty());
}

TEST(refuses_what_a_page_tells_when_it_tells_no_url)
{
    for (auto text : {"", "[]", "{}", R"({"url": 7})", "hello",
                      R"({"url": "a", "url": "b"})"}) {
        FlowStage stage;
        auto reply = stage.reply(tell(stage, text));
        ck_assert_msg(is_problem(reply, 400, "bad_request"), "%s", text);
    }
}

TEST(tells_a_page_that_reloads_its_callback_that_all_is_well_cb_7)
{
    FlowStage stage;
    auto login = stage.start_login("?returnUrl=/orders");
    auto url =
        told("https://shop.example.com/bff/callback?" + answer_to(login));
    as_fetch(tell(stage, url));
    finish(stage, login);

    auto reply = stage.reply(tell(stage, url));
    auto value = body(reply);
    ck_assert(is_kept(reply.change));
    ck_assert(json::boolean_at(value.get(), "handled") == true);
    ck_assert(json::string_at(value.get(), "returnUrl") == "/");
}
