// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What a browser is told that asks for a page of another origin.

#include "flow_stage.hpp"

#include "core/flow/preflight.hpp"

using namespace bff;
using namespace bff::unit;

namespace {

constexpr std::string_view kTrusted = "https://app.example.com";

web::RequestView preflight(std::string_view origin)
{
    web::RequestView request;
    request.method = "OPTIONS";
    request.origin = origin;
    request.origins = 1;
    request.sec_fetch_mode = "cors";
    request.access_control_request_method = "POST";
    return request;
}

flow::Reply answer(const web::RequestView &request)
{
    web::OriginPolicy policy;
    policy.trusted = {std::string{kTrusted}};
    return flow::preflight_reply(policy, request);
}

std::string allowed_headers(std::string_view asked)
{
    auto request = preflight(kTrusted);
    request.access_control_request_headers = asked;
    auto reply = answer(request);
    ck_assert_int_eq(reply.response.status, 204);
    return header(reply, "Access-Control-Allow-Headers");
}

} // namespace

TEST(knows_a_preflight_by_method_and_both_headers)
{
    auto request = preflight("null");
    ck_assert(flow::is_preflight(request));

    request.method = "GET";
    ck_assert(!flow::is_preflight(request));

    request = preflight("null");
    request.origin = std::nullopt;
    ck_assert(!flow::is_preflight(request));

    request = preflight("null");
    request.access_control_request_method = std::nullopt;
    ck_assert(!flow::is_preflight(request));

    request.access_control_request_method = "";
    ck_assert(flow::is_preflight(request));
}

TEST(lets_a_trusted_origin_send_what_it_asks_for_BFF_12)
{
    auto request = preflight(kTrusted);
    request.sec_fetch_site = "cross-site";
    request.access_control_request_headers = "content-type,x-csrf";
    auto reply = answer(request);

    ck_assert_int_eq(reply.response.status, 204);
    ck_assert(reply.response.body.empty());
    ck_assert(header(reply, "Access-Control-Allow-Methods") == "POST");
    ck_assert(header(reply, "Access-Control-Allow-Headers") ==
              "content-type, x-csrf");
    ck_assert(header(reply, "Access-Control-Max-Age") == "600");
    ck_assert(header(reply, "Vary") == "Access-Control-Request-Method, "
                                       "Access-Control-Request-Headers");
    ck_assert(header(reply, "Cache-Control") == "no-store");
    ck_assert(set_cookies(reply).empty());
    ck_assert(is_kept(reply.change));
    ck_assert(reply.action == flow::Action::preflight);
    ck_assert(reply.error.empty());
    ck_assert(reply.report.text.empty());
}

TEST(allows_no_headers_that_nobody_asked_for)
{
    ck_assert(!answer(preflight(kTrusted))
                   .response.header("Access-Control-Allow-Headers"));
    ck_assert(allowed_headers("").empty());
    ck_assert(allowed_headers(" , ").empty());
    ck_assert(allowed_headers("X-A , x-b,\tx!c") == "X-A, x-b, x!c");
}

TEST(refuses_a_preflight_of_anybody_else_BFF_12)
{
    for (auto origin :
         {"https://evil.example", "null", "", "https://shop.example.com",
          "https://app.example.com.", "https://app.example.com.evil.example",
          "https://a.app.example.com", "http://app.example.com",
          "https://app.example.com:8443", "https://APP.example.com"}) {
        auto reply = answer(preflight(origin));
        ck_assert_msg(is_problem(reply, 403, "csrf"), "%s", origin);
        ck_assert(!reply.response.header("Access-Control-Allow-Methods"));
        ck_assert(set_cookies(reply).empty());
        ck_assert(is_kept(reply.change));
    }

    auto request = preflight(kTrusted);
    request.origins = 2;
    ck_assert(is_problem(answer(request), 403, "csrf"));
}

TEST(refuses_every_preflight_where_nobody_is_trusted)
{
    for (auto origin : {"https://app.example.com", "null", ""}) {
        auto reply = flow::preflight_reply({}, preflight(origin));
        ck_assert_msg(is_problem(reply, 403, "csrf"), "%s", origin);
    }
}

TEST(repeats_nothing_that_is_no_method)
{
    for (auto method : {"", " ", "GET POST", "GET,POST", "G\r\nET", "P\xc3\x96",
                        "GET/", "METHODMETHODMETHODMETHODMETHODMET"}) {
        auto request = preflight(kTrusted);
        request.access_control_request_method = method;
        auto reply = answer(request);
        ck_assert_msg(is_problem(reply, 400, "bad_request"), "%s", method);
        ck_assert(!reply.response.header("Access-Control-Allow-Methods"));
    }
}

TEST(repeats_nothing_that_is_no_list_of_headers)
{
    auto long_list = std::string(2049, 'x');
    for (std::string_view list :
         {std::string_view{"a b"}, std::string_view{"a: b"},
          std::string_view{"a\r\nSet-Cookie"}, std::string_view{"\"a\""},
          std::string_view{"x-\xc3\xa4"}, std::string_view{long_list}}) {
        auto request = preflight(kTrusted);
        request.access_control_request_headers = list;
        ck_assert(is_problem(answer(request), 400, "bad_request"));
    }

    ck_assert_int_eq(allowed_headers(std::string(2048, 'x')).size(), 2048);
}

TEST(tells_the_log_whose_preflight_was_refused)
{
    auto reply = answer(preflight("https://evil.example\r\nx"));

    ck_assert(reply.report.level == flow::Report::Level::warn);
    ck_assert(reply.report.text == "preflight refused: not a trusted origin: "
                                   "https://evil.example??x");
}
