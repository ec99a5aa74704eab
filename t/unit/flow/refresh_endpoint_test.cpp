// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What a page gets that asks for new tokens.

#include "flow_stage.hpp"

using namespace bff;
using namespace bff::unit;

namespace {

flow::Step ask(FlowStage &stage)
{
    return stage.endpoint("refresh", posted(call("/bff/refresh")));
}

} // namespace

TEST(page_gets_new_tokens_whether_they_are_due_or_not_rt_7)
{
    FlowStage stage;
    stage.log_in();
    auto step = ask(stage);
    ck_assert(as_fetch(step).once == flow::Once::early_refresh);

    auto reply = stage.reply(stage.answer(http(200, "")));
    ck_assert_int_eq(reply.response.status, 204);
    ck_assert(reply.response.body.empty());
    ck_assert(reply.action == flow::Action::refresh);
    ck_assert(is_kept(reply.change));
}

TEST(page_with_the_old_cookie_gets_the_new_tokens_that_are_there_rt_5)
{
    FlowStage stage;
    stage.log_in();
    stage.renewed = {session::Found::State::active, stage.session(), true};

    ck_assert_int_eq(stage.reply(ask(stage)).response.status, 204);
}

TEST(page_that_asks_too_often_gets_the_cookie_with_the_tokens_at_hand)
{
    FlowStage stage;
    stage.log_in();
    as_fetch(ask(stage));

    auto reply = stage.reply(stage.answer(failed(Code::refused, "too often")));
    ck_assert_int_eq(reply.response.status, 204);
    ck_assert(std::holds_alternative<session::Rewrite>(reply.change));
}

TEST(page_that_asks_too_often_is_told_that_its_session_is_over)
{
    FlowStage stage;
    stage.log_in();
    as_fetch(ask(stage));

    stage.now += stage.client->session_timeout;
    auto reply = stage.reply(stage.answer(failed(Code::refused, "too often")));
    ck_assert(is_problem(reply, 401, "session_expired"));
}

TEST(page_whose_token_has_ended_gets_new_tokens_however_often_it_asks)
{
    FlowStage stage;
    stage.log_in();
    stage.now += Seconds{3600};
    ck_assert(as_fetch(ask(stage)).once == flow::Once::refresh);
}

TEST(page_without_session_gets_no_new_tokens)
{
    FlowStage stage;
    ck_assert(is_problem(stage.reply(ask(stage)), 401, "no_session"));

    stage.log_in();
    stage.now += stage.client->session_timeout;
    ck_assert(is_problem(stage.reply(ask(stage)), 401, "session_expired"));
}

TEST(page_of_another_site_gets_no_new_tokens_bff_10)
{
    FlowStage stage;
    stage.log_in();

    auto step = stage.endpoint("refresh", posted(foreign_call("/bff/refresh")));
    ck_assert(is_problem(stage.reply(std::move(step)), 403, "csrf"));

    FlowStage stranger;
    step = stranger.endpoint("refresh", posted(foreign_call("/bff/refresh")));
    ck_assert(is_problem(stranger.reply(std::move(step)), 403, "csrf"));
}

TEST(page_is_told_that_the_provider_has_ended_its_session_rt_6)
{
    FlowStage stage;
    stage.log_in();
    as_fetch(ask(stage));

    stage.renewed = {session::Found::State::expired, {}};
    auto reply = stage.reply(stage.answer(failed(Code::expired, "over")));
    ck_assert(is_problem(reply, 401, "session_expired"));
    ck_assert(is_forgotten(reply.change));
}

TEST(page_keeps_its_session_when_the_provider_is_away_rt_6)
{
    FlowStage stage;
    stage.log_in();
    as_fetch(ask(stage));

    auto reply = stage.reply(stage.answer(failed(Code::unavailable, "away")));
    ck_assert(is_problem(reply, 503, "provider_unavailable"));
    ck_assert(is_kept(reply.change));
}

TEST(session_without_refresh_token_cannot_be_renewed_and_stays)
{
    FlowStage stage;
    auto login = stage.start_login();
    as_fetch(stage.send_code(login));
    stage.reply(stage.answer(
        stage.tokens(stage.id_token(login), R"({"refresh_token": null})")));

    auto reply = stage.reply(ask(stage));
    ck_assert(is_problem(reply, 401, "session_expired"));
    ck_assert(is_kept(reply.change));
}

TEST(refresh_is_no_get)
{
    FlowStage stage;
    auto reply = stage.reply(stage.endpoint("refresh", call("/bff/refresh")));
    ck_assert_int_eq(reply.response.status, 405);
    ck_assert(header(reply, "Allow") == "POST");
}

TEST(page_that_asks_for_tokens_uses_the_session)
{
    FlowStage stage;
    stage.style.idle = Seconds{600};
    stage.log_in();
    stage.now += Seconds{100};

    auto step = stage.endpoint("refresh", posted(call("/bff/refresh")));
    ck_assert(is_used(as_fetch(step).change));
    auto reply = stage.reply(stage.answer(failed(Code::unavailable, "gone")));
    ck_assert(is_used(reply.change));
}
