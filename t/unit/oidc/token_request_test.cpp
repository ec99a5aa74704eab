// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

#include "core/oidc/token_request.hpp"

#include "support/minted.hpp"
#include "support/tape_entropy.hpp"
#include "unit.hpp"

namespace {

using namespace bff;
using namespace bff::unit;
using oidc::ClientAuth;
using oidc::CodeGrant;

web::HttpRequest request_for(const CodeGrant &grant,
                             ClientAuth auth = ClientAuth::client_secret_basic)
{
    oidc::Metadata metadata;
    metadata.token_endpoint = "https://id.example.com/token?tenant=1";
    auto client = shop_client();
    client.auth = auth;

    TapeEntropy entropy;
    auto request = token_request(grant, metadata, client, {kNow, entropy});
    ck_assert(static_cast<bool>(request));
    return std::move(*request);
}

std::string_view header(const web::HttpRequest &request, std::string_view name)
{
    for (const auto &h : request.headers) {
        if (h.name == name) {
            return h.value;
        }
    }
    return "";
}

const CodeGrant kGrant{.code = "a+b/c=",
                       .redirect_uri = "https://shop.example.com/bff/callback",
                       .code_verifier = "verifier-1"};

TEST(posts_the_grant_as_a_form_rfc_6749_4_1_3)
{
    auto request = request_for(kGrant);

    ck_assert(request.method == "POST");
    ck_assert(request.url == "https://id.example.com/token?tenant=1");
    ck_assert(header(request, "Content-Type") ==
              "application/x-www-form-urlencoded");
    ck_assert(header(request, "Accept") == "application/json");
    ck_assert(request.body ==
              "grant_type=authorization_code&code=a%2Bb%2Fc%3D"
              "&redirect_uri=https%3A%2F%2Fshop.example.com%2Fbff%2Fcallback"
              "&code_verifier=verifier-1");
}

TEST(leaves_the_verifier_out_when_pkce_is_off)
{
    auto grant = kGrant;
    grant.code_verifier = "";

    ck_assert(request_for(grant).body.find("code_verifier") ==
              std::string::npos);
}

TEST(authenticates_with_exactly_one_method_ca_1_bff_1)
{
    auto basic = request_for(kGrant);
    ck_assert(header(basic, "Authorization").starts_with("Basic "));
    ck_assert(basic.body.find("client_") == std::string::npos);

    auto post = request_for(kGrant, ClientAuth::client_secret_post);
    ck_assert(header(post, "Authorization").empty());
    ck_assert(post.body.find("&client_id=shop&client_secret=") !=
              std::string::npos);
}

TEST(refresh_is_authenticated_and_asks_for_no_scope_rt_1)
{
    oidc::Metadata metadata;
    metadata.token_endpoint = "https://id.example.com/token";
    auto client = shop_client();

    TapeEntropy entropy;
    auto request = token_request(oidc::RefreshGrant{"r+/="}, metadata, client,
                                 {kNow, entropy});
    ck_assert(static_cast<bool>(request));
    ck_assert(request->method == "POST");
    ck_assert(request->url == metadata.token_endpoint);
    ck_assert(header(*request, "Authorization").starts_with("Basic "));
    ck_assert(request->body ==
              "grant_type=refresh_token&refresh_token=r%2B%2F%3D");
}

TEST(puts_nothing_secret_into_the_url)
{
    auto request = request_for(kGrant, ClientAuth::client_secret_post);
    ck_assert(request.url == "https://id.example.com/token?tenant=1");
}

TEST(makes_no_request_without_random_bytes_for_its_assertion)
{
    auto client = shop_client();
    client.auth = ClientAuth::client_secret_jwt;
    BrokenEntropy entropy;

    auto request = token_request(kGrant, {}, client, {kNow, entropy});
    ck_assert(!request && request.error().code == Code::unavailable);
}

} // namespace
