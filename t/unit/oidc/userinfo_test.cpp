// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

#include "core/oidc/userinfo.hpp"

#include "support/minted.hpp"
#include "unit.hpp"

namespace {

using namespace bff;
using namespace bff::unit;
using oidc::Jws;

constexpr std::string_view kToken = "opaque-access-token-4711";
constexpr std::string_view kJson = "application/json";
constexpr std::string_view kJwt = "application/jwt";

web::HttpResponse answer(std::string_view type, std::string_view body,
                         int status = 200)
{
    web::HttpResponse response;
    response.status = status;
    response.headers = {{"Content-Type", std::string{type}}};
    response.body = body;
    return response;
}

Result<oidc::UserinfoAnswer> read(const web::HttpResponse &response)
{
    return oidc::read_userinfo(response, shop_client());
}

template <class T> bool is_forged(const Result<T> &result, std::string_view why)
{
    return !result && result.error().code == Code::forged &&
           result.error().detail.starts_with("userinfo ") &&
           result.error().detail.find(why) != std::string::npos;
}

// Read and, if it is JSON, checked against "alice".
Result<json::Value> plain(std::string_view body)
{
    auto claims = read(answer(kJson, body));
    if (!claims) {
        return std::move(claims).error();
    }
    ck_assert(std::holds_alternative<json::Value>(*claims));
    return oidc::check_userinfo(std::get<json::Value>(std::move(*claims)),
                                {.sub = "alice", .access_token = kToken});
}

std::string signed_claims(std::string_view members)
{
    auto claims = json::parse_object(
        R"({"iss": "https://id.example.com", "aud": "shop", "sub": "alice"})");
    auto more = json::parse_object(members);
    ck_assert(static_cast<bool>(more));
    json_object_update(claims->get(), more->get());
    return json::print(claims->get());
}

// The claims of a signed answer whose signature was found good.
Result<json::Value> verified(std::string_view claims,
                             std::string_view header = "{}")
{
    auto jws = Jws::parse(mint(ed_key(), Algorithm::eddsa, claims, header),
                          {Algorithm::eddsa});
    ck_assert(static_cast<bool>(jws));
    return oidc::check_userinfo(*jws, shop_client(),
                                {.sub = "alice", .access_token = kToken}, kNow);
}

bool accepts(std::string_view members, std::string_view header = "{}")
{
    return static_cast<bool>(verified(signed_claims(members), header));
}

bool refuses(std::string_view why, std::string_view members,
             std::string_view header = "{}")
{
    return is_forged(verified(signed_claims(members), header), why);
}

std::string without(std::string_view name)
{
    auto claims = json::parse_object(signed_claims("{}"));
    json_object_deln(claims->get(), name.data(), name.size());
    return json::print(claims->get());
}

TEST(sends_the_token_in_the_header_of_a_get_and_nowhere_else_ui_1_bcp_8)
{
    oidc::Metadata metadata;
    metadata.userinfo_endpoint = "https://id.example.com/userinfo?schema=x";
    auto request = oidc::userinfo_request(metadata, Secret{kToken});

    ck_assert(request.method == "GET");
    ck_assert(request.url == "https://id.example.com/userinfo?schema=x");
    ck_assert(request.body.empty());
    ck_assert_uint_eq(request.headers.size(), 2);
    ck_assert(request.headers[0].name == "Authorization");
    ck_assert(request.headers[0].value == "Bearer " + std::string{kToken});
    ck_assert(request.headers[1].name == "Accept");
    ck_assert(request.headers[1].value == "application/json, application/jwt");
}

TEST(hands_out_all_claims_of_a_good_answer_ui_3)
{
    auto claims =
        plain(R"({"sub": "alice", "name": "Alice", "x": {"y": [1, null]}})");

    ck_assert(static_cast<bool>(claims));
    ck_assert(json::print(claims->get()) ==
              R"({"sub":"alice","name":"Alice","x":{"y":[1,null]}})");
}

TEST(tells_plain_from_signed_by_the_media_type_ui_2)
{
    auto token = mint(rsa_key(), Algorithm::rs256, signed_claims("{}"));

    for (auto type : {"application/json", "Application/JSON",
                      "application/json; charset=utf-8",
                      "application/json ;charset=utf-8"}) {
        auto json = read(answer(type, R"({"sub": "alice"})"));
        ck_assert(json && std::holds_alternative<json::Value>(*json));
        ck_assert(is_forged(read(answer(type, token)), "Content-Type"));
    }
    for (auto type : {"application/jwt", "APPLICATION/JWT;x=y"}) {
        auto jwt = read(answer(type, token));
        ck_assert(jwt && std::holds_alternative<Jws>(*jwt));
        ck_assert(is_forged(read(answer(type, R"({"sub": "alice"})")), "JWT"));
    }
}

TEST(refuses_any_other_media_type_ui_2)
{
    for (auto type :
         {"", "text/html", "text/plain", "application/jsonx",
          "application/json+x", "application/problem+json", "json",
          "application/scim+json", "application/x-json",
          "application/json, text/html", "application/jwt+json", "*/*"}) {
        ck_assert(is_forged(read(answer(type, R"({"sub": "alice"})")),
                            "Content-Type"));
    }
}

TEST(wants_exactly_one_content_type_ui_2)
{
    auto response = answer(kJson, R"({"sub": "alice"})");
    response.headers.clear();
    ck_assert(is_forged(read(response), "Content-Type"));

    for (auto second : {kJson, kJwt}) {
        response = answer(kJson, R"({"sub": "alice"})");
        response.headers.push_back({"content-type", std::string{second}});
        ck_assert(is_forged(read(response), "Content-Type"));
    }
}

TEST(takes_nothing_but_200_for_an_answer_ui_2)
{
    for (int status : {201, 202, 204, 206, 301, 302, 304, 307, 400, 401, 403,
                       404, 405, 410, 600, 0}) {
        auto refused = read(answer(kJson, R"({"sub": "alice"})", status));
        ck_assert(is_forged(refused, std::to_string(status)));
    }
    for (int status : {500, 502, 503, 504, 599, 408, 429}) {
        auto away = read(answer(kJson, R"({"sub": "alice"})", status));
        ck_assert(!away && away.error().code == Code::unavailable);
    }
}

TEST(tells_the_word_of_rfc_6750_and_nothing_else_of_the_header)
{
    auto refused = answer(kJson, "", 401);
    refused.headers.push_back(
        {"WWW-Authenticate", "Bearer realm=\"x\", error=\"invalid_token\""});
    ck_assert(is_forged(read(refused), "401 (invalid_token)"));

    refused.headers.back().value =
        "Bearer error=\"" + std::string{kToken} + "\"";
    ck_assert(read(refused).error().detail.ends_with("401"));
}

TEST(wants_one_strict_json_object_ui_2)
{
    auto deep = [](size_t levels) {
        return R"({"sub": "alice", "x": )" + std::string(levels, '[') +
               std::string(levels, ']') + "}";
    };
    ck_assert(static_cast<bool>(plain(deep(31))));
    ck_assert(is_forged(plain(deep(32)), "deep"));

    auto large = [](size_t octets) {
        std::string body = R"({"sub": "alice"})";
        return body + std::string(octets - body.size(), ' ');
    };
    ck_assert(static_cast<bool>(plain(large(256 * 1024))));
    ck_assert(is_forged(plain(large(256 * 1024 + 1)), "large"));

    for (auto body :
         {"", "[]", "null", "7", "\"alice\"", "<html>", "sub=alice",
          R"({"sub": "alice")", R"({"sub": "alice"} x)",
          R"({"sub": "alice", "sub": "alice"})",
          R"({"sub": "alice", "x": {"y": 1, "y": 2}})",
          "{\"sub\": \"alice\", \"x\": \"\xff\"}", "\x1f\x8b\x08"}) {
        ck_assert(is_forged(plain(body), "JSON"));
    }
}

TEST(wants_the_subject_of_the_id_token_ui_3)
{
    for (auto body :
         {R"({})", R"({"sub": ""})", R"({"sub": 7})", R"({"sub": null})",
          R"({"sub": ["alice"]})", R"({"sub": "bob"})", R"({"sub": "Alice"})",
          R"({"sub": "alice "})", R"({"sub": "alice\u0000"})",
          R"({"Sub": "alice"})", R"({"sub": "alic"})"}) {
        ck_assert(is_forged(plain(body), "\"sub\""));
    }
}

TEST(does_not_tell_other_peoples_subjects_to_the_log)
{
    ck_assert(
        plain(R"({"sub": "bob@example.com"})").error().detail.find("bob") ==
        std::string::npos);
}

TEST(refuses_an_answer_that_repeats_the_access_token_bff_21)
{
    for (std::string before : {"", "Bearer "}) {
        auto value = '"' + before + std::string{kToken} + '"';
        for (const auto &body :
             {R"({"sub": "alice", "x": )" + value + "}",
              R"({"sub": "alice", "x": [{"y": )" + value + "}]}",
              R"({"sub": "alice", )" + value + ": 1}"}) {
            ck_assert(is_forged(plain(body), "repeats"));
        }
    }
}

TEST(finds_an_access_token_that_json_spells_in_another_way_bff_21)
{
    constexpr std::string_view odd = R"(a"b\c/d-0123456789abcdef)";
    auto claims = json::object();
    json::put(claims.get(), "sub", std::string_view{"alice"});
    json::put(claims.get(), "x", odd);

    ck_assert(
        is_forged(oidc::check_userinfo(std::move(claims),
                                       {.sub = "alice", .access_token = odd}),
                  "repeats"));
}

TEST(takes_no_short_word_for_a_token)
{
    auto claims = json::parse_object(R"({"sub": "alice", "name": "alice"})");

    ck_assert(static_cast<bool>(oidc::check_userinfo(
        std::move(*claims), {.sub = "alice", .access_token = "alice"})));
}

TEST(refuses_an_encrypted_answer_with_a_sentence_key_10)
{
    auto jwe = read(answer(kJwt, "eyJhbGciOiJSU0EtT0FFUCJ9.AA.AA.AA.AA"));

    ck_assert(is_forged(jwe, "encrypted (JWE)"));
}

TEST(takes_a_signed_answer_by_an_algorithm_that_is_allowed_only_key_1)
{
    auto claims = signed_claims("{}");
    for (const auto &token :
         {mint_unsigned(claims), mint(p256_key(), Algorithm::es256, claims),
          mint_mac(kClientSecret, Algorithm::hs256, claims),
          mint(rsa_key(), Algorithm::rs512, claims), std::string{"a.b"},
          std::string{"a.b.c"}, std::string{"a.b.c.d"}, std::string{}}) {
        ck_assert(is_forged(read(answer(kJwt, token)), "JWT"));
    }
}

TEST(accepts_a_signed_answer_with_iss_and_aud_ui_4)
{
    ck_assert(accepts("{}"));
    ck_assert(accepts(R"({"aud": ["shop"]})"));
    ck_assert(accepts(R"({"aud": ["api", "shop"]})"));
    ck_assert(accepts("{}", R"({"typ": "JWT"})"));

    auto claims = verified(signed_claims(R"({"name": "Alice"})"));
    ck_assert(json::string_at(claims->get(), "name") == "Alice");
}

TEST(wants_the_issuer_of_a_signed_answer_ui_4)
{
    ck_assert(is_forged(verified(without("iss")), "\"iss\""));
    for (auto iss :
         {R"({"iss": "https://evil.example"})", R"({"iss": ""})",
          R"({"iss": "https://id.example.com/"})", R"({"iss": null})",
          R"({"iss": ["https://id.example.com"]})"}) {
        ck_assert(refuses("\"iss\"", iss));
    }
}

TEST(wants_this_client_in_aud_of_a_signed_answer_ui_4)
{
    ck_assert(is_forged(verified(without("aud")), "\"aud\""));
    for (auto aud :
         {R"({"aud": "api"})", R"({"aud": []})", R"({"aud": ["api"]})",
          R"({"aud": null})", R"({"aud": ["shop", 7]})", R"({"aud": "SHOP"})",
          R"({"aud": {"shop": 1}})"}) {
        ck_assert(refuses("\"aud\"", aud));
    }
}

TEST(wants_the_subject_of_a_signed_answer_too_ui_3)
{
    ck_assert(is_forged(verified(without("sub")), "\"sub\""));
    ck_assert(refuses("\"sub\"", R"({"sub": "bob"})"));
}

TEST(checks_the_dates_of_a_signed_answer_that_has_some_idt_8_idt_9_idt_10)
{
    auto at = [](std::string name, int offset) {
        return "{\"" + name +
               "\": " + std::to_string(to_number(kNow) + offset) + "}";
    };

    ck_assert(accepts(at("exp", -59)));
    ck_assert(refuses("\"exp\"", at("exp", -60)));
    ck_assert(accepts(at("iat", 60)));
    ck_assert(accepts(at("iat", -100000)));
    ck_assert(refuses("\"iat\"", at("iat", 61)));
    ck_assert(accepts(at("nbf", 60)));
    ck_assert(refuses("\"nbf\"", at("nbf", 61)));

    for (std::string name : {"exp", "iat", "nbf"}) {
        for (std::string value : {"\"1700000000\"", "null", "[]"}) {
            ck_assert(
                refuses('"' + name + '"', "{\"" + name + "\": " + value + "}"));
        }
    }
}

TEST(refuses_a_signed_token_of_another_kind_idt_2)
{
    for (auto typ : {R"({"typ": "at+jwt"})", R"({"typ": "logout+jwt"})",
                     R"({"typ": "application/dpop+jwt"})"}) {
        ck_assert(refuses("\"typ\"", "{}", typ));
    }
}

TEST(refuses_a_signed_payload_that_is_no_strict_object)
{
    for (auto payload :
         {"[]", "7", "{", R"({"sub": "alice", "sub": "alice"})"}) {
        auto token =
            mint_raw(ed_key(), Algorithm::eddsa, R"({"alg":"EdDSA"})", payload);
        auto jws = Jws::parse(token, {Algorithm::eddsa});
        ck_assert(static_cast<bool>(jws));
        ck_assert(is_forged(oidc::check_userinfo(
                                *jws, shop_client(),
                                {.sub = "alice", .access_token = kToken}, kNow),
                            "JSON"));
    }
}

} // namespace
