// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// prompt=none: what goes wrong is a code for the application, in the answer
// and in the address where the browser goes on, and no page (CB-4).

#include "flow_stage.hpp"

#include "core/flow/silent_login.hpp"

using namespace bff;
using namespace bff::unit;

namespace {

constexpr std::string_view kIss = "&iss=https%3A%2F%2Fid.example.com";

flow::Reply refused(FlowStage &stage, std::string_view error,
                    std::string_view query = "?prompt=none&returnUrl=/quiet")
{
    auto login = stage.start_login(query);
    return stage.reply(stage.endpoint(
        "callback",
        link_from_elsewhere("/bff/callback?error=" + std::string{error} +
                            "&state=" + login.state + std::string{kIss})));
}

} // namespace

TEST(knows_a_silent_prompt)
{
    for (auto prompt : {"none", "none login", "login none"}) {
        ck_assert(flow::is_silent(prompt));
    }
    for (auto prompt : {"", "login", "None", "nonee", "consent"}) {
        ck_assert(!flow::is_silent(prompt));
    }
}

TEST(tells_the_application_why_a_silent_login_was_refused_cb_4)
{
    for (auto error :
         {"login_required", "interaction_required", "consent_required",
          "account_selection_required", "server_error"}) {
        FlowStage stage;
        auto reply = refused(stage, error);
        auto value = body(reply);

        ck_assert(is_problem(reply, 403, "login_refused"));
        ck_assert(header(reply, "Content-Type") == "application/problem+json");
        ck_assert(json::string_at(value.get(), "provider_error") == error);
        ck_assert(header(reply, "Refresh") ==
                  "0; url=/quiet?bff_error=" + std::string{error});
        ck_assert(stage.jar.empty());
    }
}

TEST(keeps_a_session_that_lives_when_a_silent_login_is_refused)
{
    FlowStage stage;
    stage.log_in();
    auto reply = refused(stage, "login_required");

    ck_assert(is_kept(reply.change));
    ck_assert_uint_eq(stage.jar.size(), 1);
}

TEST(lets_no_error_of_a_provider_out_of_the_query)
{
    FlowStage stage;
    auto reply = refused(stage, "a%26b%3Dc%0D%0A%23%3Cscript%3E");

    ck_assert(header(reply, "Refresh") ==
              "0; url=/quiet?bff_error=a%26b%3Dc%3F%3F%23%3Cscript%3E");
}

TEST(tells_the_application_of_every_other_failure_too)
{
    FlowStage stage;
    auto login = stage.start_login("?prompt=none&returnUrl=/quiet");
    as_fetch(stage.send_code(login));
    auto reply = stage.reply(
        stage.answer(stage.tokens(stage.id_token(login, R"({"aud": "x"})"))));

    ck_assert(is_problem(reply, 502, "id_token_invalid"));
    ck_assert(header(reply, "Content-Type") == "application/problem+json");
    ck_assert(header(reply, "Refresh") ==
              "0; url=/quiet?bff_error=id_token_invalid");
}

TEST(ends_a_silent_login_that_succeeds_like_any_other)
{
    FlowStage stage;
    auto reply = stage.log_in("?prompt=none&returnUrl=/quiet");

    ck_assert(is_saved(reply.change));
    ck_assert(header(reply, "Refresh") == "0; url=/quiet");
    // in a frame of this site
    ck_assert(header(reply, "Content-Security-Policy")
                  .ends_with("frame-ancestors 'self'"));
}

// A form in a frame could set no Strict cookie.
TEST(asks_for_a_query_whatever_response_mode_says)
{
    for (auto extra : {"", "prompt=none"}) {
        FlowStage stage;
        stage.client->response_mode = oidc::ResponseMode::form_post;
        stage.extra_auth_args = extra;
        auto login = stage.start_login(*extra ? "" : "?prompt=none");

        ck_assert(parameter(login.url, "response_mode").empty());
        ck_assert(parameter(login.url, "state") == login.state);
        as_fetch(stage.send_code(login));
        auto reply =
            stage.reply(stage.answer(stage.tokens(stage.id_token(login))));
        ck_assert(is_saved(reply.change));
    }
}

TEST(shows_people_a_page_when_somebody_was_looking)
{
    FlowStage stage;
    auto reply = refused(stage, "login_required", "?returnUrl=/quiet");

    ck_assert(header(reply, "Content-Type").starts_with("text/html"));
    ck_assert(header(reply, "Refresh").empty());
}
