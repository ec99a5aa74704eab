// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

#include "core/oidc/client_settings.hpp"

#include <functional>

#include "core/oidc/private_key.hpp"
#include "support/key_files.hpp"
#include "unit.hpp"

namespace {

using namespace bff;
using namespace std::string_view_literals;
using oidc::Algorithm;
using oidc::ClientAuth;
using oidc::ClientSettings;

// As short as a configuration can be.
ClientSettings minimal()
{
    ClientSettings client;
    client.issuer = "https://id.example.com";
    client.client_id = "shop";
    client.client_secret = Secret{"s3cret"sv};
    return client;
}

using Change = std::function<void(ClientSettings &)>;

bool accepts(const Change &change)
{
    auto client = minimal();
    change(client);
    return static_cast<bool>(client.check());
}

// The refusal must name the directive in quotes.
bool refuses(std::string_view directive, const Change &change)
{
    auto client = minimal();
    change(client);

    auto done = client.check();
    auto name = "\"" + std::string{directive};
    return !done && done.error().code == Code::misconfigured &&
           done.error().detail.find(name) != std::string::npos &&
           done.error().detail.find('\n') == std::string::npos;
}

TEST(accepts_issuer_client_id_and_secret_and_fills_in_the_rest)
{
    auto client = minimal();

    ck_assert(static_cast<bool>(client.check()));
    ck_assert(client.auth == ClientAuth::client_secret_basic);
    ck_assert(client.scope == "openid");
    ck_assert(client.config_url ==
              "https://id.example.com/.well-known/openid-configuration");
}

TEST(check_changes_nothing_the_second_time)
{
    auto client = minimal();
    client.scope = "profile";
    ck_assert(static_cast<bool>(client.check()));
    ck_assert(client.scope == "openid profile");

    ck_assert(static_cast<bool>(client.check()));
    ck_assert(client.scope == "openid profile");
}

TEST(takes_one_trailing_slash_off_the_issuer_for_config_url_disc_1)
{
    auto client = minimal();
    client.issuer = "https://id.example.com/tenant/";

    ck_assert(static_cast<bool>(client.check()));
    ck_assert(client.issuer == "https://id.example.com/tenant/");
    ck_assert(client.config_url == "https://id.example.com/tenant/.well-known/"
                                   "openid-configuration");
}

TEST(refuses_a_missing_issuer_with_an_example)
{
    auto client = minimal();
    client.issuer = "";

    auto done = client.check();
    ck_assert(!done);
    ck_assert(done.error().detail ==
              "\"issuer\" is missing; write the provider's issuer identifier, "
              "e.g. \"issuer https://id.example.com;\"");
}

TEST(refuses_an_issuer_that_is_not_an_absolute_url)
{
    for (auto issuer : {"id.example.com", "/id", "https:", "ftp://id.example",
                        "https://u:p@id.example.com"}) {
        ck_assert(refuses("issuer", [&](auto &c) { c.issuer = issuer; }));
    }
}

TEST(refuses_an_issuer_with_query_or_fragment)
{
    ck_assert(refuses("issuer", [](auto &c) {
        c.issuer = "https://id.example.com/?tenant=1";
    }));
    ck_assert(refuses("issuer",
                      [](auto &c) { c.issuer = "https://id.example.com/#x"; }));
}

TEST(refuses_http_but_for_loopback_or_insecure_http_disc_3)
{
    ck_assert(
        refuses("issuer", [](auto &c) { c.issuer = "http://id.example.com"; }));
    ck_assert(accepts([](auto &c) { c.issuer = "http://127.0.0.1:8080"; }));
    ck_assert(accepts([](auto &c) { c.issuer = "http://localhost:8080"; }));
    ck_assert(accepts([](auto &c) {
        c.issuer = "http://id.example.com";
        c.insecure_http = true;
    }));
}

TEST(refuses_a_missing_or_odd_client_id)
{
    ck_assert(refuses("client_id", [](auto &c) { c.client_id = ""; }));
    ck_assert(refuses("client_id", [](auto &c) { c.client_id = "a\nb"; }));
    ck_assert(refuses("client_id", [](auto &c) { c.client_id = "\xc3\xa9"; }));
}

TEST(refuses_a_client_without_secret_bff_1)
{
    ck_assert(
        refuses("client_secret", [](auto &c) { c.client_secret = Secret{}; }));
}

TEST(accepts_a_public_client_only_when_written_out_bff_1)
{
    ck_assert(accepts([](auto &c) {
        c.client_secret = Secret{};
        c.auth = ClientAuth::none;
    }));
}

TEST(refuses_basic_and_post_without_secret)
{
    for (auto auth :
         {ClientAuth::client_secret_basic, ClientAuth::client_secret_post}) {
        ck_assert(refuses("client_secret", [&](auto &c) {
            c.client_secret = Secret{};
            c.auth = auth;
        }));
    }
}

std::shared_ptr<const oidc::PrivateKey> key(const unit::MintedKey &minted,
                                            std::string kid = "")
{
    auto parsed = oidc::PrivateKey::parse(unit::private_jwk(minted),
                                          {.kid = std::move(kid)});
    ck_assert(static_cast<bool>(parsed));
    return std::make_shared<const oidc::PrivateKey>(std::move(*parsed));
}

std::shared_ptr<const oidc::ClientCertificate>
shown(const unit::MintedKey &minted)
{
    auto parsed = oidc::ClientCertificate::parse(
        unit::certificate(minted, minted), unit::pem(minted.pkey()));
    ck_assert(static_cast<bool>(parsed));
    return std::make_shared<const oidc::ClientCertificate>(std::move(*parsed));
}

TEST(chooses_private_key_jwt_where_there_is_a_key_with_a_secret_or_without)
{
    for (auto secret : {""sv, "s3cret"sv}) {
        auto client = minimal();
        client.client_secret = Secret{secret};
        client.client_keys = {key(unit::ed_key())};

        ck_assert(static_cast<bool>(client.check()));
        ck_assert(client.auth == ClientAuth::private_key_jwt);
    }
}

TEST(keeps_the_method_that_was_written_ca_1)
{
    for (auto auth :
         {ClientAuth::client_secret_basic, ClientAuth::client_secret_post,
          ClientAuth::tls_client_auth, ClientAuth::private_key_jwt}) {
        auto client = minimal();
        client.client_keys = {key(unit::ed_key())};
        client.client_certificate = shown(unit::p256_key());
        client.auth = auth;

        ck_assert(static_cast<bool>(client.check()));
        ck_assert(client.auth == auth);
    }
}

TEST(names_every_remedy_where_nothing_proves_who_the_client_is_bff_1)
{
    auto client = minimal();
    client.client_secret = Secret{};

    auto done = client.check();
    ck_assert(!done);
    for (auto remedy : {"\"client_secret\"", "\"client_key\"",
                        "\"client_certificate\"", "\"client_auth none;\""}) {
        ck_assert(done.error().detail.find(remedy) != std::string::npos);
    }
}

TEST(refuses_private_key_jwt_without_a_key)
{
    ck_assert(refuses("client_key",
                      [](auto &c) { c.auth = ClientAuth::private_key_jwt; }));
}

TEST(refuses_two_keys_of_one_kid_ca_4)
{
    ck_assert(accepts([](auto &c) {
        c.client_keys = {key(unit::ed_key()), key(unit::p256_key())};
    }));
    ck_assert(refuses("client_key", [](auto &c) {
        c.client_keys = {key(unit::rsa_key(), "a"), key(unit::ed_key(), "b"),
                         key(unit::p256_key(), "a")};
    }));
    ck_assert(refuses("client_key", [](auto &c) {
        c.client_keys = {key(unit::ed_key()), key(unit::ed_key())};
    }));
}

TEST(wants_a_secret_of_32_octets_for_client_secret_jwt_rfc_7518_3_2)
{
    auto with = [](size_t octets) {
        return [=](ClientSettings &c) {
            c.client_secret = Secret{std::string(octets, 's')};
            c.auth = ClientAuth::client_secret_jwt;
        };
    };
    ck_assert(accepts(with(32)));
    ck_assert(refuses("client_secret", with(31)));
    ck_assert(refuses("client_secret", with(0)));
}

TEST(refuses_mutual_tls_without_a_certificate_mt_1)
{
    for (auto auth : {ClientAuth::tls_client_auth,
                      ClientAuth::self_signed_tls_client_auth}) {
        auto with = [&](bool has_one) {
            return [=](ClientSettings &c) {
                c.client_secret = Secret{};
                c.auth = auth;
                c.client_certificate =
                    has_one ? shown(unit::p256_key()) : nullptr;
            };
        };
        ck_assert(accepts(with(true)));
        ck_assert(refuses("client_certificate", with(false)));
    }
}

TEST(refuses_to_guess_how_a_certificate_is_known_to_the_provider)
{
    ck_assert(refuses("client_auth", [](auto &c) {
        c.client_secret = Secret{};
        c.client_certificate = shown(unit::p256_key());
    }));
    ck_assert(accepts([](auto &c) { // beside a secret it binds tokens only
        c.client_certificate = shown(unit::p256_key());
    }));
}

TEST(refuses_a_self_signed_certificate_that_jwks_cannot_publish)
{
    auto with = [](ClientAuth auth) {
        return [=](ClientSettings &c) {
            unit::MintedKey odd{"odd",
                                Handle<EVP_PKEY>{EVP_EC_gen("secp256k1")}};
            c.client_certificate = shown(odd);
            c.auth = auth;
        };
    };
    ck_assert(refuses("client_certificate",
                      with(ClientAuth::self_signed_tls_client_auth)));
    ck_assert(accepts(with(ClientAuth::tls_client_auth)));
}

TEST(refuses_none_together_with_a_key)
{
    ck_assert(refuses("client_auth", [](auto &c) {
        c.client_secret = Secret{};
        c.client_keys = {key(unit::ed_key())};
        c.auth = ClientAuth::none;
    }));
}

TEST(refuses_none_together_with_a_secret)
{
    ck_assert(
        refuses("client_auth", [](auto &c) { c.auth = ClientAuth::none; }));
}

TEST(refuses_a_secret_with_a_line_end_in_it_and_does_not_show_it)
{
    auto client = minimal();
    client.client_secret = Secret{"hidden-one\r"sv};

    auto done = client.check();
    ck_assert(!done);
    ck_assert(done.error().detail.find("hidden-one") == std::string::npos);
}

TEST(refuses_an_empty_list_of_algorithms_key_1)
{
    ck_assert(
        refuses("id_token_alg", [](auto &c) { c.id_token_algs.clear(); }));
}

TEST(refuses_symmetric_and_asymmetric_algorithms_in_one_list_key_2)
{
    ck_assert(refuses("id_token_alg", [](auto &c) {
        c.client_secret = Secret{std::string(64, 's')};
        c.id_token_algs = {Algorithm::rs256, Algorithm::hs256};
    }));
}

TEST(refuses_a_mac_without_secret_key_2)
{
    ck_assert(refuses("id_token_alg", [](auto &c) {
        c.client_secret = Secret{};
        c.auth = ClientAuth::none;
        c.id_token_algs = {Algorithm::hs256};
    }));
}

TEST(wants_a_secret_as_long_as_the_hash_rfc_7518_3_2)
{
    const std::pair<Algorithm, size_t> lengths[] = {
        {Algorithm::hs256, 32}, {Algorithm::hs384, 48}, {Algorithm::hs512, 64}};

    for (auto [algorithm, octets] : lengths) {
        auto with = [algorithm = algorithm](size_t length) {
            return [=](ClientSettings &c) {
                c.client_secret = Secret{std::string(length, 's')};
                c.id_token_algs = {algorithm};
            };
        };
        ck_assert(accepts(with(octets)));
        ck_assert(refuses("client_secret", with(octets - 1)));
    }
}

TEST(accepts_a_short_secret_where_it_is_no_key)
{
    ck_assert(accepts([](auto &c) { c.client_secret = Secret{"x"sv}; }));
}

TEST(bounds_clock_skew_to_300_seconds_idt_11)
{
    auto with = [](int seconds) {
        return [=](ClientSettings &c) { c.clock_skew = Seconds{seconds}; };
    };

    ck_assert(accepts(with(0)));
    ck_assert(accepts(with(300)));
    ck_assert(refuses("clock_skew", with(301)));
    ck_assert(refuses("clock_skew", with(-1)));
}

TEST(adds_openid_to_scope_once)
{
    auto scope_of = [](std::string_view written) {
        auto client = minimal();
        client.scope = written;
        ck_assert(static_cast<bool>(client.check()));
        return client.scope;
    };

    ck_assert(scope_of("") == "openid");
    ck_assert(scope_of("profile  email") == "openid profile email");
    ck_assert(scope_of("profile openid") == "profile openid");
    ck_assert(scope_of("openidx") == "openid openidx");
}

TEST(refuses_a_scope_that_is_not_words)
{
    for (auto scope : {"a\tb", "a\nb", "\"a\"", "a\\b", "\xc3\xa9"}) {
        ck_assert(refuses("scope", [&](auto &c) { c.scope = scope; }));
    }
}

TEST(refuses_a_redirect_uri_that_is_not_https_bcp_12)
{
    auto with = [](std::string uri) {
        return [=](ClientSettings &c) { c.redirect_uri = uri; };
    };

    ck_assert(accepts(with("https://shop.example.com/bff/callback")));
    ck_assert(accepts(with("http://localhost:8080/bff/callback")));
    ck_assert(refuses("redirect_uri", with("http://shop.example.com/cb")));
    ck_assert(refuses("redirect_uri", with("/bff/callback")));
    ck_assert(refuses("redirect_uri", with("https://shop.example.com/cb#x")));
}

TEST(insecure_http_is_about_the_provider_not_about_redirect_uri_bcp_12)
{
    ck_assert(refuses("redirect_uri", [](auto &c) {
        c.insecure_http = true;
        c.redirect_uri = "http://shop.example.com/cb";
    }));
}

TEST(wants_an_endpoints_path_between_slashes)
{
    auto with = [](std::string path) {
        return [=](ClientSettings &c) { c.endpoints_path = path; };
    };

    for (auto path : {"/b/", "/bff/", "/a/b-c_d.e~1/"}) {
        ck_assert(accepts(with(path)));
    }
    for (auto path : {"", "/", "bff/", "/bff", "/b ff/", "//", "/a//b/", "/../",
                      "/a/./b/", "/%2e/", "/b?f/", "/b\nf/", "/\xc3\xa9/"}) {
        ck_assert(refuses("endpoints_path", with(path)));
    }
}

TEST(needs_a_userinfo_endpoint_by_hand_where_no_metadata_is_asked_for_ui_6)
{
    auto by_hand = [](ClientSettings &c) {
        c.userinfo_at_login = true;
        c.endpoints.authorization = "https://id.example.com/authorize";
        c.endpoints.token = "https://id.example.com/token";
        c.endpoints.jwks = "https://id.example.com/jwks";
    };

    ck_assert(refuses("userinfo_endpoint", by_hand));
    ck_assert(accepts([&](ClientSettings &c) {
        by_hand(c);
        c.endpoints.userinfo = "https://id.example.com/userinfo";
    }));
    ck_assert(accepts([&](ClientSettings &c) {
        by_hand(c);
        c.endpoints.token.clear(); // metadata is asked for
    }));
    ck_assert(accepts([&](ClientSettings &c) {
        by_hand(c);
        c.userinfo_at_login = false;
    }));
}

TEST(checks_every_url_of_the_provider_disc_3)
{
    using Member = std::function<std::string &(ClientSettings &)>;
    const std::pair<const char *, Member> members[] = {
        {"config_url", [](auto &c) -> auto &{return c.config_url;
}
} // namespace
, {"authorization_endpoint",
   [](auto &c) -> auto &{return c.endpoints.authorization;
}
}
, {"token_endpoint", [](auto &c) -> auto &{return c.endpoints.token;
}
}
, {"jwks_uri", [](auto &c) -> auto &{return c.endpoints.jwks;
}
}
, {"userinfo_endpoint", [](auto &c) -> auto &{return c.endpoints.userinfo;
}
}
, {"end_session_endpoint", [](auto &c) -> auto &{return c.endpoints.end_session;
}
}
, {"revocation_endpoint", [](auto &c) -> auto &{return c.endpoints.revocation;
}
}
,
}
;

for (const auto &[directive, member] : members) {
    auto with = [&member = member](std::string url, bool insecure) {
        return [&member, url, insecure](ClientSettings &c) {
            member(c) = url;
            c.insecure_http = insecure;
        };
    };
    ck_assert(accepts(with("https://id.example.com/x?p=1", false)));
    ck_assert(accepts(with("http://127.0.0.1:1/x", false)));
    ck_assert(accepts(with("http://id.example.com/x", true)));
    ck_assert(refuses(directive, with("http://id.example.com/x", false)));
    ck_assert(refuses(directive, with("id.example.com/x", false)));
}
}

TEST(keeps_a_config_url_that_was_written)
{
    auto client = minimal();
    client.config_url = "https://cdn.example.com/meta";

    ck_assert(static_cast<bool>(client.check()));
    ck_assert(client.config_url == "https://cdn.example.com/meta");
}

TEST(wants_a_post_logout_uri_that_is_a_url_or_a_path_of_this_site)
{
    auto with = [](std::string uri) {
        return [=](ClientSettings &c) { c.post_logout_uri = uri; };
    };

    for (auto uri : {"", "/", "/bye?x=1", "https://shop.example.com/bye"}) {
        ck_assert(accepts(with(uri)));
    }
    for (auto uri : {"bye", "//evil.example", "/\\evil.example", "/a\\b",
                     "/a\nb", "/a b", "javascript:alert(1)"}) {
        ck_assert(refuses("post_logout_uri", with(uri)));
    }
}

TEST(refuses_login_args_that_the_protocol_owns)
{
    for (auto name :
         {"state", "nonce", "client_id", "redirect_uri", "response_type",
          "response_mode", "scope", "code_challenge", "code_challenge_method",
          "request", "request_uri", "client_secret"}) {
        ck_assert(oidc::is_reserved_parameter(name));
        ck_assert(refuses("login_args", [&](auto &c) {
            c.login_args = {"prompt", name};
        }));
    }
    ck_assert(refuses("login_args", [](auto &c) { c.login_args = {""}; }));
    ck_assert(refuses("login_args", [](auto &c) { c.login_args = {"a=b"}; }));
    ck_assert(accepts([](auto &c) { c.login_args = {"kc_idp_hint"}; }));
}

TEST(refuses_session_claims_that_prove_a_login_and_wants_sub)
{
    for (auto name : {"nonce", "at_hash", "c_hash"}) {
        ck_assert(refuses("session_claims", [&](auto &c) {
            c.session_claims = {"sub", name};
        }));
    }
    ck_assert(refuses("session_claims",
                      [](auto &c) { c.session_claims = {"email"}; }));
    ck_assert(accepts([](auto &c) { c.session_claims = {"sub"}; }));
}

TEST(refuses_a_session_without_length)
{
    ck_assert(refuses("session_timeout",
                      [](auto &c) { c.session_timeout = Seconds{0}; }));
}

TEST(knows_the_algorithms_by_name_and_never_none_key_1)
{
    for (auto name :
         {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256",
          "ES384", "ES512", "EdDSA", "HS256", "HS384", "HS512"}) {
        auto known = oidc::algorithm(name);
        ck_assert(known.has_value());
        ck_assert(oidc::name_of(*known) == name);
        ck_assert(oidc::is_symmetric(*known) == (name[0] == 'H'));
    }

    ck_assert(oidc::algorithm("Ed25519") == Algorithm::eddsa);
    for (auto name : {"none", "None", "NONE", "", "rs256", "RS1", "ES256K"}) {
        ck_assert(!oidc::algorithm(name));
    }
}

TEST(knows_the_client_authentication_methods_by_name)
{
    for (auto name : {"client_secret_basic", "client_secret_post",
                      "client_secret_jwt", "private_key_jwt", "tls_client_auth",
                      "self_signed_tls_client_auth", "none"}) {
        auto known = oidc::client_auth(name);
        ck_assert(known.has_value());
        ck_assert(oidc::name_of(*known) == name);
    }
    ck_assert(!oidc::client_auth("basic"));
}

} // namespace

TEST(idle_time_of_nothing_is_no_idle_time)
{
    ck_assert(accepts([](auto &c) { c.session_idle_timeout = Seconds{1}; }));
    ck_assert(accepts([](auto &c) { c.session_idle_timeout.reset(); }));
    ck_assert(refuses("session_idle_timeout",
                      [](auto &c) { c.session_idle_timeout = Seconds{0}; }));
}

TEST(response_modes_have_the_names_of_their_specifications)
{
    ck_assert(oidc::response_mode("query") == oidc::ResponseMode::query);
    ck_assert(oidc::response_mode("form_post") ==
              oidc::ResponseMode::form_post);
    for (auto other : {"", "Query", "fragment", "form-post", "query.jwt"}) {
        ck_assert(!oidc::response_mode(other));
    }
}
