// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What a page gets when it asks for userinfo, and what its session does then.

#include "flow_stage.hpp"

using namespace bff;
using namespace bff::unit;

namespace {

flow::Step ask(FlowStage &stage, BrowserRequest request = call("/"))
{
    request.target = "/bff/userinfo";
    return stage.endpoint("userinfo", request);
}

flow::Reply answered(FlowStage &stage, const flow::Answer &answer)
{
    stage.log_in();
    as_fetch(ask(stage));
    return stage.reply(stage.answer(answer));
}

// Whatever went wrong: the session is not to blame.
void check_kept(const FlowStage &stage, const flow::Reply &reply)
{
    ck_assert(is_kept(reply.change));
    ck_assert_uint_eq(stage.jar.size(), 1);
    ck_assert(set_cookies(reply).empty());
    ck_assert(reply.report.level == flow::Report::Level::error);
    ck_assert(reply.report.text.find("\"corp\"") != std::string::npos);
}

} // namespace

TEST(asks_userinfo_with_the_sessions_token_bff_29)
{
    FlowStage stage;
    stage.log_in();
    auto step = ask(stage);
    const auto &request = as_fetch(step).request;

    ck_assert(as_fetch(step).once == flow::Once::no);
    ck_assert(request.method == "GET");
    ck_assert(request.url == "https://id.example.com/userinfo");
    ck_assert(request.headers[0].name == "Authorization");
    ck_assert(request.headers[0].value ==
              "Bearer " + std::string{kAccessToken});
}

TEST(shows_userinfo_as_the_provider_sent_it_bff_29)
{
    FlowStage stage;
    auto reply = answered(
        stage, http(200, R"({"name": "Alice", "sub": "alice", "x": [1.5]})"));

    ck_assert_int_eq(reply.response.status, 200);
    ck_assert(header(reply, "Content-Type") == "application/json");
    ck_assert_str_eq(reply.response.body.c_str(),
                     R"({"name":"Alice","sub":"alice","x":[1.5]})");
    ck_assert(reply.action == flow::Action::userinfo);
    ck_assert(is_kept(reply.change));
    ck_assert(reply.report.text.empty());
}

TEST(shows_the_payload_of_signed_userinfo_and_no_token_bff_21)
{
    FlowStage stage;
    auto token = mint(rsa_key(), Algorithm::rs256,
                      R"({"iss": "https://id.example.com", "aud": "shop",)"
                      R"( "sub": "alice", "name": "Alice"})");
    stage.secrets.push_back(token);
    auto signed_answer = http(200, token);
    signed_answer->headers = {{"Content-Type", "application/jwt"}};
    auto reply = answered(stage, signed_answer);

    ck_assert_int_eq(reply.response.status, 200);
    ck_assert(header(reply, "Content-Type") == "application/json");
    ck_assert(json::string_at(body(reply).get(), "name") == "Alice");
}

TEST(answers_head_for_userinfo_too)
{
    FlowStage stage;
    stage.log_in();
    auto request = call("/");
    request.method = "HEAD";

    as_fetch(ask(stage, request));
    auto reply = stage.reply(stage.answer(http(200, R"({"sub": "alice"})")));
    ck_assert_int_eq(reply.response.status, 200);
}

TEST(tells_userinfo_to_nobody_who_is_not_logged_in)
{
    FlowStage stage;
    auto none = stage.reply(ask(stage));
    ck_assert(is_problem(none, 401, "no_session"));

    stage.log_in();
    stage.jar.begin()->second.back() ^= 1;
    auto forged = stage.reply(ask(stage));
    ck_assert(is_problem(forged, 401, "no_session"));
    ck_assert(is_forgotten(forged.change));
}

TEST(asks_no_userinfo_with_a_token_that_has_expired)
{
    FlowStage stage;
    stage.log_in();
    auto session = stage.session();
    session.has_refresh_token = false;
    stage.renewed = {session::Found::State::active, session};

    stage.now += Seconds{300};
    auto reply = stage.reply(ask(stage));
    ck_assert(is_problem(reply, 401, "session_expired"));
    ck_assert(is_kept(reply.change));
    ck_assert_uint_eq(stage.jar.size(), 1);
}

