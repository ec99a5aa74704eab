// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

#include "core/oidc/client_auth.hpp"

#include "support/minted.hpp"
#include "unit.hpp"

namespace {

using namespace bff;
using namespace bff::unit;
using namespace std::string_view_literals;
using oidc::ClientAuth;

struct Sent {
    web::HttpRequest request;
    std::string form;
};

Sent sent_by(ClientAuth method, std::string_view id, std::string_view secret)
{
    auto client = shop_client();
    client.auth = method;
    client.client_id = id;
    client.client_secret = Secret{secret};

    Sent sent;
    web::FormWriter form;
    authenticate(client, sent.request, form);
    sent.form = form.take();
    return sent;
}

TEST(sends_basic_credentials_as_rfc_6749_2_3_1_shows)
{
    auto sent = sent_by(ClientAuth::client_secret_basic, "s6BhdRkqt3",
                        "7Fjfp0ZBr1KtDRbnfVdmIw");

    ck_assert_uint_eq(sent.request.headers.size(), 1);
    ck_assert(sent.request.headers[0].name == "Authorization");
    ck_assert(sent.request.headers[0].value ==
              "Basic czZCaGRSa3F0Mzo3RmpmcDBaQnIxS3REUmJuZlZkbUl3");
    ck_assert(sent.form.empty());
}

TEST(form_encodes_both_before_base64_ca_1)
{
    // "a%3Ab:%25+%2B%26"
    auto sent = sent_by(ClientAuth::client_secret_basic, "a:b", "% +&");
    ck_assert(sent.request.headers[0].value ==
              "Basic YSUzQWI6JTI1KyUyQiUyNg==");
}

TEST(does_not_take_an_encoded_percent_for_a_space_ca_1)
{
    // "%2520:++"
    auto sent = sent_by(ClientAuth::client_secret_basic, "%20", "  ");
    ck_assert(sent.request.headers[0].value == "Basic JTI1MjA6Kys=");
}

TEST(sends_post_credentials_in_the_body_only_ca_1)
{
    auto sent = sent_by(ClientAuth::client_secret_post, "shop", "s&cret");

    ck_assert(sent.request.headers.empty());
    ck_assert(sent.form == "client_id=shop&client_secret=s%26cret");
}

TEST(sends_only_its_name_without_credentials)
{
    auto sent = sent_by(ClientAuth::none, "shop", "");

    ck_assert(sent.request.headers.empty());
    ck_assert(sent.form == "client_id=shop");
}

} // namespace
