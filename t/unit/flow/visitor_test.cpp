// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What the cookies of a request make of it.

#include "flow_stage.hpp"

#include "core/flow/visitor.hpp"

using namespace bff;
using namespace bff::unit;

namespace {

bool is_live(FlowStage &stage)
{
    return stage.look(call("/"), [](const flow::Visit &visit) {
        return flow::live_session(visit) != nullptr;
    });
}

session::Change tidied(FlowStage &stage)
{
    return stage.look(call("/"), [](const flow::Visit &visit) {
        return flow::tidied(visit);
    });
}

std::string report(FlowStage &stage)
{
    return stage.look(call("/"), [](const flow::Visit &visit) {
        return flow::report_of_forgery(visit).text;
    });
}

flow::Reply unauthenticated(FlowStage &stage)
{
    return stage.look(call("/api/"), [](const flow::Visit &visit) {
        return flow::unauthenticated_reply(visit);
    });
}

} // namespace

TEST(keeps_what_is_a_session)
{
    FlowStage stage;
    stage.log_in();

    ck_assert(is_live(stage));
    ck_assert(is_kept(tidied(stage)));
    ck_assert(report(stage).empty());
}

TEST(leaves_a_browser_alone_that_sends_nothing_of_ours)
{
    FlowStage stage;

    ck_assert(!is_live(stage));
    ck_assert(is_kept(tidied(stage)));
    ck_assert(is_problem(unauthenticated(stage), 401, "no_session"));
}

TEST(forgets_a_session_whose_time_is_over)
{
    FlowStage stage;
    stage.log_in();
    stage.now += stage.client->session_timeout;

    ck_assert(!is_live(stage));
    ck_assert(is_forgotten(tidied(stage)));
    ck_assert(report(stage).empty());

    auto reply = unauthenticated(stage);
    ck_assert(is_problem(reply, 401, "session_expired"));
    ck_assert(is_forgotten(reply.change));
}

TEST(looks_at_the_time_again_after_the_cookie_was_opened_ck_27)
{
    FlowStage stage;
    stage.log_in();

    stage.look(call("/"), [](const flow::Visit &visit) {
        auto later = visit;
        later.now = visit.found.session->expires;
        ck_assert(flow::live_session(visit) != nullptr);
        ck_assert(flow::live_session(later) == nullptr);
        ck_assert(is_forgotten(flow::tidied(later)));
        return 0;
    });
}

TEST(forgets_and_reports_cookies_that_are_no_session_bff_9)
{
    FlowStage stage;
    stage.log_in();
    stage.jar[stage.style.name].back() ^= 1;

    ck_assert(!is_live(stage));
    ck_assert(is_forgotten(tidied(stage)));
    ck_assert(report(stage).find("provider \"corp\"") != std::string::npos);

    auto reply = unauthenticated(stage);
    ck_assert(is_problem(reply, 401, "no_session"));
    ck_assert(reply.report.level == flow::Report::Level::warn);
}

TEST(judges_a_request_without_a_host_by_everything_else)
{
    FlowStage stage;
    auto request = call("/");
    request.host = "";

    auto agreed = [&] {
        return stage.look(request, [](const flow::Visit &visit) {
            return static_cast<bool>(flow::check_origin(visit));
        });
    };
    ck_assert(agreed());
    request.origin = "https://shop.example.com";
    ck_assert(!agreed());
    request.origin = "";
    ck_assert(!agreed());
}
