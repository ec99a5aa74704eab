// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

#include "core/web/origin_settings.hpp"

#include "unit.hpp"

namespace bff::web {
namespace {

std::string origin_of(std::string_view text)
{
    auto origin = trusted_origin(text);
    ck_assert_msg(bool{origin}, "%s", std::string{text}.c_str());
    return *origin;
}

bool is_fit(std::string_view name, std::string_view value)
{
    auto checked = check_csrf_header(name, value);
    ck_assert(checked || checked.error().code == Code::misconfigured);
    return bool{checked};
}

} // namespace

TEST(takes_an_origin_as_browsers_write_it_BFF_12)
{
    for (auto origin :
         {"https://app.example.com", "https://app.example.com:8443",
          "https://192.0.2.1", "https://[2001:db8::1]:444",
          "http://localhost:5173", "http://127.0.0.1", "http://[::1]:3000",
          "http://app.localhost", "https://xn--bcher-kva.example"}) {
        ck_assert_msg(origin_of(origin) == origin, "%s", origin);
    }
}

TEST(writes_an_origin_as_browsers_do)
{
    ck_assert(origin_of("https://APP.Example.com") ==
              "https://app.example.com");
    ck_assert(origin_of("HTTPS://app.example.com:443") ==
              "https://app.example.com");
    ck_assert(origin_of("http://localhost:80") == "http://localhost");
    ck_assert(origin_of("http://localhost:443") == "http://localhost:443");
    ck_assert(origin_of("https://[2001:DB8:0::1]") == "https://[2001:db8::1]");
}

TEST(refuses_what_is_not_exactly_an_origin_BFF_12)
{
    for (auto text : {"",
                      "*",
                      "null",
                      "app.example.com",
                      "//app.example.com",
                      "https://",
                      "https:app.example.com",
                      "https://app.example.com/",
                      "https://app.example.com/app",
                      "https://app.example.com?",
                      "https://app.example.com?a=b",
                      "https://app.example.com#",
                      "https://app.example.com:",
                      "https://app.example.com:0",
                      "https://app.example.com:65536",
                      "https://app.example.com.",
                      "https://.example.com",
                      "https://*.example.com",
                      "https://u@app.example.com",
                      "https://app.example.com https://b.example.com",
                      "https://app.example.com,https://b.example.com",
                      "https://app_example.com\\",
                      "https://b\xc3\xbc"
                      "cher.example",
                      "http://app.example.com",
                      "http://192.0.2.1",
                      "ftp://app.example.com",
                      "chrome-extension://abcdef",
                      "file://"}) {
        auto origin = trusted_origin(text);
        ck_assert_msg(!origin, "%s", text);
        ck_assert(origin.error().code == Code::misconfigured);
        ck_assert(!origin.error().detail.empty());
    }
}

TEST(names_the_remedy_for_what_is_no_origin)
{
    auto has = [](std::string_view text, std::string_view part) {
        return trusted_origin(text).error().detail.find(part) !=
               std::string::npos;
    };

    ck_assert(has("https://*.example.com", "list each origin"));
    ck_assert(has("https://app.example.com/", "\"https://app.example.com\""));
    ck_assert(has("http://app.example.com", "https://"));
}

TEST(takes_a_header_that_other_sites_cannot_send_BFF_11)
{
    ck_assert(is_fit("X-CSRF", "1"));
    ck_assert(is_fit("x-requested-with", "XMLHttpRequest"));
    ck_assert(is_fit("Shop", "a page of ours"));
    ck_assert(is_fit("token-binding-2", "1"));
}

TEST(refuses_a_header_that_every_page_can_send_BFF_11)
{
    for (auto name : {"Accept",
                      "accept-language",
                      "CONTENT-LANGUAGE",
                      "Content-Type",
                      "Range",
                      "Origin",
                      "Referer",
                      "Cookie",
                      "Host",
                      "User-Agent",
                      "Authorization",
                      "Cache-Control",
                      "Pragma",
                      "Last-Event-ID",
                      "Upgrade-Insecure-Requests",
                      "DNT",
                      "Save-Data",
                      "DPR",
                      "Purpose",
                      "Sec-Fetch-Site",
                      "sec-gpc",
                      "Proxy-Authorization",
                      "Access-Control-Request-Method",
                      "If-None-Match",
                      "X-Forwarded-For"}) {
        ck_assert_msg(!is_fit(name, "1"), "%s", name);
    }
}

TEST(refuses_a_header_that_is_none)
{
    for (auto name : {"", "X CSRF", "X-CSRF:", "X_CSRF", "X.CSRF", "X-\xc3\xa4",
                      "X-CSRF\r\nA", "$name"}) {
        ck_assert_msg(!is_fit(name, "1"), "%s", name);
    }
    ck_assert(!is_fit(std::string(129, 'x'), "1"));

    for (auto value : {"", " ", " 1", "1 ", "1\r\n", "\t1", "\xc3\xa4"}) {
        ck_assert_msg(!is_fit("X-CSRF", value), "%s", value);
    }
    ck_assert(!is_fit("X-CSRF", std::string(129, '1')));
}

} // namespace bff::web
