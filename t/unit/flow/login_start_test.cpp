// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Login: what goes to the provider, what stays in the cookie, and what a
// page may ask for.

#include "flow_stage.hpp"

#include "core/flow/login_start.hpp"
#include "core/oidc/pkce.hpp"
#include "core/session/login_attempt.hpp"

using namespace bff;
using namespace bff::unit;

namespace {

flow::Step open_login(FlowStage &stage, std::string_view query)
{
    return stage.endpoint("login", page("/bff/login" + std::string{query}));
}

flow::Reply login(FlowStage &stage, std::string_view query)
{
    return stage.reply(open_login(stage, query));
}

std::string url_of(FlowStage &stage, std::string_view query)
{
    return header(login(stage, query), "Location");
}

session::LoginAttempt attempt_of(FlowStage &stage, std::string_view url)
{
    std::string cookies;
    for (const auto &[name, value] : stage.jar) {
        cookies += name + '=' + value + "; ";
    }

    auto attempt = session::read_login(cookies, parameter(url, "state"),
                                       stage.style, stage.keys, stage.now);
    ck_assert(static_cast<bool>(attempt));
    return std::move(*attempt);
}

} // namespace

TEST(redirects_to_the_authorization_endpoint_bff_23)
{
    FlowStage stage;
    auto reply = login(stage, "");
    auto url = header(reply, "Location");

    ck_assert_int_eq(reply.response.status, 302);
    ck_assert(url.starts_with("https://id.example.com/authorize?"));
    ck_assert(parameter(url, "response_type") == "code");
    ck_assert(parameter(url, "client_id") == kClientId);
    ck_assert(parameter(url, "redirect_uri") ==
              "https://shop.example.com/bff/callback");
    ck_assert(reply.action == flow::Action::login);
    ck_assert(is_kept(reply.change));
}

TEST(binds_state_nonce_and_verifier_to_the_browser_bcp_2)
{
    FlowStage stage;
    auto url = url_of(stage, "");
    auto attempt = attempt_of(stage, url);

    ck_assert(attempt.state == parameter(url, "state"));
    ck_assert(attempt.nonce == parameter(url, "nonce"));
    ck_assert(oidc::code_challenge(attempt.code_verifier) ==
              parameter(url, "code_challenge"));
    ck_assert(parameter(url, "code_challenge_method") == "S256");
    ck_assert(attempt.issuer == kIssuer);
    ck_assert(attempt.redirect_uri == parameter(url, "redirect_uri"));
    ck_assert(attempt.started == stage.now);
    ck_assert_uint_eq(attempt.state.size(), 59); // CB-2: at most 128
    ck_assert_uint_eq(attempt.nonce.size(), 43);
    ck_assert_uint_eq(attempt.code_verifier.size(), 43);
}

TEST(shares_nothing_between_two_logins_bcp_3)
{
    FlowStage stage;
    auto one = attempt_of(stage, url_of(stage, ""));
    auto two = attempt_of(stage, url_of(stage, ""));

    ck_assert(one.state != two.state);
    ck_assert(one.nonce != two.nonce);
    ck_assert(one.code_verifier != two.code_verifier);
    ck_assert(one.state != one.nonce && one.nonce != one.code_verifier);
}

TEST(sends_no_challenge_when_pkce_is_off)
{
    FlowStage stage;
    stage.client->pkce = false;
    auto url = url_of(stage, "");

    ck_assert(parameter(url, "code_challenge").empty());
    ck_assert(attempt_of(stage, url).code_verifier.empty());
}

TEST(keeps_at_most_four_logins_and_drops_the_oldest_cb_3)
{
    FlowStage stage;
    std::vector<std::string> names;
    for (int i = 0; i < 6; i++) {
        stage.now += Seconds{1};
        auto url = url_of(stage, "");
        names.push_back(
            session::login_cookie_name(stage.style, parameter(url, "state")));
    }

    ck_assert_uint_eq(stage.jar.size(), session::kPendingLogins);
    ck_assert(!stage.jar.contains(names[0]));
    ck_assert(!stage.jar.contains(names[1]));
    ck_assert(stage.jar.contains(names[2]));
    ck_assert(stage.jar.contains(names[5]));
}

