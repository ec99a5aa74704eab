// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

#include "core/oidc/logout.hpp"

#include "support/minted.hpp"
#include "unit.hpp"

namespace {

using namespace bff;
using namespace bff::unit;
using oidc::EndSession;

std::string url_of(const EndSession &request,
                   std::string_view endpoint = "https://id.example.com/logout")
{
    oidc::Metadata metadata;
    metadata.end_session_endpoint = endpoint;
    return end_session_url(request, metadata, shop_client());
}

TEST(sends_hint_client_id_uri_and_state_ril_3)
{
    ck_assert(url_of({.id_token_hint = "e.y.J",
                      .post_logout_redirect_uri = "https://shop.example.com/",
                      .state = "s 1"}) ==
              "https://id.example.com/logout?id_token_hint=e.y.J"
              "&client_id=shop"
              "&post_logout_redirect_uri=https%3A%2F%2Fshop.example.com%2F"
              "&state=s%201");
}

TEST(leaves_out_what_there_is_not_ril_3)
{
    ck_assert(url_of({}) == "https://id.example.com/logout?client_id=shop");
}

TEST(keeps_the_query_of_the_endpoint)
{
    ck_assert(url_of({}, "https://id.example.com/logout?p=1") ==
              "https://id.example.com/logout?p=1&client_id=shop");
}

TEST(has_no_url_without_an_end_session_endpoint_ril_4)
{
    ck_assert(url_of({.id_token_hint = "e.y.J",
                      .post_logout_redirect_uri = "https://shop.example.com/",
                      .state = ""},
                     "")
                  .empty());
}

} // namespace
