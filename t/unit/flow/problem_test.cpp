// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The table of errors: what the contract promises of each, as JSON and as a
// page.

#include "flow_stage.hpp"

#include "core/flow/problem.hpp"

using namespace bff;
using namespace bff::unit;
using flow::Problem;
using flow::problem_reply;

namespace {

web::RequestView view(std::string_view mode)
{
    web::RequestView request{};
    request.method = "GET";
    request.sec_fetch_mode = mode;
    request.request_id = "c0ffee";
    return request;
}

bool says(const flow::Reply &reply, std::string_view text)
{
    return reply.response.body.find(text) != std::string::npos;
}

} // namespace

TEST(has_the_codes_and_statuses_of_the_contract)
{
    struct Row {
        Problem problem;
        std::string_view code;
        int status;
    };
    constexpr Row rows[] = {
        {Problem::no_session, "no_session", 401},
        {Problem::session_expired, "session_expired", 401},
        {Problem::session_revoked, "session_revoked", 401},
        {Problem::csrf, "csrf", 403},
        {Problem::forbidden, "forbidden", 403},
        {Problem::bad_return_url, "bad_return_url", 400},
        {Problem::bad_request, "bad_request", 400},
        {Problem::login_expired, "login_expired", 400},
        {Problem::state_mismatch, "state_mismatch", 400},
        {Problem::issuer_mismatch, "issuer_mismatch", 400},
        {Problem::login_refused, "login_refused", 403},
        {Problem::code_rejected, "code_rejected", 502},
        {Problem::id_token_invalid, "id_token_invalid", 502},
        {Problem::userinfo_invalid, "userinfo_invalid", 502},
        {Problem::provider_misconfigured, "provider_misconfigured", 502},
        {Problem::provider_unavailable, "provider_unavailable", 503},
        {Problem::store_unavailable, "store_unavailable", 503},
    };

    for (const auto &[problem, code, status] : rows) {
        ck_assert(flow::code_of(problem) == code);
        ck_assert_int_eq(flow::status_of(problem), status);

        auto reply = problem_reply(problem, view("cors"), {});
        ck_assert(is_problem(reply, status, code));
        ck_assert(is_kept(reply.change));
        ck_assert(reply.action == flow::Action::reject);
    }
}

TEST(is_problem_json_of_rfc_9457_for_scripts)
{
    auto reply = problem_reply(Problem::csrf, view("cors"), {});
    auto json = body(reply);

    ck_assert(header(reply, "Content-Type") == "application/problem+json");
    ck_assert(header(reply, "Cache-Control") == "no-store");
    ck_assert(json::string_at(json.get(), "type") == "about:blank");
    ck_assert(json::string_at(json.get(), "title") == "Forbidden");
    ck_assert(json::integer_at(json.get(), "status") == 403);
    ck_assert(json::string_at(json.get(), "code") == "csrf");
    ck_assert(json::string_at(json.get(), "request_id") == "c0ffee");
    ck_assert(!json::string_at(json.get(), "detail")->empty());
    ck_assert(!json::has(json.get(), "login_url"));
    ck_assert(!json::has(json.get(), "provider_error"));
}

TEST(is_a_page_with_the_same_facts_for_people)
{
    auto reply = problem_reply(
        Problem::login_refused, view("navigate"),
        {.login_url = "/bff/login", .provider_error = "access_denied"});

    ck_assert(header(reply, "Content-Type") == "text/html; charset=utf-8");
    ck_assert(says(reply, "login_refused: access_denied"));
    ck_assert(says(reply, "request c0ffee"));
    ck_assert(says(reply, "href=\"/bff/login\""));
    ck_assert(!header(reply, "Content-Security-Policy").empty());
}

TEST(has_a_json_twin_of_every_page)
{
    auto people = problem_reply(Problem::forbidden, view("navigate"), {});
    auto script = problem_reply(Problem::forbidden, view("cors"), {});

    ck_assert(people.twin.has_value());
    ck_assert(!script.twin);
    ck_assert(people.twin->body == script.response.body);
    ck_assert_int_eq(people.twin->status, people.response.status);
}

