// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

#include "core/oidc/authorization_response.hpp"

#include "unit.hpp"

namespace {

using namespace bff;
using oidc::AuthorizationResponse;

bool is_refused(std::string_view query, std::string_view why)
{
    auto response = AuthorizationResponse::parse(query);
    return !response && response.error().code == Code::refused &&
           response.error().detail.find(why) != std::string::npos;
}

AuthorizationResponse parsed(std::string_view query)
{
    auto response = AuthorizationResponse::parse(query);
    ck_assert(static_cast<bool>(response));
    return std::move(*response);
}

TEST(reads_code_state_and_iss)
{
    auto response = parsed("code=SplxlOBeZQQYbYS6WxSbIA&state=xyz"
                           "&iss=https%3A%2F%2Fid.example.com");

    ck_assert(response.code == "SplxlOBeZQQYbYS6WxSbIA");
    ck_assert(response.state == "xyz");
    ck_assert(response.iss == "https://id.example.com");
    ck_assert(response.error.empty());
}

TEST(reads_an_error_cb_4)
{
    auto response = parsed("error=access_denied&state=xyz"
                           "&error_description=No%20way");

    ck_assert(response.error == "access_denied");
    ck_assert(response.error_description == "No way");
    ck_assert(response.code.empty());
    ck_assert(!response.iss);
}

TEST(bounds_what_an_error_says_cb_4)
{
    auto long_text = std::string(5000, 'x');
    auto response = parsed("state=s&error=" + long_text +
                           "%0D%0A&error_description=%1b%0d%0a" + long_text);

    ck_assert_uint_eq(response.error.size(), 64);
    ck_assert_uint_eq(response.error_description.size(), 200);
    ck_assert(response.error_description.starts_with("???x"));
}

TEST(refuses_repeated_parameters_cb_1)
{
    for (auto query : {"code=a&code=a&state=s", "code=a&state=s&state=s",
                       "code=a&state=s&iss=x&iss=x", "code=a&state=s&x=1&x=2",
                       "error=a&error=b&state=s", "code=a&state=s&%73tate=t"}) {
        ck_assert(is_refused(query, "repeated"));
    }
}

TEST(refuses_a_missing_or_strange_state_cb_2)
{
    ck_assert(is_refused("code=a", "\"state\" is missing"));
    ck_assert(is_refused("code=a&state=", "\"state\" is missing"));
    ck_assert(is_refused("error=a", "\"state\" is missing"));
    ck_assert(is_refused("code=a&state=a%00b", "\"state\""));
    ck_assert(is_refused("code=a&state=%C3%A9", "\"state\""));
    ck_assert(is_refused("code=a&state=a%0Ab", "\"state\""));
}

TEST(takes_a_state_of_at_most_128_characters_cb_2)
{
    auto longest = std::string(128, 's');

    ck_assert(parsed("code=a&state=" + longest).state == longest);
    ck_assert(is_refused("code=a&state=" + longest + "s", "\"state\""));
}

TEST(wants_a_code_or_an_error_but_not_both)
{
    ck_assert(is_refused("state=s", "neither"));
    ck_assert(is_refused("state=s&code=", "neither"));
    ck_assert(is_refused("state=s&error=", "\"error\" is empty"));
    ck_assert(is_refused("state=s&code=a&error=b", "both"));
    ck_assert(is_refused("state=s&code=&error=b", "both"));
    ck_assert(is_refused("", "\"state\" is missing"));
}

TEST(refuses_a_malformed_code)
{
    ck_assert(is_refused("state=s&code=a%00b", "\"code\""));
    ck_assert(is_refused("state=s&code=a%0D%0Ab", "\"code\""));
    ck_assert(is_refused("state=s&code=%C3%A9", "\"code\""));
    ck_assert(is_refused("state=s&code=" + std::string(8193, 'c'), "\"code\""));
    ck_assert_uint_eq(
        parsed("state=s&code=" + std::string(8192, 'c')).code.size(), 8192);
}

TEST(refuses_tokens_in_the_front_channel_cb_5)
{
    for (auto name : {"access_token", "id_token"}) {
        auto query = "state=s&code=a&" + std::string{name} + "=x";
        ck_assert(is_refused(query, "token"));
        ck_assert(is_refused("state=s&" + std::string{name} + "=", "token"));
    }
}

TEST(ignores_unknown_parameters_cb_5)
{
    auto response = parsed("state=s&code=a&session_state=x&foo=bar&response=j");
    ck_assert(response.code == "a");
}

TEST(refuses_a_broken_escape)
{
    ck_assert(is_refused("state=s&code=%zz", "escape"));
}

TEST(wants_the_issuer_that_the_login_went_to_iss_1)
{
    constexpr std::string_view issuer = "https://id.example.com";
    auto check = [&](std::string_view query, bool supported) {
        return parsed(query).check_issuer(issuer, supported);
    };

    for (bool supported : {false, true}) {
        ck_assert(static_cast<bool>(
            check("state=s&code=a&iss=https://id.example.com", supported)));
        for (auto iss :
             {"https://id.example.com/", "https://evil.example", "",
              "https%253A%252F%252Fid.example.com", "HTTPS://id.example.com",
              "https://id.example.com%00"}) {
            auto query = "state=s&code=a&iss=" + std::string{iss};
            auto done = check(query, supported);
            ck_assert(!done);
            ck_assert(done.error().code == Code::refused);
        }
    }
}

TEST(checks_the_issuer_of_errors_too_iss_1)
{
    auto response = parsed("state=s&error=access_denied&iss=https://evil/");
    ck_assert(!response.check_issuer("https://id.example.com", false));
}

TEST(wants_iss_where_it_was_announced_iss_2)
{
    auto response = parsed("state=s&code=a");

    auto done = response.check_issuer("https://id.example.com", true);
    ck_assert(!done);
    ck_assert(done.error().detail.find("\"iss\" is missing") !=
              std::string::npos);
}

TEST(does_without_iss_where_it_was_not_announced_iss_3)
{
    auto response = parsed("state=s&code=a");
    ck_assert(static_cast<bool>(
        response.check_issuer("https://id.example.com", false)));
}

} // namespace