TEST(asks_for_metadata_once_when_nobody_has_yet_disc_5)
{
    FlowStage stage;
    stage.forget_documents();
    auto step = open_login(stage, "?returnUrl=/orders");

    const auto &fetch = as_fetch(step);
    ck_assert(fetch.once == flow::Once::metadata);
    ck_assert(fetch.request.url ==
              "https://id.example.com/.well-known/openid-configuration");

    stage.learn_metadata();
    auto reply = stage.reply(stage.answer(http(200, "")));
    auto url = header(reply, "Location");
    ck_assert(attempt_of(stage, url).return_path == "/orders");
}

TEST(goes_on_with_a_known_copy_when_the_provider_is_away_disc_5)
{
    FlowStage stage;
    stage.forget_documents();
    as_fetch(open_login(stage, ""));

    stage.learn_metadata();
    auto reply =
        stage.reply(stage.answer(failed(Code::unavailable, "timed out")));
    ck_assert_int_eq(reply.response.status, 302);
}

TEST(tells_what_is_wrong_with_the_provider_and_sets_no_cookie)
{
    struct Row {
        Code code;
        int status;
        std::string_view problem;
    };
    for (const auto &[code, status, problem] :
         {Row{Code::unavailable, 503, "provider_unavailable"},
          Row{Code::refused, 503, "provider_unavailable"},
          Row{Code::unsupported, 502, "provider_misconfigured"}}) {
        FlowStage stage;
        stage.forget_documents();
        as_fetch(open_login(stage, ""));

        auto reply = stage.reply(stage.answer(failed(code, "why")));
        ck_assert(is_problem(reply, status, problem));
        ck_assert(stage.jar.empty());
    }
}

TEST(does_not_ask_forever_for_metadata_that_nobody_keeps)
{
    FlowStage stage;
    stage.forget_documents();
    as_fetch(open_login(stage, ""));

    auto reply = stage.reply(stage.answer(http(200, "{}")));
    ck_assert(is_problem(reply, 503, "provider_unavailable"));
}

TEST(remembers_a_return_url_of_this_site_or_a_trusted_one)
{
    FlowStage stage;
    stage.origins.trusted = {"https://app.example.com"};

    for (std::string_view good :
         {"/", "/orders?id=7%26x#top", "https://shop.example.com/orders",
          "https://app.example.com/spa"}) {
        auto url = url_of(stage, "?returnUrl=" + web::percent_encode(good));
        ck_assert(attempt_of(stage, url).return_path == good);
    }
    ck_assert(attempt_of(stage, url_of(stage, "")).return_path == "/");
}

TEST(refuses_a_return_url_that_leads_elsewhere_bcp_1)
{
    for (std::string_view bad :
         {"//evil.example", "/\\evil.example", "https:evil.example",
          "https://evil.example/", "javascript:alert(1)", "", "orders",
          "/%2f/evil.example", "/a\r\nSet-Cookie: x=y",
          "https://shop.example.com.evil.example/",
          "https://shop.example.com@evil.example/"}) {
        FlowStage stage;
        auto reply = login(stage, "?returnUrl=" + web::percent_encode(bad));
        ck_assert(is_problem(reply, 400, "bad_return_url"));
        ck_assert(stage.jar.empty());
        ck_assert(header(reply, "Location").empty());
    }
}

TEST(refuses_a_query_that_two_parsers_read_differently)
{
    for (auto query : {"?returnUrl=/a&returnUrl=/b", "?returnUrl=%2", "?%zz"}) {
        FlowStage stage;
        ck_assert(is_problem(login(stage, query), 400, "bad_request"));
        ck_assert(stage.jar.empty());
    }
}

TEST(passes_only_the_listed_login_args)
{
    FlowStage stage;
    auto url = url_of(stage, "?prompt=login&login_hint=a%40b&evil=1&scope=all"
                             "&redirect_uri=https%3A%2F%2Fevil.example");

    ck_assert(parameter(url, "prompt") == "login");
    ck_assert(parameter(url, "login_hint") == "a@b");
    ck_assert(parameter(url, "evil").empty());
    ck_assert(parameter(url, "scope") == "openid");
    ck_assert(parameter(url, "redirect_uri").find("evil") == std::string::npos);
}