TEST(asks_userinfo_with_a_renewed_token_when_the_old_one_has_expired_rt_7)
{
    FlowStage stage;
    stage.log_in();
    auto session = stage.session();
    stage.now += Seconds{300};
    auto step = ask(stage);
    ck_assert(as_fetch(step).once == flow::Once::refresh);

    session.access_token = Secret{std::string_view{"second"}};
    session.access_token_expires = stage.now + Seconds{300};
    stage.renewed = {session::Found::State::active, session, true};
    step = stage.answer(http(200, ""));
    ck_assert(as_fetch(step).request.url == "https://id.example.com/userinfo");
    ck_assert(as_fetch(step).request.headers[0].value == "Bearer second");
}

TEST(asks_no_userinfo_when_the_token_could_not_be_renewed_rt_6)
{
    FlowStage stage;
    stage.log_in();
    stage.now += Seconds{300};

    as_fetch(ask(stage));
    auto reply = stage.reply(stage.answer(failed(Code::unavailable, "away")));
    ck_assert(is_problem(reply, 503, "provider_unavailable"));
    ck_assert(is_kept(reply.change));

    as_fetch(ask(stage));
    stage.renewed = {session::Found::State::expired, {}};
    reply = stage.reply(stage.answer(failed(Code::expired, "over")));
    ck_assert(is_problem(reply, 401, "session_expired"));
    ck_assert(is_forgotten(reply.change));
}

TEST(asks_no_userinfo_for_another_sites_page_bff_10)
{
    FlowStage stage;
    stage.log_in();
    auto reply = stage.reply(ask(stage, foreign_call("/")));

    ck_assert(is_problem(reply, 403, "csrf"));
}

TEST(asks_for_metadata_before_userinfo_when_it_must)
{
    FlowStage stage;
    stage.log_in();
    stage.forget_documents();
    ck_assert(as_fetch(ask(stage)).once == flow::Once::metadata);

    stage.learn_metadata();
    auto step = stage.answer(http(200, ""));
    ck_assert(as_fetch(step).request.url == "https://id.example.com/userinfo");
}

TEST(keeps_the_session_when_userinfo_is_refused)
{
    for (const auto &answer :
         {http(401, "{}"), http(403, "{}"), http(404, ""), http(302, ""),
          http(200, R"({"sub": "bob"})"), http(200, "[]"), http(200, "")}) {
        FlowStage stage;
        auto reply = answered(stage, answer);
        ck_assert(is_problem(reply, 502, "userinfo_invalid"));
        ck_assert(header(reply, "Retry-After").empty());
        check_kept(stage, reply);
    }
}

TEST(keeps_the_session_when_userinfo_is_away)
{
    for (const auto &answer : {http(500, "oops"), http(503, "{}"),
                               failed(Code::unavailable, "timed out")}) {
        FlowStage stage;
        auto reply = answered(stage, answer);
        ck_assert(is_problem(reply, 503, "provider_unavailable"));
        ck_assert(!header(reply, "Retry-After").empty());
        check_kept(stage, reply);
    }
}

TEST(shows_no_userinfo_that_repeats_the_access_token_bff_21)
{
    FlowStage stage;
    auto reply =
        answered(stage, http(200, R"({"sub": "alice", "x": ")" +
                                      std::string{kAccessToken} + "\"}"));

    ck_assert(is_problem(reply, 502, "userinfo_invalid"));
    check_kept(stage, reply);
}

TEST(tells_when_the_provider_has_no_userinfo)
{
    FlowStage stage;
    stage.learn_metadata(R"({"userinfo_endpoint": null})");
    stage.log_in();
    auto reply = stage.reply(ask(stage));

    ck_assert(is_problem(reply, 502, "provider_misconfigured"));
    check_kept(stage, reply);
}

TEST(asking_for_userinfo_uses_the_session_whatever_the_query)
{
    FlowStage stage;
    stage.style.idle = Seconds{600};
    stage.log_in();
    stage.now += Seconds{100};

    as_fetch(stage.endpoint("userinfo", call("/bff/userinfo?slide=false")));
    auto reply = stage.reply(stage.answer(http(200, R"({"sub": "alice"})")));
    ck_assert_int_eq(reply.response.status, 200);
    ck_assert(is_used(reply.change));
}
