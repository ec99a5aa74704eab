// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Our own origin, the redirect URI, and the answer to a provider that fails.

#include "flow_stage.hpp"

using namespace bff;
using namespace bff::unit;

namespace {

Result<std::string> origin(FlowStage &stage, const BrowserRequest &request)
{
    return stage.look(request, [](const flow::Visit &visit) {
        return flow::own_origin(visit);
    });
}

Result<std::string> redirect_uri(FlowStage &stage,
                                 const BrowserRequest &request)
{
    return stage.look(request, [](const flow::Visit &visit) {
        return flow::redirect_uri(visit);
    });
}

BrowserRequest at(std::string scheme, std::string host)
{
    auto request = page("/");
    request.scheme = std::move(scheme);
    request.host = std::move(host);
    return request;
}

flow::Reply problem(FlowStage &stage, const Error &error)
{
    return stage.look(call("/"), [&](const flow::Visit &visit) {
        return flow::provider_problem(visit, error);
    });
}

} // namespace

TEST(takes_its_origin_from_the_request)
{
    FlowStage stage;

    ck_assert(*origin(stage, at("https", "Shop.example.com:443")) ==
              "https://shop.example.com");
    ck_assert(*origin(stage, at("http", "localhost:8080")) ==
              "http://localhost:8080");
}

TEST(does_not_believe_the_host_header_when_redirect_uri_is_written)
{
    FlowStage stage;
    stage.client->redirect_uri = "https://shop.example.com:8443/cb";

    ck_assert(*origin(stage, at("http", "evil.example")) ==
              "https://shop.example.com:8443");
    ck_assert(*redirect_uri(stage, at("http", "evil.example")) ==
              "https://shop.example.com:8443/cb");
}

TEST(refuses_a_host_that_is_none_bff_15)
{
    FlowStage stage;

    for (auto host : {"", "a b", "a/b", "user@evil", "a?b", "evil\r\nX: y"}) {
        auto none = origin(stage, at("https", host));
        ck_assert(!none);
        ck_assert(none.error().code == Code::refused);
        ck_assert(!redirect_uri(stage, at("https", host)));
    }
}

TEST(is_sent_codes_over_tls_or_to_this_machine_only_bcp_12)
{
    FlowStage stage;

    ck_assert(*redirect_uri(stage, at("https", "shop.example.com")) ==
              "https://shop.example.com/bff/callback");
    ck_assert(*redirect_uri(stage, at("http", "127.0.0.1:8080")) ==
              "http://127.0.0.1:8080/bff/callback");

    auto plain = redirect_uri(stage, at("http", "shop.example.com"));
    ck_assert(!plain);
    ck_assert(plain.error().code == Code::refused);
    ck_assert(plain.error().detail.find("\"redirect_uri\"") !=
              std::string::npos);
}

TEST(insecure_http_is_about_the_provider_not_about_codes_bcp_12)
{
    FlowStage stage;
    stage.client->insecure_http = true;

    ck_assert(!redirect_uri(stage, at("http", "shop.test")));
}

TEST(builds_endpoint_urls_on_the_path_that_was_configured)
{
    FlowStage stage;
    stage.client->endpoints_path = "/auth/";

    stage.look(page("/"), [](const flow::Visit &visit) {
        ck_assert(flow::endpoint_url(visit, "login") == "/auth/login");
        return 0;
    });
    ck_assert(*redirect_uri(stage, at("https", "shop.example.com")) ==
              "https://shop.example.com/auth/callback");
}

TEST(calls_a_provider_that_does_not_answer_unavailable)
{
    FlowStage stage;

    for (auto code : {Code::unavailable, Code::refused}) {
        auto reply = problem(stage, {code, "connect() failed"});
        ck_assert(is_problem(reply, 503, "provider_unavailable"));
        ck_assert(!header(reply, "Retry-After").empty());
        ck_assert(reply.report.level == flow::Report::Level::error);
        ck_assert(reply.report.text.starts_with(
            "provider \"corp\" unavailable: connect() failed"));
        ck_assert(reply.response.body.find("connect") == std::string::npos);
    }
}

TEST(blames_the_store_for_tokens_that_it_has_no_room_for)
{
    FlowStage stage;

    auto reply = problem(stage, {Code::no_room, "give it more memory"});
    ck_assert(is_problem(reply, 503, "store_unavailable"));
    ck_assert(header(reply, "Retry-After").empty());
    ck_assert(reply.report.text.find("unavailable") == std::string::npos);
    ck_assert(reply.report.text.find("not kept: give it more memory") !=
              std::string::npos);
}

TEST(calls_a_provider_that_breaks_a_rule_misconfigured)
{
    FlowStage stage;
    auto reply = problem(stage, {Code::unsupported, "\"issuer\" differs"});

    ck_assert(is_problem(reply, 502, "provider_misconfigured"));
    ck_assert(reply.report.text.starts_with(
        "provider \"corp\" breaks a rule: \"issuer\" differs"));
}

TEST(tells_when_to_come_back_whatever_the_failure_disc_5)
{
    FlowStage stage;

    for (auto code : {Code::unavailable, Code::unsupported}) {
        auto reply = problem(stage, {code, "failed before", Seconds{4}});
        ck_assert(header(reply, "Retry-After") == "4");
    }

    auto reply = problem(stage, {Code::unsupported, "\"issuer\" differs"});
    ck_assert(header(reply, "Retry-After").empty());
}

TEST(tells_an_answer_that_was_not_taken_from_one_that_failed)
{
    ck_assert(flow::why_missing(http(200, "{}")).code == Code::unavailable);
    ck_assert(flow::why_missing(failed(Code::unsupported, "x")).code ==
              Code::unsupported);
}
