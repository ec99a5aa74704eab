// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Redirects, JSON and pages: their headers, and that nothing is put into a
// page as it came.

#include "unit.hpp"

#include "core/base/base64url.hpp"
#include "core/crypto/digest.hpp"
#include "core/flow/answer.hpp"

using namespace bff;

namespace {

bool has(const web::HttpResponse &response, std::string_view text)
{
    return response.body.find(text) != std::string::npos;
}

flow::Page page()
{
    return {.heading = "Heading",
            .sentence = "Sentence.",
            .link_text = "Link",
            .link = "/there"};
}

} // namespace

TEST(keeps_an_empty_answer_out_of_caches_too)
{
    auto response = flow::empty_answer(204);

    ck_assert_int_eq(response.status, 204);
    ck_assert(response.header("Cache-Control") == "no-store");
    ck_assert(!response.header("Content-Type"));
    ck_assert(response.body.empty());
}

TEST(redirects_without_being_stored_or_leaving_a_referrer_bcp_13)
{
    auto response = flow::redirect(302, "https://id.example.com/?a=b");

    ck_assert_int_eq(response.status, 302);
    ck_assert(response.header("Location") == "https://id.example.com/?a=b");
    ck_assert(response.header("Cache-Control") == "no-store");
    ck_assert(response.header("Referrer-Policy") == "no-referrer");
    ck_assert(response.body.empty());
}

TEST(answers_json_that_is_not_stored_or_sniffed)
{
    auto value = json::object();
    json::put_boolean(value.get(), "authenticated", false);
    auto response = flow::json_answer(200, value.get());

    ck_assert(response.header("Content-Type") == "application/json");
    ck_assert(response.header("X-Content-Type-Options") == "nosniff");
    ck_assert(response.header("Cache-Control") == "no-store");
    ck_assert_str_eq(response.body.c_str(), R"({"authenticated":false})");
}

TEST(escapes_everything_that_is_put_into_a_page)
{
    constexpr std::string_view evil = "\"'><script>alert(1)</script>&";
    auto response = flow::page_answer(400, {.heading = evil,
                                            .sentence = evil,
                                            .link_text = evil,
                                            .link = evil,
                                            .note = evil});

    ck_assert(!has(response, "<script"));
    ck_assert(!has(response, "\"'>"));
    ck_assert(has(response, "&quot;&#39;&gt;&lt;script&gt;"));
}

TEST(allows_a_page_its_own_style_and_nothing_else)
{
    auto response = flow::page_answer(200, page());
    auto begin = response.body.find("<style>") + 7;
    auto style =
        response.body.substr(begin, response.body.find("</style>") - begin);
    auto hash = base64url::encode_standard(crypto::sha256(style));

    ck_assert(response.header("Content-Security-Policy") ==
              "default-src 'none'; style-src 'sha256-" + hash +
                  "'; base-uri 'none'; form-action 'none'; "
                  "frame-ancestors 'none'");
    ck_assert(response.header("Content-Type") == "text/html; charset=utf-8");
    ck_assert(!has(response, "style="));
    ck_assert(has(response, "color-scheme:light dark"));
}

TEST(goes_on_by_a_header_and_for_old_browsers_by_a_link)
{
    auto response =
        flow::refresh_answer("/a?b=1&c=%22;url=//x", "You are signed in");

    ck_assert_int_eq(response.status, 200);
    ck_assert(response.header("Refresh") == "0; url=/a?b=1&c=%22;url=//x");
    ck_assert(has(response, "<a href=\"/a?b=1&amp;c=%22;url=//x\">"));
    ck_assert(!response.header("Location"));
}

TEST(adds_a_cookie_as_a_line_of_its_own)
{
    web::HttpResponse response;
    web::SetCookie cookie;
    cookie.name = "a";
    cookie.value = "1";
    flow::add_cookie(response, cookie);
    flow::add_cookie(response, cookie);

    ck_assert_uint_eq(response.headers.size(), 2);
    ck_assert(response.header("Set-Cookie") == cookie.text());
}
