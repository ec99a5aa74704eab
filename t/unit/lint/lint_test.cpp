// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What is told, and, as important, what is not.

#include "unit.hpp"

#include "core/base/text.hpp"
#include "core/lint/lint.hpp"

using namespace bff;

namespace {

std::vector<lint::Finding> findings(std::string_view http)
{
    auto text = "http {" + std::string{http} + "}";
    auto conf = lint::parse_conf({"nginx.conf", text}, [](std::string_view) {
        return std::vector<lint::Source>{};
    });
    ck_assert_msg(static_cast<bool>(conf), "%s", text.c_str());

    return lint::lint(*conf, {{"corp", 12000}, {"small", 1000}});
}

std::vector<lint::Finding> in_server(std::string_view server)
{
    return findings("server {" + std::string{server} + "}");
}

std::vector<lint::Finding> in_location(std::string_view location)
{
    return in_server("location /x/ { bff corp; " + std::string{location} + "}");
}

bool is_one(const std::vector<lint::Finding> &found, std::string_view a,
            std::string_view b)
{
    return found.size() == 1 && found[0].text.find(a) != std::string::npos &&
           found[0].text.find(b) != std::string::npos;
}

} // namespace

TEST(says_nothing_of_what_is_well)
{
    for (auto server :
         {"", "return 301 https://a$request_uri;",
          "location / { root /srv; } location /api/ { bff corp; proxy_pass "
          "http://api; }",
          "location / { return 200 home; }",
          "bff corp; location = /health { bff off; return 200 ok; }",
          "bff corp; location / { try_files $uri @x; } location @x { "
          "proxy_pass http://api; }",
          "large_client_header_buffers 1 1k; location / { return 200; }",
          "location /f { alias /srv/f/; }"}) {
        ck_assert_msg(in_server(server).empty(), "%s", server);
    }
    ck_assert(findings("bff corp; server { return 301 https://a; }").empty());
    ck_assert(in_server("bff corp; if ($host = www.a) { return 301 "
                        "https://a$request_uri; }")
                  .empty());
}

TEST(tells_of_answers_before_a_session_is_looked_for)
{
    for (auto answer :
         {"return 200 ok;", "return 204;", "return 302 /y;", "return /y;",
          "return 200 $bff_sub;", "rewrite ^ /y redirect;",
          "rewrite ^ /y permanent;", "rewrite ^ https://y/;",
          "if ($a) { return 200; }", "if ($a) { rewrite ^ /y redirect; }"}) {
        auto found = in_location(answer);
        ck_assert_msg(is_one(found, "in location \"/x/\"", "\"bff off\""), "%s",
                      answer);
    }
    for (auto refusal : {"return 403;", "return 404 gone;", "return 444;",
                         "rewrite ^ /y last;", "rewrite ^/x/(.*) /$1 break;",
                         "if ($a) { return 405; }"}) {
        ck_assert_msg(in_location(refusal).empty(), "%s", refusal);
    }

    ck_assert(is_one(in_server("bff corp; return 301 https://a;"),
                     "\"return\" in this server", "bff"));
    ck_assert(is_one(findings("bff corp; server { return 200 a; }"),
                     "\"return\" in this server", "bff"));
    ck_assert(is_one(in_server("bff corp; location /a/ { location = /a/b { "
                               "return 200; } }"),
                     "\"= /a/b\"", "return"));
}

TEST(tells_of_rewrites_to_what_only_looks_closed)
{
    auto to = [](std::string_view rule, std::string_view inner) {
        return in_server("location /x/ { bff corp; " + std::string{rule} +
                         "} location /in/ { internal; proxy_pass http://a; " +
                         std::string{inner} + "}");
    };

    for (auto rule : {"rewrite ^/x/(.*) /in/$1 last;", "rewrite ^ /in/;",
                      "if ($a) { rewrite ^ /in/a?b last; }"}) {
        ck_assert_msg(is_one(to(rule, ""), "\"rewrite\" in location \"/x/\"",
                             "location \"/in/\""),
                      "%s", rule);
        ck_assert(to(rule, "bff corp;").empty());
    }
    for (auto rule : {"rewrite ^ /in/ break;", "rewrite ^ /out/ last;",
                      "try_files /a /in/b;"}) {
        ck_assert_msg(to(rule, "").empty(), "%s", rule);
    }
}

