// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

#include "core/oidc/token_response.hpp"

#include "core/base/json.hpp"
#include "unit.hpp"

namespace {

using namespace bff;
using oidc::TokenResponse;

Result<TokenResponse> answered(int status, std::string_view body)
{
    web::HttpResponse response;
    response.status = status;
    response.body = body;
    return TokenResponse::parse(response);
}

// A good answer with `members` put over it.
std::string answer_with(std::string_view members)
{
    auto answer = json::parse_object(
        R"({"access_token":"SlAV32hkKG","token_type":"Bearer",)"
        R"("refresh_token":"8xLOxBtZp8","expires_in":3600,)"
        R"("id_token":"eyJ0.e30.c2ln","scope":"openid email"})");
    auto more = json::parse_object(members);
    ck_assert(static_cast<bool>(more));
    json_object_update(answer->get(), more->get());
    return json::print(answer->get());
}

Result<TokenResponse> parsed(std::string_view members)
{
    return answered(200, answer_with(members));
}

bool is_unsupported(const Result<TokenResponse> &tokens, std::string_view why)
{
    return !tokens && tokens.error().code == Code::unsupported &&
           tokens.error().detail.find(why) != std::string::npos;
}

TEST(reads_tokens_and_lifetime_cb_8)
{
    auto tokens = parsed("{}");

    ck_assert(static_cast<bool>(tokens));
    ck_assert(tokens->access_token.reveal() == "SlAV32hkKG");
    ck_assert(tokens->refresh_token.reveal() == "8xLOxBtZp8");
    ck_assert(tokens->id_token.reveal() == "eyJ0.e30.c2ln");
    ck_assert(tokens->token_type == "Bearer");
    ck_assert(tokens->scope == "openid email");
    ck_assert(tokens->expires_in == Seconds{3600});
}

TEST(does_with_an_access_token_alone)
{
    auto tokens =
        answered(200, R"({"access_token":"a","token_type":"bearer"})");

    ck_assert(static_cast<bool>(tokens));
    ck_assert(tokens->refresh_token.empty());
    ck_assert(tokens->id_token.empty());
    ck_assert(tokens->scope.empty());
    ck_assert(!tokens->expires_in);
}

TEST(wants_a_json_object_cb_8)
{
    for (auto body : {"", "[]", "null", "access_token=a&token_type=bearer",
                      "<html>", R"({"access_token":"a")",
                      R"({"access_token":"a","access_token":"b"})"}) {
        ck_assert(is_unsupported(answered(200, body), "JSON"));
    }
}

TEST(wants_an_access_token_that_fits_a_header_cb_8)
{
    for (auto value : {"\"\"", "null", "7", "[]", "\"a b\"", "\"a\\r\\nb\"",
                       "\"a\\u0000\"", "\"\xc3\xa9\"", "\"\\u007f\""}) {
        auto members = "{\"access_token\":" + std::string{value} + "}";
        ck_assert(is_unsupported(parsed(members), "\"access_token\""));
    }
    ck_assert(is_unsupported(answered(200, R"({"token_type":"Bearer"})"),
                             "\"access_token\" is missing"));
}

TEST(takes_an_access_token_of_at_most_128_kib_cb_8)
{
    auto with = [](size_t octets) {
        return parsed("{\"access_token\":\"" + std::string(octets, 'a') +
                      "\"}");
    };

    ck_assert(static_cast<bool>(with(128 * 1024)));
    ck_assert(is_unsupported(with(128 * 1024 + 1), "\"access_token\""));
}

TEST(wants_bearer_in_any_case_cb_8)
{
    for (auto type : {"Bearer", "bearer", "BEARER"}) {
        auto members = "{\"token_type\":\"" + std::string{type} + "\"}";
        ck_assert(static_cast<bool>(parsed(members)));
    }
    for (auto type :
         {"\"DPoP\"", "\"mac\"", "\"\"", "null", "7", "\"Bearer \""}) {
        auto members = "{\"token_type\":" + std::string{type} + "}";
        ck_assert(is_unsupported(parsed(members), "\"token_type\""));
    }
    ck_assert(is_unsupported(answered(200, R"({"access_token":"a"})"),
                             "\"token_type\""));
}

TEST(reads_expires_in_as_number_or_numeric_string_cb_8)
{
    auto lifetime = [](std::string_view value) {
        auto members = "{\"expires_in\":" + std::string{value} + "}";
        auto tokens = parsed(members);
        ck_assert(static_cast<bool>(tokens));
        return tokens->expires_in;
    };
    constexpr Seconds decade{10LL * 365 * 24 * 3600};

    ck_assert(lifetime("3599") == Seconds{3599});
    ck_assert(lifetime("3599.9") == Seconds{3599});
    ck_assert(lifetime("\"3599\"") == Seconds{3599});
    ck_assert(lifetime("0") == Seconds{0});
    ck_assert(lifetime("null") == std::nullopt);
    ck_assert(lifetime("9223372036854775807") == decade);
    ck_assert(lifetime("\"9223372036854775807\"") == decade);
}

TEST(refuses_an_expires_in_that_is_no_number_of_seconds_cb_8)
{
    for (auto value :
         {"-1", "\"-1\"", "\"\"", "\"1h\"", "\" 1\"", "true", "[]", "1e300",
          "-0.5", "\"99999999999999999999\"", "\"1.5\""}) {
        auto members = "{\"expires_in\":" + std::string{value} + "}";
        ck_assert(is_unsupported(parsed(members), "\"expires_in\""));
    }
}

TEST(wants_refresh_and_id_token_to_be_text_or_absent)
{
    for (auto name : {"refresh_token", "id_token"}) {
        auto with = [&](std::string_view value) {
            return parsed("{\"" + std::string{name} +
                          "\":" + std::string{value} + "}");
        };
        ck_assert(static_cast<bool>(with("null")));
        ck_assert(static_cast<bool>(with("\"\"")));
        for (auto value : {"7", "[]", "{}", "true"}) {
            ck_assert(is_unsupported(with(value), name));
        }
        auto longest = "\"" + std::string(128 * 1024 + 1, 'a') + "\"";
        ck_assert(is_unsupported(with(longest), name));
    }

    auto none = parsed(R"({"refresh_token":null,"id_token":null})");
    ck_assert(none->refresh_token.empty());
    ck_assert(none->id_token.empty());
}

TEST(wants_a_refresh_token_of_visible_ascii)
{
    for (auto value : {"a b", "a\\nb", "\xc3\xa9", "a\\u0000"}) {
        auto members = "{\"refresh_token\":\"" + std::string{value} + "\"}";
        ck_assert(is_unsupported(parsed(members), "\"refresh_token\""));
    }
}

TEST(leaves_the_form_of_an_id_token_to_who_verifies_it_key_9)
{
    auto tokens = parsed(R"({"id_token":"no token at all"})");

    ck_assert(static_cast<bool>(tokens));
    ck_assert(tokens->id_token.reveal() == "no token at all");
}

TEST(does_not_mind_a_strange_scope)
{
    // Twitch sends an array, 2024
    ck_assert(parsed(R"({"scope":["openid"]})")->scope.empty());
    ck_assert(parsed(R"({"scope":"a\nb"})")->scope.empty());
}

TEST(tells_an_oauth_error_cb_9)
{
    for (int status : {400, 401, 403}) {
        auto tokens = answered(
            status,
            R"({"error":"invalid_grant","error_description":"Code used"})");
        ck_assert(!tokens);
        ck_assert(tokens.error().code == Code::refused);
        ck_assert(tokens.error().detail == "invalid_grant");
    }
}

TEST(bounds_an_oauth_error_cb_9)
{
    auto tokens = answered(400, "{\"error\":\"a\\r\\n\xc3\xa9" +
                                    std::string(500, 'x') + "\"}");
    auto detail = tokens.error().detail;

    ck_assert(detail.starts_with("a????x"));
    ck_assert_uint_eq(detail.size(), 64);
}

TEST(tells_a_refusal_without_oauth_error)
{
    for (auto body : {"", "<html>", "{}", R"({"error":7})", R"({"error":""})",
                      R"({"error":"a","error":"b"})"}) {
        auto tokens = answered(404, body);
        ck_assert(!tokens);
        ck_assert(tokens.error().code == Code::refused);
        ck_assert(tokens.error().detail == "HTTP status 404");
    }
}

TEST(tells_what_may_pass_from_what_will_not_cb_9)
{
    for (int status : {408, 429, 500, 502, 503, 504}) {
        auto tokens = answered(status, R"({"error":"invalid_grant"})");
        ck_assert(!tokens);
        ck_assert(tokens.error().code == Code::unavailable);
    }
    for (int status : {201, 202, 204, 206, 301, 302, 307, 600, 0}) {
        auto tokens = answered(status, answer_with("{}"));
        ck_assert(is_unsupported(tokens, "HTTP status"));
    }
}

TEST(tells_when_the_provider_wants_to_be_asked_again)
{
    web::HttpResponse response{503, {{"Retry-After", "7"}}, ""};
    auto tokens = TokenResponse::parse(response);

    ck_assert(!tokens);
    ck_assert(tokens.error().retry_after == Seconds{7});
}

TEST(unpacks_nothing)
{
    web::HttpResponse response{
        200, {{"Content-Encoding", "gzip"}}, answer_with("{}")};

    ck_assert(
        is_unsupported(TokenResponse::parse(response), "Content-Encoding"));
}

TEST(tells_an_error_that_came_with_status_200)
{
    auto tokens = answered(200, R"({"ok":false,"error":"invalid_code"})");

    ck_assert(!tokens);
    ck_assert(tokens.error().code == Code::refused);
    ck_assert(tokens.error().detail == "invalid_code");
}

TEST(refused_refresh_token_is_invalid_grant_and_nothing_else_rt_6)
{
    auto refreshed = [](int status, std::string_view body) {
        web::HttpResponse response{status, {}, std::string{body}};
        return TokenResponse::parse_refreshed(response).error();
    };

    ck_assert(refreshed(400, R"({"error":"invalid_grant"})").code ==
              Code::refused);
    ck_assert(refreshed(400, R"({"error":"invalid_client"})").code ==
              Code::unsupported);
    ck_assert(refreshed(401, "").code == Code::unsupported);
    ck_assert(refreshed(503, "").code == Code::unavailable);
    ck_assert(refreshed(200, R"({"error":"invalid_grant"})").code ==
              Code::refused);
}

TEST(never_shows_a_token_in_an_error)
{
    auto tokens = parsed(R"({"access_token":"hidden one"})");
    ck_assert(tokens.error().detail.find("hidden") == std::string::npos);

    tokens = answered(200, R"({"access_token":"hidden",})");
    ck_assert(tokens.error().detail.find("hidden") == std::string::npos);
}

} // namespace
