// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

#include "core/web/request_kind.hpp"

#include "unit.hpp"

namespace bff::web {
namespace {

RequestView request_with_accept(std::string_view accept)
{
    RequestView request;
    request.method = "GET";
    request.accept = accept;
    return request;
}

bool is_page_for(std::string_view accept)
{
    return is_navigation(request_with_accept(accept));
}

} // namespace

TEST(believes_sec_fetch_mode)
{
    auto request = request_with_accept("*/*");

    request.sec_fetch_mode = "navigate";
    ck_assert(is_navigation(request));

    request.method = "POST";
    ck_assert(is_navigation(request));
}

TEST(believes_sec_fetch_mode_more_than_accept)
{
    auto request = request_with_accept("text/html");

    for (auto mode : {"cors", "no-cors", "same-origin", "websocket", "",
                      "Navigate", "navigate, cors"}) {
        request.sec_fetch_mode = mode;
        ck_assert_msg(!is_navigation(request), "%s", mode);
    }
}

TEST(knows_a_page_by_its_accept_when_there_is_no_sec_fetch_mode)
{
    for (auto accept :
         {"text/html", "Text/HTML", "text/html;q=0.1", "text/html; q=1.000",
          "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
          "application/json, text/html", "*/*;q=0.1 , \ttext/html ; charset=x",
          "text/html;q=0.001", "text/html;level=1;q=0.5",
          "text/html;q=0, text/html;level=1",
          "text/plain;a=\"x, y\";q=0, text/html"}) {
        ck_assert_msg(is_page_for(accept), "%s", accept);
    }
}

TEST(takes_no_api_call_for_a_page)
{
    for (auto accept :
         {"", "*/*", "text/*", "application/json", "text/htmlx", "xtext/html",
          "text/html+x", "text/html-x", "application/json;v=text/html",
          "text/plain;a=\"text/html\"", "text/plain;a=\",text/html,\"",
          "text/plain;a=\"\\\",text/html\"", "text / html", ",;,;", "\""}) {
        ck_assert_msg(!is_page_for(accept), "%s", accept);
    }
}

TEST(takes_weight_zero_for_a_no)
{
    for (auto accept :
         {"text/html;q=0", "text/html;q=0.0", "text/html; q=0.000",
          "text/html;Q=0", "text/html;level=1;q=0", "text/html ; q=0 , */*",
          "text/html;q=0."}) {
        ck_assert_msg(!is_page_for(accept), "%s", accept);
    }
}

TEST(takes_only_get_and_head_for_a_page_by_accept)
{
    auto request = request_with_accept("text/html");

    request.method = "HEAD";
    ck_assert(is_navigation(request));

    for (auto method : {"POST", "PUT", "DELETE", "OPTIONS", "get", ""}) {
        request.method = method;
        ck_assert_msg(!is_navigation(request), "%s", method);
    }
}

TEST(knows_a_prefetch_CB_6)
{
    RequestView request;

    for (auto purpose : {"prefetch", "prefetch;prerender", "Prefetch",
                         " prefetch ; anonymous-client-ip"}) {
        request.sec_purpose = purpose;
        ck_assert_msg(is_prefetch(request), "%s", purpose);
    }

    for (auto purpose : {"", "preview", "prefetching", "x;prefetch"}) {
        request.sec_purpose = purpose;
        ck_assert_msg(!is_prefetch(request), "%s", purpose);
    }
}

TEST(knows_a_websocket_handshake)
{
    for (auto connection : {"Upgrade", "upgrade", "keep-alive, Upgrade",
                            "UPGRADE,keep-alive", " upgrade "}) {
        ck_assert_msg(is_websocket_handshake("GET", "WebSocket", connection),
                      "%s", connection);
    }
    ck_assert(is_websocket_handshake("GET", "websocket", "Upgrade"));
}

TEST(knows_what_is_no_websocket_handshake)
{
    for (auto method : {"POST", "HEAD", "get", "OPTIONS", ""}) {
        ck_assert_msg(!is_websocket_handshake(method, "websocket", "Upgrade"),
                      "%s", method);
    }
    for (auto protocol : {"", "h2c", "websocket/13", "h2c, websocket",
                          "websocket, websocket", "websockets", "TLS/1.0"}) {
        ck_assert_msg(!is_websocket_handshake("GET", protocol, "Upgrade"), "%s",
                      protocol);
    }
    for (auto connection :
         {"", "close", "keep-alive", "upgraded", "not upgrade",
          "Upgrade-Insecure-Requests", "\"a, upgrade\""}) {
        ck_assert_msg(!is_websocket_handshake("GET", "websocket", connection),
                      "%s", connection);
    }
}

} // namespace bff::web
