// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

#include "core/web/cors.hpp"

#include "unit.hpp"

namespace bff::web {
namespace {

constexpr std::string_view kTrusted = "https://app.example.com";

OriginPolicy policy()
{
    OriginPolicy policy;
    policy.trusted = {"https://other.example.com", std::string{kTrusted}};
    return policy;
}

} // namespace

TEST(repeats_a_trusted_origin_exactly_and_allows_credentials_BFF_12)
{
    auto headers = cors_headers(policy(), kTrusted, 1);

    ck_assert_int_eq(headers.size(), 2);
    ck_assert(headers[0].name == "Access-Control-Allow-Origin");
    ck_assert(headers[0].value == kTrusted);
    ck_assert(headers[1].name == "Access-Control-Allow-Credentials");
    ck_assert(headers[1].value == "true");
}

TEST(says_nothing_to_any_other_origin_BFF_12)
{
    for (auto origin :
         {"", "null", "*", "https://evil.example", "https://example.com",
          "https://a.app.example.com", "https://app.example.com.evil.example",
          "https://app.example.com.", "https://app.example.com/",
          "https://app.example.com:443", "https://app.example.com:8443",
          "http://app.example.com", "https://APP.example.com",
          "HTTPS://app.example.com", "https://evil-app.example.com",
          "https://app.example.co", " https://app.example.com",
          "https://other.example.com https://app.example.com",
          "https://other.example.com, https://app.example.com"}) {
        ck_assert_msg(cors_headers(policy(), origin, 1).empty(), "%s", origin);
    }

    ck_assert(cors_headers(policy(), std::nullopt, 0).empty());
}

TEST(says_nothing_to_several_origins)
{
    ck_assert(cors_headers(policy(), kTrusted, 2).empty());
}

TEST(says_nothing_where_nobody_is_trusted)
{
    for (auto origin : {"", "null", "https://app.example.com"}) {
        ck_assert(cors_headers({}, origin, 1).empty());
    }
}

TEST(knows_the_headers_that_say_who_may_read)
{
    ck_assert(is_cors_header("access-control-allow-origin"));
    ck_assert(is_cors_header("Access-Control-Allow-Credentials"));
    for (auto name : {"Access-Control-Expose-Headers", "Vary", "Origin",
                      "Access-Control-Allow-Origins", ""}) {
        ck_assert_msg(!is_cors_header(name), "%s", name);
    }
}

TEST(names_a_field_in_vary_once)
{
    ck_assert(vary_with("", "Origin") == "Origin");
    ck_assert(vary_with(" ", "Origin") == "Origin");
    ck_assert(vary_with("Accept-Encoding", "Origin") ==
              "Accept-Encoding, Origin");
    ck_assert(vary_with("A, X-Origin", "Origin") == "A, X-Origin, Origin");

    for (auto vary : {"Origin", "origin", "Accept, Origin", "a ,\tORIGIN , b",
                      "*", "Accept, *"}) {
        ck_assert_msg(!vary_with(vary, "Origin"), "%s", vary);
    }
}

} // namespace bff::web
