// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

#include "core/oidc/authorization_request.hpp"

#include "core/web/query.hpp"
#include "core/web/url.hpp"
#include "support/minted.hpp"
#include "unit.hpp"

namespace {

using namespace bff;
using namespace bff::unit;
using oidc::AuthorizationRequest;
using oidc::ClientSettings;
using oidc::Metadata;

AuthorizationRequest a_request()
{
    return {.redirect_uri = "https://shop.example.com/bff/callback",
            .state = "state-1",
            .nonce = "nonce-1",
            .code_verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
            .extra_args = "",
            .login_args = {}};
}

Metadata a_metadata()
{
    Metadata metadata;
    metadata.authorization_endpoint = "https://id.example.com/authorize";
    return metadata;
}

std::string url_of(const AuthorizationRequest &request)
{
    return authorization_url(request, a_metadata(), shop_client());
}

web::Query query_of(const AuthorizationRequest &request)
{
    auto url = web::Url::parse(url_of(request));
    ck_assert(static_cast<bool>(url));
    auto query = web::Query::parse(url->query); // no parameter comes twice
    ck_assert(static_cast<bool>(query));
    return std::move(*query);
}

TEST(asks_for_a_code_with_state_nonce_and_s256_in_this_order_bff_2_bcp_2)
{
    ck_assert(url_of(a_request()) ==
              "https://id.example.com/authorize?response_type=code"
              "&client_id=shop"
              "&redirect_uri=https%3A%2F%2Fshop.example.com%2Fbff%2Fcallback"
              "&scope=openid&state=state-1&nonce=nonce-1"
              "&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
              "&code_challenge_method=S256");
}

TEST(never_sends_the_verifier_itself_bcp_4)
{
    auto request = a_request();
    ck_assert(url_of(request).find(request.code_verifier) == std::string::npos);
}

TEST(sends_no_challenge_when_pkce_is_off)
{
    auto request = a_request();
    request.code_verifier = "";

    auto query = query_of(request);
    ck_assert(!query.has("code_challenge"));
    ck_assert(!query.has("code_challenge_method"));
    ck_assert(query.get("nonce") == "nonce-1");
}

TEST(keeps_the_query_of_the_endpoint_rfc_6749_3_1)
{
    auto metadata = a_metadata();
    metadata.authorization_endpoint = "https://id.example.com/a?p=B2C_1";
    auto url = authorization_url(a_request(), metadata, shop_client());

    ck_assert(url.starts_with(
        "https://id.example.com/a?p=B2C_1&response_type=code&"));
}

TEST(encodes_every_value)
{
    auto client = shop_client();
    client.client_id = "a b&c=d#e";
    client.scope = "openid x+y";
    auto url = authorization_url(a_request(), a_metadata(), client);

    ck_assert(url.find("&client_id=a%20b%26c%3Dd%23e&") != std::string::npos);
    ck_assert(url.find("&scope=openid%20x%2By&") != std::string::npos);
}

TEST(appends_the_operators_arguments_repeated_ones_too_rfc_8707)
{
    auto request = a_request();
    request.extra_args = "resource=https://a/&resource=https%3A%2F%2Fb%2F"
                         "&claims=%7B%7D&flag&empty=&a=b=c&x=y+z";

    ck_assert(url_of(request).ends_with(
        "&resource=https%3A%2F%2Fa%2F&resource=https%3A%2F%2Fb%2F"
        "&claims=%7B%7D&flag=&empty=&a=b%3Dc&x=y%20z"));
}

TEST(drops_operators_arguments_that_the_protocol_owns)
{
    auto request = a_request();
    request.extra_args =
        "state=evil&%73tate=evil&nonce=evil&response_type=token"
        "&redirect_uri=https://evil/&client_id=evil&scope=evil"
        "&code_challenge=evil&code_challenge_method=plain&request=evil"
        "&request_uri=evil&response_mode=fragment&prompt=login";

    auto url = url_of(request);
    ck_assert(url.find("evil") == std::string::npos);
    ck_assert(url.find("plain") == std::string::npos);
    ck_assert(query_of(request).get("prompt") == "login");
}

TEST(drops_operators_arguments_that_cannot_be_decoded)
{
    auto request = a_request();
    request.extra_args = "a=%zz&%=1&=2&&b=1&c=%";

    ck_assert(url_of(request).ends_with("&code_challenge_method=S256&b=1"));
}

TEST(encodes_what_variables_put_into_extra_args)
{
    auto request = a_request();
    request.extra_args = "a=b\r\nLocation: //evil&c=#\"<>";

    auto url = url_of(request);
    ck_assert(
        url.ends_with("&a=b%0D%0ALocation%3A%20%2F%2Fevil&c=%23%22%3C%3E"));
}

TEST(passes_what_the_page_may_pass)
{
    auto request = a_request();
    request.login_args = {{"prompt", "login"},
                          {"login_hint", "a@b c&d"},
                          {"kc_idp_hint", "google"}};

    auto query = query_of(request);
    ck_assert(query.get("prompt") == "login");
    ck_assert(query.get("login_hint") == "a@b c&d");
    ck_assert(!query.has("kc_idp_hint"));
}

TEST(passes_only_a_number_as_max_age)
{
    for (auto value :
         {"", "-1", "1.5", "3600 ", "abc", "1e3", "99999999999999999999"}) {
        auto request = a_request();
        request.login_args = {{"max_age", value}};
        ck_assert(!query_of(request).has("max_age"));
    }

    auto request = a_request();
    request.login_args = {{"max_age", "3600"}};
    ck_assert(query_of(request).get("max_age") == "3600");
}

TEST(lets_the_page_replace_nothing)
{
    auto client = shop_client();
    client.login_args = {"state", "scope", "request_uri", "prompt"};
    auto request = a_request();
    request.login_args = {
        {"state", "evil"}, {"scope", "evil"}, {"request_uri", "evil"}};

    auto url = authorization_url(request, a_metadata(), client);
    ck_assert(url.find("evil") == std::string::npos);
}

TEST(prefers_the_operators_argument_and_then_the_first)
{
    auto request = a_request();
    request.extra_args = "prompt=consent";
    request.login_args = {
        {"prompt", "none"}, {"ui_locales", "de"}, {"ui_locales", "fr"}};

    auto query = query_of(request);
    ck_assert(query.get("prompt") == "consent");
    ck_assert(query.get("ui_locales") == "de");
}

} // namespace