TEST(tells_of_what_takes_the_token_s_place)
{
    for (auto set : {"proxy_set_header Authorization \"\";",
                     "proxy_set_header authorization $http_x;",
                     "proxy_set_header Authorization \"Basic eA==\";",
                     "grpc_set_header Authorization x;",
                     "fastcgi_param HTTP_AUTHORIZATION x;",
                     "uwsgi_param HTTP_AUTHORIZATION x if_not_empty;",
                     "scgi_param HTTP_AUTHORIZATION x;"}) {
        ck_assert_msg(is_one(in_location(set), "in location \"/x/\"",
                             "bff_authorization off"),
                      "%s", set);
    }
    for (auto set :
         {"proxy_set_header Authorization $http_authorization;",
          "proxy_set_header Authorization \"Bearer $bff_access_token\";",
          "proxy_set_header Authorization2 x;", "proxy_set_header Host x;",
          "bff_authorization off; proxy_set_header Authorization x;"}) {
        ck_assert_msg(in_location(set).empty(), "%s", set);
    }
}

TEST(inherits_lists_of_headers_as_nginx_does)
{
    auto all = "proxy_set_header Authorization x; ";
    auto two = "location /a/ { bff corp; } location /b/ { bff corp; }";
    ck_assert_int_eq(in_server(std::string{all} + two).size(), 1);
    ck_assert(in_server(std::string{all} +
                        "location /a/ { bff corp; proxy_set_header Host x; }")
                  .empty());
    ck_assert(in_server(std::string{all} + "location /a/ { }").empty());
}

TEST(tells_of_hosts_that_a_request_may_choose_bff_14)
{
    for (auto pass :
         {"proxy_pass http://$http_x_api;", "proxy_pass http://$host$uri;",
          "proxy_pass $arg_to;", "proxy_pass http://${cookie_api}:80/;",
          "proxy_pass https://api.$http_host/;", "grpc_pass grpc://$arg_a;",
          "set $to $http_x; proxy_pass http://$to;", "fastcgi_pass $arg_to;",
          "proxy_pass http://$1;"}) {
        ck_assert_msg(
            is_one(in_location(pass), "takes its host from \"$", "map"), "%s",
            pass);
    }
    for (auto pass :
         {"proxy_pass http://api$uri;", "proxy_pass http://api$request_uri;",
          "proxy_pass http://api/$1?$args;",
          "set $to http://api; proxy_pass $to;",
          "proxy_pass http://$server_name:$server_port;",
          "proxy_pass http://unix:/run/$arg_a.sock;",
          "bff_authorization off; proxy_pass http://$arg_a;"}) {
        ck_assert_msg(in_location(pass).empty(), "%s", pass);
    }

    auto map = [](std::string_view values) {
        return findings("map $arg_a $to {" + std::string{values} +
                        "} server { location / { bff corp; proxy_pass "
                        "http://$to; } }");
    };
    ck_assert(map("a one:80; b two; default \"\";").empty());
    ck_assert(map("a one; default $arg_a;").size() == 1);
}

TEST(tells_of_files_that_caches_may_show_to_others)
{
    ck_assert(is_one(in_location("alias /srv/x/;"), "\"alias\"",
                     "add_header Cache-Control private"));
    ck_assert(is_one(in_location("root /srv;"), "\"root\"", "Cache-Control"));

    for (auto files :
         {"alias /srv/x/; add_header Cache-Control private;",
          "alias /srv/x/; expires -1;", "root /srv; proxy_pass http://a;",
          "add_header cache-control no-store always; root /s;"}) {
        ck_assert_msg(in_location(files).empty(), "%s", files);
    }
}