TEST(passes_no_login_args_when_none_are_allowed)
{
    FlowStage stage;
    stage.client->login_args.clear();

    ck_assert(parameter(url_of(stage, "?prompt=login"), "prompt").empty());
}

TEST(remembers_the_max_age_that_was_sent_idt_15)
{
    FlowStage stage;
    ck_assert(!attempt_of(stage, url_of(stage, "")).max_age);
    ck_assert(attempt_of(stage, url_of(stage, "?max_age=60")).max_age ==
              Seconds{60});
    ck_assert(attempt_of(stage, url_of(stage, "?max_age=0")).max_age ==
              Seconds{0});
}

TEST(remembers_the_operators_max_age_whatever_the_page_says_idt_15)
{
    FlowStage stage;
    stage.extra_auth_args = "max_age=300";

    for (auto query : {"", "?max_age=99999", "?max_age=1"}) {
        auto url = url_of(stage, query);
        ck_assert(parameter(url, "max_age") == "300");
        ck_assert(attempt_of(stage, url).max_age == Seconds{300});
    }
}

TEST(refuses_a_max_age_that_could_not_be_checked)
{
    for (auto bad : {"abc", "-1", "1.5", "", "99999999999999999999"}) {
        FlowStage stage;
        auto reply = login(stage, "?max_age=" + std::string{bad});
        ck_assert(is_problem(reply, 400, "bad_request"));
        ck_assert(stage.jar.empty());
    }
}

TEST(begins_nothing_for_a_prefetch_cb_6)
{
    FlowStage stage;
    auto reply =
        stage.reply(stage.endpoint("login", prefetched(page("/bff/login"))));

    ck_assert(is_problem(reply, 400, "bad_request"));
    ck_assert(stage.jar.empty());
}

TEST(begins_nothing_where_the_code_would_travel_without_tls_bcp_12)
{
    FlowStage stage;
    auto request = page("/bff/login");
    request.scheme = "http";
    auto reply = stage.reply(stage.endpoint("login", request));

    ck_assert(is_problem(reply, 400, "bad_request"));
    ck_assert(reply.report.level == flow::Report::Level::error);
    ck_assert(reply.report.text.find("\"redirect_uri\"") != std::string::npos);
    ck_assert(stage.jar.empty());
}

TEST(begins_nothing_for_a_host_that_is_none_bff_15)
{
    FlowStage stage;
    auto request = page("/bff/login");
    request.host = "evil.example/x";
    auto reply = stage.reply(stage.endpoint("login", request));

    ck_assert(is_problem(reply, 400, "bad_request"));
    ck_assert(reply.report.level == flow::Report::Level::warn);
}

TEST(begins_nothing_that_no_cookie_can_remember)
{
    FlowStage stage;
    std::string acr_values;
    for (int i = 0; i < 2000; i++) {
        acr_values += std::to_string(i * 7919 % 10007);
    }
    auto reply = login(stage, "?acr_values=" + acr_values);

    ck_assert(is_problem(reply, 400, "bad_request"));
    ck_assert(reply.report.level == flow::Report::Level::warn);
    ck_assert(stage.jar.empty());
}

TEST(begins_nothing_without_random_bytes)
{
    for (size_t good_draws : {0, 1, 2, 3}) {
        FlowStage stage;
        stage.entropy = std::make_shared<BrokenEntropy>(good_draws);
        auto reply = login(stage, "");

        ck_assert(is_problem(reply, 503, "store_unavailable"));
        ck_assert(stage.jar.empty());
    }
}

TEST(lets_somebody_who_is_signed_in_log_in_again)
{
    FlowStage stage;
    stage.log_in();
    auto reply = login(stage, "?prompt=login");

    ck_assert_int_eq(reply.response.status, 302);
    ck_assert(is_kept(reply.change));
}
