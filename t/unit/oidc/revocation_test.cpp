// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

#include "core/oidc/revocation.hpp"

#include "core/web/query.hpp"
#include "support/minted.hpp"
#include "support/tape_entropy.hpp"
#include "unit.hpp"

namespace {

using namespace bff;
using namespace bff::unit;

web::HttpRequest request(const oidc::ClientSettings &client)
{
    TapeEntropy entropy;
    oidc::Metadata metadata;
    metadata.revocation_endpoint = "https://id.example.com/revoke";
    auto made = oidc::revocation_request(Secret{std::string{"rt & 1"}},
                                         metadata, client, {kNow, entropy});
    ck_assert(static_cast<bool>(made));
    return std::move(*made);
}

Result<web::HttpResponse> answered(int status, std::string_view body = "")
{
    web::HttpResponse response;
    response.status = status;
    response.body = body;
    return response;
}

TEST(posts_the_refresh_token_as_the_client_rev_1)
{
    auto sent = request(shop_client());
    auto form = web::Query::parse(sent.body);

    ck_assert(sent.method == "POST");
    ck_assert(sent.url == "https://id.example.com/revoke");
    ck_assert(form->get("token") == "rt & 1");
    ck_assert(form->get("token_type_hint") == "refresh_token");
    ck_assert(sent.headers.back().name == "Authorization");
    ck_assert(sent.headers.back().value.starts_with("Basic "));
}

TEST(proves_the_client_by_its_own_method_rev_1)
{
    auto client = shop_client();
    client.auth = oidc::ClientAuth::client_secret_post;
    auto sent = request(client);
    auto form = web::Query::parse(sent.body);

    ck_assert(form->get("client_secret") == kClientSecret);
    ck_assert(form->get("client_id") == kClientId);
}

TEST(takes_200_for_done_whatever_it_says_rev_1)
{
    ck_assert(static_cast<bool>(oidc::read_revocation(answered(200))));
    ck_assert(
        static_cast<bool>(oidc::read_revocation(answered(200, "<html>"))));
}

TEST(takes_anything_else_for_a_token_that_lives_rev_2)
{
    for (int status : {201, 204, 302, 400, 401, 404, 429, 500, 503}) {
        ck_assert(!oidc::read_revocation(answered(status)));
    }
    ck_assert(!oidc::read_revocation(Error{Code::unavailable, "timed out"}));
}

TEST(says_why_a_token_was_not_revoked_rev_2)
{
    auto detail = [](auto answer) {
        return oidc::read_revocation(answer).error().detail;
    };

    ck_assert(detail(answered(503)) ==
              "revocation endpoint answered with HTTP status 503");
    ck_assert(detail(answered(400, R"({"error":"unsupported_token_type"})"))
                  .ends_with(" 400: unsupported_token_type"));
    ck_assert(detail(answered(400, "{\"error\":\"a\\nb\"}")).ends_with("a?b"));
}

} // namespace
