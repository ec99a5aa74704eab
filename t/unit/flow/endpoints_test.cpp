// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Which endpoints there are, and with which methods.

#include "flow_stage.hpp"

using namespace bff;
using namespace bff::unit;

namespace {

flow::Reply refusal(FlowStage &stage, std::string_view name,
                    std::string_view method)
{
    auto request = call("/bff/" + std::string{name});
    request.method = method;
    return stage.reply(stage.endpoint(name, request));
}

} // namespace

TEST(answers_404_to_any_other_name)
{
    for (auto name : {"", "Login", "login/", "loginx", "token", "../login",
                      "back-channel"}) {
        FlowStage stage;
        auto reply = refusal(stage, name, "GET");
        ck_assert(is_problem(reply, 404, "bad_request"));
        ck_assert(header(reply, "Allow").empty());
        ck_assert(is_kept(reply.change));
    }
}

TEST(answers_405_with_allow_to_any_other_method)
{
    struct Row {
        std::string_view name, allow;
        std::vector<std::string_view> others;
    };
    const Row rows[] = {
        {"login", "GET, POST", {"HEAD", "PUT", "OPTIONS"}},
        {"callback", "GET, POST", {"HEAD", "PUT", "get"}},
        {"session", "GET, HEAD", {"POST", "DELETE"}},
        {"user", "GET, HEAD", {"POST", "TRACE"}},
        {"userinfo", "GET, HEAD", {"POST", "OPTIONS"}},
        {"refresh", "POST", {"GET", "HEAD", "PUT"}},
        {"logout", "GET, POST", {"HEAD", "PUT"}},
        {"backchannel", "POST", {"GET", "HEAD", "PUT"}},
        {"frontchannel", "GET", {"HEAD", "POST"}},
        {"jwks", "GET, HEAD", {"POST", "PUT", "OPTIONS"}},
    };

    for (const auto &[name, allow, others] : rows) {
        for (auto method : others) {
            FlowStage stage;
            auto reply = refusal(stage, name, method);
            ck_assert(is_problem(reply, 405, "bad_request"));
            ck_assert(header(reply, "Allow") == allow);
            ck_assert(set_cookies(reply).empty());
        }
    }
}

TEST(answers_people_with_a_page)
{
    FlowStage stage;
    auto reply = stage.reply(stage.endpoint("nothing", page("/bff/nothing")));

    ck_assert_int_eq(reply.response.status, 404);
    ck_assert(header(reply, "Content-Type").starts_with("text/html"));
}

TEST(gives_a_story_to_each_good_name_and_method)
{
    for (auto name : {"login", "callback", "session", "user", "userinfo",
                      "logout", "frontchannel", "jwks"}) {
        FlowStage stage;
        auto step = stage.endpoint(name, call("/bff/" + std::string{name}));
        auto reply = stage.reply(std::move(step));
        ck_assert_int_ne(reply.response.status, 404);
        ck_assert_int_ne(reply.response.status, 405);
    }
}

TEST(a_story_that_asks_nobody_says_the_same_whatever_it_is_told)
{
    for (auto name : {"nothing", "jwks", "frontchannel", "session", "user"}) {
        FlowStage stage;
        auto request = call("/bff/" + std::string{name});
        auto first = stage.reply(stage.endpoint(name, request));
        auto second = stage.reply(stage.answer(http(200, "{}")));

        ck_assert_int_eq(second.response.status, first.response.status);
        ck_assert(second.response.body == first.response.body);
        ck_assert(second.error == first.error);
    }
}