TEST(says_something_else_when_more_is_known)
{
    auto reply = problem_reply(Problem::login_expired, view("navigate"),
                               {.sentence = "Cookies & more."});

    ck_assert(says(reply, "<p>Cookies &amp; more.</p>"));
    ck_assert(says(reply, "login_expired"));
}

TEST(leads_a_person_to_the_start_when_login_is_no_way_out)
{
    auto reply = problem_reply(Problem::csrf, view("navigate"), {});

    ck_assert(says(reply, "href=\"/\""));
}

TEST(says_where_to_log_in_with_401_only)
{
    auto unauthorized = problem_reply(Problem::no_session, view("cors"),
                                      {.login_url = "/bff/login"});
    ck_assert(header(unauthorized, "WWW-Authenticate") ==
              "Bff login=\"/bff/login\"");
    ck_assert(json::string_at(body(unauthorized).get(), "login_url") ==
              "/bff/login");

    auto refused = problem_reply(Problem::state_mismatch, view("cors"),
                                 {.login_url = "/bff/login"});
    ck_assert(header(refused, "WWW-Authenticate").empty());
}

TEST(says_when_to_come_back_while_the_provider_is_away)
{
    auto usual = problem_reply(Problem::provider_unavailable, view("cors"), {});
    ck_assert(header(usual, "Retry-After") == "1");

    auto told = problem_reply(Problem::provider_unavailable, view("cors"),
                              {.retry_after = Seconds{7}});
    ck_assert(header(told, "Retry-After") == "7");

    auto at_once = problem_reply(Problem::provider_unavailable, view("cors"),
                                 {.retry_after = Seconds{0}});
    ck_assert(header(at_once, "Retry-After") == "1");

    auto other = problem_reply(Problem::code_rejected, view("cors"), {});
    ck_assert(header(other, "Retry-After").empty());
}

TEST(takes_404_405_and_413_with_words_of_their_own)
{
    for (int status : {404, 405, 413}) {
        auto reply = problem_reply(Problem::bad_request, view("cors"),
                                   {.status = status, .allow = "GET, POST"});
        ck_assert(is_problem(reply, status, "bad_request"));
        ck_assert(header(reply, "Allow") == "GET, POST");
        ck_assert(json::integer_at(body(reply).get(), "status") == status);
        ck_assert(json::string_at(body(reply).get(), "title") != "Error");
    }
}

TEST(bounds_and_escapes_what_the_provider_calls_an_error_cb_4)
{
    auto evil = "<script>\r\nX-Evil: 1\xff" + std::string(5000, 'x');
    for (auto mode : {"cors", "navigate"}) {
        auto reply = problem_reply(Problem::login_refused, view(mode),
                                   {.provider_error = evil});
        ck_assert(!says(reply, "\r"));
        ck_assert(!says(reply, "\xff"));
        ck_assert(!says(reply, std::string(100, 'x')));
    }

    auto page = problem_reply(Problem::login_refused, view("navigate"),
                              {.provider_error = evil});
    ck_assert(!says(page, "<script"));
}

TEST(escapes_a_request_id_that_a_client_may_have_chosen)
{
    auto request = view("navigate");
    request.request_id = "<img src=x>\n";
    auto reply = problem_reply(Problem::csrf, request,
                               {.report = {flow::Report::Level::warn, "why"}});

    ck_assert(!says(reply, "<img"));
    ck_assert_str_eq(reply.report.text.c_str(),
                     "why, request_id: <img src=x>?");
}

TEST(leads_from_what_the_person_sees_to_the_log_line)
{
    auto reply =
        problem_reply(Problem::csrf, view("cors"),
                      {.report = {flow::Report::Level::warn, "refused: why"}});

    ck_assert(reply.report.level == flow::Report::Level::warn);
    ck_assert_str_eq(reply.report.text.c_str(),
                     "refused: why, request_id: c0ffee");
}

TEST(every_problem_leaves_a_line_that_its_request_id_leads_to)
{
    auto reply = problem_reply(Problem::no_session, view("cors"), {});

    ck_assert(reply.report.level == flow::Report::Level::info);
    ck_assert_str_eq(reply.report.text.c_str(),
                     "request refused: no_session, request_id: c0ffee");
}