TEST(tells_of_files_that_another_location_hands_out_without_a_session)
{
    std::string cached = "add_header Cache-Control private; ";
    auto open = [&](std::string_view server) {
        return in_server(cached + std::string{server});
    };

    ck_assert(is_one(open("root /srv/spa; location / { } location /private/ { "
                          "bff corp; alias /srv/spa/data/; }"),
                     "\"/data/\"", "without a session"));
    ck_assert(is_one(open("location / { root /srv; } location /x/ { bff corp; "
                          "root /srv/inner; }"),
                     "\"/inner/x/\"", "location \"/\""));
    ck_assert(open("location / { root /srv/spa; } location /x/ { bff corp; "
                   "alias /srv/data/; }")
                  .empty());
    // the detour is closed by a location of its own
    ck_assert(open("location / { root /srv; } location /x/ { bff corp; alias "
                   "/srv/data/; } location /data/ { bff corp; }")
                  .empty());
    ck_assert(
        open("location / { root /srv; } location /x/ { bff corp; }").empty());
}

TEST(tells_of_patterns_that_are_asked_before_a_protected_prefix)
{
    auto with = [](std::string_view pattern, std::string_view modifier = "") {
        return in_server("root /srv; add_header Cache-Control private; "
                         "location " +
                         std::string{modifier} +
                         " /x/ { bff corp; } location " + std::string{pattern});
    };

    for (auto pattern :
         {"~ \\.css$ { }", "~* \\.css$ { expires 1y; }", "~\\.css$ { }",
          "~ ^/x/.*\\.css$ { }", "~ ^/X { }", "~ ^/xy?/ { }", "~ ^/(x|y)/ { }",
          "~ ^/y|css$ { }", "~ \\.php$ { fastcgi_pass unix:/php; }",
          "~ \\.css$ { root /srv; }"}) {
        auto found = with(pattern);
        ck_assert_msg(
            is_one(found, "is asked before location \"/x/\"", "\"bff off\""),
            "%s", pattern);
    }
    for (auto pattern :
         {"~ \\.css$ { bff corp; }", "~ \\.css$ { bff off; }",
          "~ /\\.ht { deny all; }", "~ \\.css$ { return 404; }",
          "~ \\.css$ { root /srv/public; }", "~ \\.css$ { alias /pub/; }",
          "~ ^/y/.*\\.css$ { }", "~ \\.css$ { internal; }",
          "~ ^/api { proxy_pass http://api; }", "@css { }"}) {
        ck_assert_msg(with(pattern).empty(), "%s", pattern);
    }
    for (auto modifier : {"^~", "="}) {
        ck_assert_msg(with("~ \\.css$ { }", modifier).empty(), "%s", modifier);
    }
    ck_assert(in_location("location ~ \\.css$ { bff off; }").empty());
    ck_assert(in_server("root /srv; location /x/ { bff corp; proxy_pass "
                        "http://api; } location ~ \\.css$ { }")
                  .empty());
}

TEST(tells_of_an_alias_that_can_be_left)
{
    ck_assert(is_one(in_server("location /a { alias /srv/a/; } location /b/ { "
                               "bff corp; }"),
                     "\"/a../\"", "alias"));
    ck_assert(in_server("location /a/ { alias /srv/a/; } location = /c { alias "
                        "/srv/c/; } location /b/ { bff corp; }")
                  .empty());
}

TEST(tells_of_requirements_that_ask_nobody)
{
    ck_assert(is_one(in_server("location /x/ { bff_require $a; }"),
                     "\"bff_require\"", "asks nobody"));
    ck_assert(is_one(in_location("bff_require $a; bff_accept_bearer on;"),
                     "\"bff_accept_bearer\"", "different locations"));
    ck_assert(in_location("bff_require $a;").empty());
}

TEST(tells_of_buffers_that_are_smaller_than_the_cookies)
{
    auto sized = [](std::string_view size, std::string_view provider) {
        return findings("large_client_header_buffers 4 " + std::string{size} +
                        "; server { location / { bff " + std::string{provider} +
                        "; } }");
    };

    for (auto size : {"1k", "4k", "8k", "8K", "8192", "11999"}) {
        ck_assert_msg(is_one(sized(size, "corp"),
                             "\"large_client_header_buffers\"", "4 32k"),
                      "%s", size);
    }
    for (auto size : {"12000", "16k", "32k", "1m", "nonsense"}) {
        ck_assert_msg(sized(size, "corp").empty(), "%s", size);
    }
    ck_assert(sized("1k", "small").empty());
    ck_assert(sized("512", "small").size() == 1);
    ck_assert(sized("4k", "unknown").empty());
}
