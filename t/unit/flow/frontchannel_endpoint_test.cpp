// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Front-channel logout: in a frame of the provider's, without cookies.

#include "flow_stage.hpp"

using namespace bff;
using namespace bff::unit;

namespace {

constexpr std::string_view kOurs = "iss=https%3A%2F%2Fid.example.com&sid=s-1";

flow::Reply frame(FlowStage &stage, std::string_view query,
                  std::string_view site = "cross-site")
{
    auto request = page("/bff/frontchannel?" + std::string{query});
    request.site = site;
    return stage.reply(stage.endpoint("frontchannel", request));
}

// With the cookies that browsers keep to themselves in another site's frame.
flow::Reply frame_without_cookies(FlowStage &stage, std::string_view query)
{
    auto jar = std::exchange(stage.jar, {});
    auto reply = frame(stage, query);
    stage.jar = jar;
    return reply;
}

void log_in(FlowStage &stage, std::string_view sid)
{
    auto login = stage.start_login();
    as_fetch(stage.send_code(login));
    auto members = "{\"sid\":\"" + std::string{sid} + "\"}";
    stage.reply(stage.answer(stage.tokens(stage.id_token(login, members))));
}

bool is_logged_in(FlowStage &stage)
{
    return std::holds_alternative<flow::Proceed>(stage.access(call("/api/")));
}

} // namespace

TEST(ends_the_session_with_this_sid_without_its_cookie_fcl_1)
{
    FlowStage stage;
    log_in(stage, "s-1");
    auto reply = frame_without_cookies(stage, kOurs);

    ck_assert_int_eq(reply.response.status, 200);
    ck_assert(reply.action == flow::Action::frontchannel);
    ck_assert(is_kept(reply.change));
    ck_assert(!is_logged_in(stage));
}

TEST(puts_what_nobody_has_proven_where_it_pushes_out_nothing_fcl_1)
{
    FlowStage stage;
    auto reply = frame(stage, kOurs);
    ck_assert(stage.revocations.proven.empty());
    ck_assert_int_eq(stage.revocations.unproven.size(), 1);
    ck_assert(header(reply, "Clear-Site-Data") == "");
}

TEST(ends_the_session_whose_cookie_came_when_both_match_fcl_1)
{
    FlowStage stage;
    log_in(stage, "s-1");
    auto reply = frame(stage, kOurs);

    ck_assert(is_forgotten(reply.change));
    ck_assert_int_eq(stage.revocations.proven.size(), 1);
    ck_assert(header(reply, "Clear-Site-Data") == "\"cache\"");
}

TEST(ends_nothing_when_one_of_both_is_another_fcl_1)
{
    for (auto query : {"iss=https%3A%2F%2Fid.example.com&sid=s-2",
                       "iss=https%3A%2F%2Fother.example&sid=s-1",
                       "iss=https%3A%2F%2Fid.example.com%2F&sid=s-1"}) {
        FlowStage stage;
        log_in(stage, "s-1");
        auto reply = frame(stage, query);
        ck_assert(is_kept(reply.change));
        frame_without_cookies(stage, query);
        ck_assert(is_logged_in(stage));
    }
}

TEST(wants_iss_and_sid_together_and_once_fcl_1)
{
    for (auto query : {"iss=https%3A%2F%2Fid.example.com", "sid=s-1",
                       "iss=https%3A%2F%2Fid.example.com&sid=", "sid=s-1&iss=",
                       "iss=https%3A%2F%2Fid.example.com&sid=s-1&sid=s-1"}) {
        FlowStage stage;
        log_in(stage, "s-1");
        auto reply = frame(stage, query);
        ck_assert(reply.error == "bad_request");
        ck_assert(is_kept(reply.change));
        ck_assert(is_logged_in(stage));
        ck_assert(stage.revocations.is_empty());
    }

    FlowStage stage;
    auto query =
        "iss=https%3A%2F%2Fid.example.com&sid=" + std::string(256, 's');
    ck_assert(frame(stage, query).error == "bad_request");
}

TEST(ends_the_session_of_the_cookie_without_both_on_this_site_fcl_2)
{
    FlowStage stage;
    log_in(stage, "s-1");
    auto reply = frame(stage, "", "same-site");

    ck_assert_int_eq(reply.response.status, 200);
    ck_assert(is_forgotten(reply.change));
    ck_assert_int_eq(stage.revocations.proven.size(), 1);
}

TEST(ends_nothing_without_both_for_another_site_fcl_2)
{
    FlowStage stage;
    log_in(stage, "s-1");
    ck_assert(is_kept(frame(stage, "", "cross-site").change));
    ck_assert(is_kept(frame_without_cookies(stage, "").change));
    ck_assert(is_logged_in(stage));
}

TEST(may_be_framed_by_the_provider_alone_fcl_3)
{
    for (auto query : {std::string_view{}, kOurs}) {
        FlowStage stage;
        auto reply = frame(stage, query);
        ck_assert(header(reply, "Content-Security-Policy") ==
                  "default-src 'none'; frame-ancestors "
                  "https://id.example.com");
        ck_assert(header(reply, "X-Frame-Options").empty());
        ck_assert(header(reply, "Cache-Control") == "no-store");
    }
}

TEST(may_be_framed_where_the_provider_has_its_logout_page_fcl_3)
{
    FlowStage stage;
    stage.learn_metadata(
        R"({"end_session_endpoint": "https://login.example.com/out"})");
    ck_assert(header(frame(stage, kOurs), "Content-Security-Policy")
                  .ends_with("frame-ancestors https://id.example.com "
                             "https://login.example.com"));

    stage.forget_documents();
    ck_assert(header(frame(stage, kOurs), "Content-Security-Policy")
                  .ends_with("frame-ancestors https://id.example.com"));
}
