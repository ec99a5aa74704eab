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

session::Change used(FlowStage &stage, bool slides = true)
{
    return stage.look(call("/"), [&](const flow::Visit &visit) {
        return flow::used(visit, slides);
    });
}

// Logged in, with an idle time, and so many seconds ago.
void log_in_before(FlowStage &stage, int seconds)
{
    stage.style.idle = Seconds{600};
    stage.log_in();
    stage.now += Seconds{seconds};
}

// The first key is another one now.
void rotate(FlowStage &stage)
{
    std::vector<Secret> keys;
    keys.emplace_back(std::string(crypto::kKeyOctets, 'n'));
    keys.emplace_back(std::string(crypto::kKeyOctets, 'k'));
    stage.keys = std::move(*crypto::Keyring::make(keys));
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

TEST(leaves_cookies_that_may_become_a_session_in_a_moment_ck_24)
{
    FlowStage stage;
    stage.log_in();
    stage.jar[stage.style.name + ".1"] = "of another session";

    ck_assert(is_kept(tidied(stage)));
    ck_assert(report(stage).empty());
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

TEST(use_is_written_down_when_it_is_time)
{
    FlowStage stage;
    log_in_before(stage, 59);
    ck_assert(is_kept(used(stage)));

    stage.now += Seconds{1};
    ck_assert(is_used(used(stage)));
}

TEST(nothing_is_written_down_without_an_idle_time)
{
    FlowStage stage;
    stage.log_in();
    stage.now += Seconds{3600};

    ck_assert(is_kept(used(stage)));
}

TEST(request_that_only_looks_is_no_use)
{
    FlowStage stage;
    log_in_before(stage, 300);
    ck_assert(is_kept(used(stage, false)));

    stage.is_activity = false;
    ck_assert(is_kept(used(stage)));
}

TEST(idle_session_is_none)
{
    FlowStage stage;
    log_in_before(stage, 599);
    ck_assert(is_live(stage));

    stage.now += Seconds{1};
    ck_assert(!is_live(stage));
    ck_assert(is_forgotten(used(stage)));
    ck_assert(is_problem(unauthenticated(stage), 401, "session_expired"));
}

TEST(session_of_an_old_key_is_sealed_anew_by_whatever_request_ck_26)
{
    FlowStage stage;
    log_in_before(stage, 1);
    rotate(stage);
    ck_assert(is_resealed(used(stage)));
    ck_assert(is_resealed(used(stage, false)));
    stage.is_activity = false;
    ck_assert(is_resealed(used(stage)));

    stage.is_activity = true;
    stage.now += Seconds{59};
    ck_assert(is_used(used(stage)));
}

TEST(time_that_lies_ahead_is_written_over)
{
    FlowStage stage;
    log_in_before(stage, -3600);

    ck_assert(is_live(stage));
    ck_assert(is_resealed(used(stage)));
    ck_assert(is_resealed(used(stage, false)));
}

TEST(cookie_with_new_tokens_tells_the_use_as_well)
{
    FlowStage stage;
    log_in_before(stage, 1);
    stage.renewed = {session::Found::State::active, stage.session(), true};
    ck_assert(is_used(used(stage)));
    ck_assert(is_kept(used(stage, false)));

    auto tireless = stage.session();
    tireless.idle.reset();
    stage.renewed->session = tireless;
    ck_assert(is_kept(used(stage)));
}
