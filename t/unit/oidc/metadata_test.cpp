// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

#include "core/oidc/metadata.hpp"

#include "core/base/json.hpp"
#include "support/minted.hpp"
#include "unit.hpp"

namespace {

using namespace bff;
using namespace bff::unit;
using oidc::Metadata;

json::Value document()
{
    constexpr std::pair<std::string_view, std::string_view> members[] = {
        {"issuer", kIssuer},
        {"authorization_endpoint", "https://id.example.com/authorize?p=1"},
        {"token_endpoint", "https://id.example.com/token"},
        {"jwks_uri", "https://id.example.com/keys"},
        {"userinfo_endpoint", "https://id.example.com/userinfo"},
        {"end_session_endpoint", "https://id.example.com/logout"},
        {"revocation_endpoint", "https://id.example.com/revoke"},
    };

    auto root = json::object();
    for (auto [name, value] : members) {
        json::put(root.get(), name, value);
    }
    return root;
}

std::string document_with(std::string_view name, std::string_view value)
{
    auto root = document();
    auto parsed = json::parse(value);
    ck_assert(static_cast<bool>(parsed));
    json::put(root.get(), name, std::move(*parsed));
    return json::print(root.get());
}

std::string document_without(std::string_view name)
{
    auto root = document();
    json_object_deln(root.get(), name.data(), name.size());
    return json::print(root.get());
}

bool is_unsupported(const Result<Metadata> &metadata, std::string_view why)
{
    return !metadata && metadata.error().code == Code::unsupported &&
           metadata.error().detail.find(why) != std::string::npos;
}

TEST(reads_the_endpoints)
{
    auto metadata =
        Metadata::parse(json::print(document().get()), shop_client());

    ck_assert(static_cast<bool>(metadata));
    ck_assert(metadata->authorization_endpoint ==
              "https://id.example.com/authorize?p=1");
    ck_assert(metadata->token_endpoint == "https://id.example.com/token");
    ck_assert(metadata->jwks_uri == "https://id.example.com/keys");
    ck_assert(metadata->userinfo_endpoint == "https://id.example.com/userinfo");
    ck_assert(metadata->end_session_endpoint ==
              "https://id.example.com/logout");
    ck_assert(metadata->revocation_endpoint == "https://id.example.com/revoke");
    ck_assert(!metadata->iss_parameter_supported);
}

TEST(refuses_an_issuer_that_is_not_the_same_octet_by_octet_disc_2)
{
    for (auto issuer :
         {R"("https://id.example.com/")", R"("https://ID.example.com")",
          R"("https://id.example.com:443")", R"("HTTPS://id.example.com")",
          R"("https://id.example.com\u0000")", R"("https://evil.example")",
          R"("")", R"(["https://id.example.com"])", "null"}) {
        auto text = document_with("issuer", issuer);
        ck_assert(
            is_unsupported(Metadata::parse(text, shop_client()), "\"issuer\""));
    }

    ck_assert(is_unsupported(
        Metadata::parse(document_without("issuer"), shop_client()),
        "\"issuer\" is missing"));
}

TEST(shows_another_issuer_in_one_line_disc_2)
{
    auto text = document_with("issuer", "\"https://evil.example/\\n[alert]\"");
    auto metadata = Metadata::parse(text, shop_client());

    ck_assert(!metadata);
    ck_assert(metadata.error().detail.find('\n') == std::string::npos);
    ck_assert(metadata.error().detail.find("https://evil.example/") !=
              std::string::npos);
}

TEST(refuses_a_missing_malformed_or_http_endpoint_disc_4)
{
    for (auto name : {"authorization_endpoint", "token_endpoint", "jwks_uri"}) {
        auto parse = [&](std::string_view value) {
            return Metadata::parse(document_with(name, value), shop_client());
        };

        ck_assert(is_unsupported(
            Metadata::parse(document_without(name), shop_client()), name));
        for (auto value :
             {"1", "null", "[]", "\"\"", "\"/token\"",
              "\"http://id.example.com/x\"", "\"https://id.example.com/#x\"",
              "\"https://u@id.example.com/\"", "\"https://a b/\"",
              "\"http://127.0.0.1/x\"", "\"javascript:alert(1)\""}) {
            ck_assert(is_unsupported(parse(value), name));
        }

        auto longest = "\"https://id.example.com/" + std::string(2048, 'x');
        ck_assert(is_unsupported(parse(longest + "\""), name));
    }
}

TEST(needs_a_userinfo_endpoint_when_userinfo_is_on_ui_6)
{
    auto client = shop_client();
    client.userinfo_at_login = true;
    auto parse = [&](std::string_view value) {
        auto text = document_with("userinfo_endpoint", value);
        return Metadata::parse(text, client);
    };

    ck_assert(parse("\"https://id.example.com/u\"")->userinfo_endpoint ==
              "https://id.example.com/u");
    ck_assert(is_unsupported(
        Metadata::parse(document_without("userinfo_endpoint"), client),
        "\"userinfo on\" needs it"));
    for (auto value : {"1", "null", "\"\"", "\"http://id.example.com/x\""}) {
        ck_assert(is_unsupported(parse(value), "\"userinfo on\" needs it"));
    }

    client.endpoints.userinfo = "https://hand.example/u";
    auto by_hand =
        Metadata::parse(document_without("userinfo_endpoint"), client);
    ck_assert(by_hand->userinfo_endpoint == "https://hand.example/u");
}

TEST(takes_a_malformed_optional_endpoint_for_absent)
{
    const std::pair<const char *, std::string Metadata::*> members[] = {
        {"userinfo_endpoint", &Metadata::userinfo_endpoint},
        {"end_session_endpoint", &Metadata::end_session_endpoint},
        {"revocation_endpoint", &Metadata::revocation_endpoint},
    };

    for (auto [name, member] : members) {
        for (auto value :
             {"1", "null", "\"\"", "\"/x\"", "\"http://id.example.com/x\""}) {
            auto text = document_with(name, value);
            auto metadata = Metadata::parse(text, shop_client());
            ck_assert(static_cast<bool>(metadata));
            ck_assert(((*metadata).*member).empty());
        }
        auto without = Metadata::parse(document_without(name), shop_client());
        ck_assert(((*without).*member).empty());
    }
}

TEST(accepts_http_endpoints_with_insecure_http_disc_3)
{
    auto client = shop_client();
    client.insecure_http = true;
    auto text = document_with("token_endpoint", "\"http://id.internal/token\"");

    ck_assert(static_cast<bool>(Metadata::parse(text, client)));
}

TEST(accepts_http_loopback_endpoints_of_a_loopback_issuer_only_disc_3)
{
    auto client = shop_client();
    client.issuer = "http://127.0.0.1:8080";
    auto root = document();
    json::put(root.get(), "issuer", std::string_view{client.issuer});
    json::put(root.get(), "token_endpoint",
              std::string_view{"http://127.0.0.1:8080/token"});

    ck_assert(
        static_cast<bool>(Metadata::parse(json::print(root.get()), client)));

    json::put(root.get(), "token_endpoint",
              std::string_view{"http://id.example.com/token"});
    ck_assert(!Metadata::parse(json::print(root.get()), client));
}

TEST(lets_endpoints_that_were_set_by_hand_win)
{
    auto client = shop_client();
    client.endpoints = {"https://hand.example/a", "https://hand.example/t",
                        "https://hand.example/k", "https://hand.example/u",
                        "https://hand.example/e", "https://hand.example/r"};
    auto metadata = Metadata::parse(
        document_with("token_endpoint", "\"http://plain/\""), client);

    ck_assert(static_cast<bool>(metadata));
    ck_assert(metadata->authorization_endpoint == "https://hand.example/a");
    ck_assert(metadata->token_endpoint == "https://hand.example/t");
    ck_assert(metadata->jwks_uri == "https://hand.example/k");
    ck_assert(metadata->userinfo_endpoint == "https://hand.example/u");
    ck_assert(metadata->end_session_endpoint == "https://hand.example/e");
    ck_assert(metadata->revocation_endpoint == "https://hand.example/r");
}

TEST(reads_the_iss_flag_and_loses_it_to_no_wrong_type_iss_2)
{
    constexpr auto name = "authorization_response_iss_parameter_supported";
    auto parse = [&](std::string_view value) {
        return Metadata::parse(document_with(name, value), shop_client());
    };

    ck_assert(parse("true")->iss_parameter_supported);
    ck_assert(!parse("false")->iss_parameter_supported);
    ck_assert(is_unsupported(parse("\"true\""), name));
    ck_assert(is_unsupported(parse("1"), name));
}

TEST(refuses_what_is_not_one_small_json_object_disc_3)
{
    for (std::string_view text :
         {"", "<html>", "[]", "null", "{\"issuer\":", "{} {}"}) {
        ck_assert(is_unsupported(Metadata::parse(text, shop_client()), ""));
    }

    auto with = [](const std::string &first) {
        auto text = json::print(document().get());
        return Metadata::parse(text.insert(1, first + ","), shop_client());
    };
    auto large = std::string(256 * 1024, 'x');
    auto deep = std::string(40, '[') + std::string(40, ']');

    ck_assert(static_cast<bool>(with(R"("x":[[]])")));
    ck_assert(
        is_unsupported(with(R"("issuer":"https://id.example.com")"), "JSON"));
    ck_assert(is_unsupported(with("\"x\":\"" + large + "\""), "JSON"));
    ck_assert(is_unsupported(with("\"x\":" + deep), "JSON"));
}

TEST(needs_no_keys_for_macs)
{
    auto client = shop_client();
    client.id_token_algs = {Algorithm::hs256};

    ck_assert(static_cast<bool>(
        Metadata::parse(document_without("jwks_uri"), client)));
}

TEST(needs_no_document_when_everything_was_set_by_hand)
{
    auto client = shop_client();
    ck_assert(!Metadata::by_hand(client));

    client.endpoints.authorization = "https://hand.example/a";
    client.endpoints.token = "https://hand.example/t";
    ck_assert(!Metadata::by_hand(client));

    client.endpoints.jwks = "https://hand.example/k";
    auto metadata = Metadata::by_hand(client);
    ck_assert(metadata.has_value());
    ck_assert(metadata->authorization_endpoint == "https://hand.example/a");
    ck_assert(metadata->token_endpoint == "https://hand.example/t");
    ck_assert(metadata->jwks_uri == "https://hand.example/k");
    ck_assert(metadata->end_session_endpoint.empty());
    ck_assert(!metadata->iss_parameter_supported);
}

TEST(needs_no_jwks_by_hand_for_macs)
{
    auto client = shop_client();
    client.id_token_algs = {Algorithm::hs256};
    client.endpoints.authorization = "https://hand.example/a";
    client.endpoints.token = "https://hand.example/t";

    ck_assert(Metadata::by_hand(client).has_value());
}

oidc::ClientSettings certified_client()
{
    auto client = shop_client();
    client.client_certificate = std::make_shared<oidc::ClientCertificate>();
    return client;
}

constexpr std::string_view kAliases = R"({
    "authorization_endpoint": "https://mtls.example.com/authorize",
    "token_endpoint": "https://mtls.example.com/token",
    "userinfo_endpoint": "https://mtls.example.com/userinfo",
    "revocation_endpoint": "https://mtls.example.com/revoke",
    "end_session_endpoint": "https://mtls.example.com/logout",
    "jwks_uri": "https://mtls.example.com/keys"})";

TEST(prefers_the_mtls_aliases_where_a_certificate_is_configured_mt_1)
{
    auto metadata = Metadata::parse(
        document_with("mtls_endpoint_aliases", kAliases), certified_client());

    ck_assert(static_cast<bool>(metadata));
    ck_assert(metadata->token_endpoint == "https://mtls.example.com/token");
    ck_assert(metadata->userinfo_endpoint ==
              "https://mtls.example.com/userinfo");
    ck_assert(metadata->revocation_endpoint ==
              "https://mtls.example.com/revoke");
}

TEST(takes_no_alias_for_where_browsers_go_mt_1)
{
    auto metadata = Metadata::parse(
        document_with("mtls_endpoint_aliases", kAliases), certified_client());

    ck_assert(metadata->authorization_endpoint ==
              "https://id.example.com/authorize?p=1");
    ck_assert(metadata->end_session_endpoint ==
              "https://id.example.com/logout");
    ck_assert(metadata->jwks_uri == "https://id.example.com/keys");
}

TEST(knows_no_alias_without_a_certificate_mt_1)
{
    auto metadata = Metadata::parse(
        document_with("mtls_endpoint_aliases", kAliases), shop_client());

    ck_assert(metadata->token_endpoint == "https://id.example.com/token");
    ck_assert(metadata->userinfo_endpoint == "https://id.example.com/userinfo");
}

TEST(takes_the_usual_endpoint_where_there_is_no_alias_mt_1)
{
    for (auto aliases : {"{}", "null", "[]", "\"x\""}) {
        auto metadata =
            Metadata::parse(document_with("mtls_endpoint_aliases", aliases),
                            certified_client());
        ck_assert(static_cast<bool>(metadata));
        ck_assert(metadata->token_endpoint == "https://id.example.com/token");
    }
}

TEST(refuses_a_token_alias_that_is_not_https_mt_1_disc_4)
{
    for (auto alias :
         {R"({"token_endpoint": "http://mtls.example.com/t"})",
          R"({"token_endpoint": "/token"})", R"({"token_endpoint": 1})"}) {
        ck_assert(is_unsupported(
            Metadata::parse(document_with("mtls_endpoint_aliases", alias),
                            certified_client()),
            "\"token_endpoint\""));
    }
}

TEST(leaves_out_an_optional_alias_that_is_not_https_mt_1)
{
    auto metadata = Metadata::parse(
        document_with(
            "mtls_endpoint_aliases",
            R"({"userinfo_endpoint": "http://mtls.example.com/userinfo"})"),
        certified_client());

    ck_assert(static_cast<bool>(metadata));
    ck_assert(metadata->userinfo_endpoint.empty());
}

TEST(lets_endpoints_by_hand_win_over_aliases_mt_1)
{
    auto client = certified_client();
    client.endpoints.token = "https://own.example.com/token";
    client.endpoints.userinfo = "https://own.example.com/userinfo";

    auto metadata = Metadata::parse(
        document_with("mtls_endpoint_aliases", kAliases), client);
    ck_assert(metadata->token_endpoint == "https://own.example.com/token");
    ck_assert(metadata->userinfo_endpoint ==
              "https://own.example.com/userinfo");
    ck_assert(metadata->revocation_endpoint ==
              "https://mtls.example.com/revoke");
}

} // namespace
