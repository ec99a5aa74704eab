// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The callback, from a good login to each way in which one can be wrong, and
// what was asked of the provider until then.

#include "flow_stage.hpp"

#include "core/session/login_attempt.hpp"
#include "core/session/mark.hpp"
#include "core/session/session_codec.hpp"

using namespace bff;
using namespace bff::unit;
using Pending = FlowStage::Pending;

namespace {

constexpr std::string_view kIss = "&iss=https%3A%2F%2Fid.example.com";

flow::Step come_back(FlowStage &stage, std::string_view target)
{
    return stage.endpoint("callback", link_from_elsewhere(target));
}

// Refused before anything went to the provider, and nothing has changed.
bool is_refused(FlowStage &stage, std::string_view target, int status,
                std::string_view code)
{
    auto reply = stage.reply(come_back(stage, target));
    return is_problem(reply, status, code) && is_kept(reply.change);
}

// A login whose token endpoint answers this.
flow::Reply with_answer(FlowStage &stage, const flow::Answer &answer)
{
    auto login = stage.start_login();
    as_fetch(stage.send_code(login));
    return stage.reply(stage.answer(answer));
}

// A login whose ID token has these claims.
flow::Reply with_claims(FlowStage &stage, std::string_view members)
{
    auto login = stage.start_login();
    as_fetch(stage.send_code(login));
    return stage.reply(
        stage.answer(stage.tokens(stage.id_token(login, members))));
}

// A login with "userinfo on", until the provider is asked for it.
flow::Step up_to_userinfo(FlowStage &stage, std::string_view members = "{}")
{
    stage.client->userinfo_at_login = true;
    auto login = stage.start_login();
    as_fetch(stage.send_code(login));
    return stage.answer(stage.tokens(stage.id_token(login, members)));
}

// Whatever failed after the code was sent: no session, no login, no retry; a
// provider that is away leaves the session that lives.
void check_end(const FlowStage &stage, const flow::Reply &reply)
{
    bool is_away = reply.error == "provider_unavailable";
    ck_assert(is_away ? is_kept(reply.change) : is_forgotten(reply.change));
    ck_assert(stage.jar.empty());
    ck_assert(header(reply, "Location").empty());
    ck_assert(header(reply, "Refresh").empty());
    ck_assert(reply.report.level == flow::Report::Level::error);
    ck_assert(!reply.report.text.empty());
}

session::Session session_of(const flow::Reply &reply)
{
    ck_assert(is_saved(reply.change));
    return std::get<session::Save>(reply.change).session;
}

session::Details details_of(const flow::Reply &reply)
{
    auto details = session::unpack_details(session_of(reply).packed_details);
    ck_assert(static_cast<bool>(details));
    return std::move(*details);
}

} // namespace

TEST(makes_a_session_of_a_good_login)
{
    FlowStage stage;
    auto reply = stage.log_in("?returnUrl=/orders");
    auto session = session_of(reply);

    ck_assert_uint_eq(session.id.size(), 16);
    ck_assert(session.created == stage.now);
    ck_assert(session.expires == stage.now + stage.client->session_timeout);
    ck_assert(session.active == stage.now);
    ck_assert_uint_eq(session.generation, 0);
    ck_assert(session.has_refresh_token);
    ck_assert(session.sub_mark == session::mark(stage.client->issuer, "sub",
                                                details_of(reply).sub));
    ck_assert(session.sid_mark == std::string(8, '\0')); // it has none
    ck_assert(session.access_token_expires == stage.now + Seconds{300});
    ck_assert(session.access_token.reveal() == kAccessToken);
    ck_assert(reply.action == flow::Action::callback);
    ck_assert(reply.report.level == flow::Report::Level::info);
    ck_assert_str_eq(reply.report.text.c_str(),
                     "session started for provider \"corp\"");
}

TEST(lands_by_refresh_so_that_the_strict_cookie_comes_along_ck_14)
{
    FlowStage stage;
    auto reply = stage.log_in("?returnUrl=%2Forders%3Fa%3D1%26b%3D%22");

    ck_assert_int_eq(reply.response.status, 200);
    ck_assert(header(reply, "Refresh") == "0; url=/orders?a=1&b=\"");
    ck_assert(header(reply, "Location").empty());
    ck_assert(reply.response.body.find("href=\"/orders?a=1&amp;b=&quot;\"") !=
              std::string::npos);
}

TEST(lands_by_redirect_when_the_cookie_is_lax_bff_24)
{
    FlowStage stage;
    stage.style.same_site = web::SameSite::lax;
    auto reply = stage.log_in("?returnUrl=/orders");

    ck_assert_int_eq(reply.response.status, 302);
    ck_assert(header(reply, "Location") == "/orders");
    ck_assert(header(reply, "Refresh").empty());
}

TEST(leaves_only_the_session_cookie_behind)
{
    FlowStage stage;
    stage.log_in();

    ck_assert_uint_eq(stage.jar.size(), 1);
    ck_assert(stage.jar.contains(stage.style.name));
}

TEST(redeems_the_code_with_the_verifier_and_the_same_redirect_uri)
{
    FlowStage stage;
    auto login = stage.start_login();
    auto step = stage.send_code(login);
    const auto &fetch = as_fetch(step);

    ck_assert(fetch.once == flow::Once::no);
    ck_assert(fetch.request.method == "POST");
    ck_assert(fetch.request.url == "https://id.example.com/token");
    auto form = web::Query::parse(fetch.request.body);
    ck_assert(form->get("grant_type") == "authorization_code");
    ck_assert(form->get("code") == kCode);
    ck_assert(form->get("redirect_uri") ==
              parameter(login.url, "redirect_uri"));
    ck_assert_uint_eq(form->get("code_verifier")->size(), 43);
}

TEST(keeps_the_id_token_for_logout_only_if_it_may)
{
    FlowStage keeping;
    ck_assert(!details_of(keeping.log_in()).id_token.empty());

    FlowStage not_keeping;
    not_keeping.client->logout_token_hint = false;
    ck_assert(details_of(not_keeping.log_in()).id_token.empty());
}

TEST(keeps_the_claims_that_are_configured_and_no_other)
{
    FlowStage stage;
    stage.client->session_claims = {"email", "groups", "absent"};
    auto details = details_of(with_claims(
        stage, R"({"email": "a@b.c", "groups": ["x"], "secret": 1})"));

    ck_assert_str_eq(details.claims.c_str(),
                     R"({"email":"a@b.c","groups":["x"]})");
    ck_assert(details.sub == "alice");
}

TEST(keeps_what_a_later_id_token_must_repeat_rt_3)
{
    FlowStage stage;
    auto reply = with_claims(
        stage, R"({"sid": "s1", "azp": "shop", "auth_time": 1780000000})");
    auto details = details_of(reply);

    ck_assert_uint_eq(details.nonce.size(), 43);
    ck_assert(details.azp == "shop");
    ck_assert(details.auth_time == "1780000000");
    ck_assert(session_of(reply).sid_mark ==
              session::mark(stage.client->issuer, "sid", "s1"));
}

TEST(session_without_refresh_token_says_so)
{
    FlowStage stage;
    auto login = stage.start_login();
    as_fetch(stage.send_code(login));
    auto reply = stage.reply(stage.answer(
        stage.tokens(stage.id_token(login), R"({"refresh_token": null})")));

    ck_assert(!session_of(reply).has_refresh_token);
}

TEST(keeps_session_state_of_the_callback_when_there_is_one_cb_5)
{
    FlowStage stage;
    auto login = stage.start_login();
    as_fetch(
        come_back(stage, stage.callback(login, "&session_state=a.b%2Bc&x=y")));
    auto reply = stage.reply(stage.answer(stage.tokens(stage.id_token(login))));
    ck_assert(details_of(reply).session_state == "a.b+c");

    FlowStage other;
    ck_assert(details_of(other.log_in()).session_state.empty());
}

TEST(drops_a_session_state_that_is_too_much_or_no_text)
{
    for (const auto &bad : {std::string(600, 'x'), std::string{"a%0ab"}}) {
        FlowStage stage;
        auto login = stage.start_login();
        as_fetch(
            come_back(stage, stage.callback(login, "&session_state=" + bad)));
        auto reply =
            stage.reply(stage.answer(stage.tokens(stage.id_token(login))));
        ck_assert(details_of(reply).session_state.empty());
    }
}

TEST(lets_parallel_tabs_finish_in_any_order_cb_3)
{
    FlowStage stage;
    auto one = stage.start_login("?returnUrl=/one");
    auto two = stage.start_login("?returnUrl=/two");

    as_fetch(stage.send_code(two));
    auto landed = stage.reply(stage.answer(stage.tokens(stage.id_token(two))));
    ck_assert(header(landed, "Refresh") == "0; url=/two");

    as_fetch(stage.send_code(one));
    landed = stage.reply(stage.answer(stage.tokens(stage.id_token(one))));
    ck_assert(header(landed, "Refresh") == "0; url=/one");
}

TEST(asks_for_metadata_after_the_cheap_checks_and_before_the_code_cb_1)
{
    FlowStage stage;
    auto login = stage.start_login();
    stage.forget_documents();

    auto step = stage.send_code(login);
    ck_assert(as_fetch(step).once == flow::Once::metadata);

    stage.learn_metadata();
    step = stage.answer(http(200, ""));
    ck_assert(as_fetch(step).request.url == "https://id.example.com/token");

    step = stage.answer(stage.tokens(stage.id_token(login)));
    ck_assert(as_fetch(step).once == flow::Once::keys);
    ck_assert(as_fetch(step).request.url == "https://id.example.com/jwks");

    stage.learn_keys(all_jwks());
    ck_assert(is_saved(stage.reply(stage.answer(http(200, ""))).change));
}

TEST(asks_nothing_for_a_callback_without_state_cb_2)
{
    FlowStage stage;
    stage.start_login();
    auto code = "/bff/callback?code=" + std::string{kCode};

    ck_assert(is_refused(stage, "/bff/callback", 400, "state_mismatch"));
    ck_assert(is_refused(stage, code, 400, "state_mismatch"));
    ck_assert(is_refused(stage, code + "&state=", 400, "state_mismatch"));
    ck_assert(is_refused(stage, code + "&state=" + std::string(129, 'x'), 400,
                         "state_mismatch"));
}

TEST(asks_nothing_for_a_state_of_another_browser_bcp_2)
{
    FlowStage attacker;
    auto login = attacker.start_login();

    FlowStage victim;
    victim.entropy = std::make_shared<TapeEntropy>(7);
    victim.start_login();
    auto reply = victim.reply(come_back(victim, attacker.callback(login)));

    ck_assert(is_problem(reply, 400, "login_expired"));
    ck_assert_uint_eq(victim.jar.size(), 1);
}

// Whatever else waits, and whoever is signed in.
TEST(asks_nothing_for_a_state_that_nobody_gave_out_cb_2)
{
    auto made_up = "/bff/callback?code=x&state=" + std::string(59, 'x');

    for (bool is_signed_in : {false, true}) {
        FlowStage stage;
        if (is_signed_in) {
            stage.log_in();
        }
        for (bool has_pending : {false, true}) {
            if (has_pending) {
                stage.start_login();
            }
            auto reply = stage.reply(stage.endpoint("callback", page(made_up)));
            ck_assert(is_problem(reply, 400, "state_mismatch"));
            ck_assert(is_kept(reply.change));
        }
    }
}

TEST(tells_a_login_that_is_gone_from_one_that_never_was_cb_3)
{
    FlowStage stage;
    auto oldest = stage.start_login();
    for (int i = 0; i < 4; i++) {
        stage.now += Seconds{1};
        stage.start_login();
    }

    ck_assert(is_refused(stage, stage.callback(oldest), 400, "login_expired"));
}

TEST(keeps_a_live_session_when_a_silent_login_fails)
{
    FlowStage stage;
    stage.log_in();
    auto login = stage.start_login("?prompt=none");
    as_fetch(stage.send_code(login));
    auto reply = stage.reply(stage.answer(http(400, "{}")));

    ck_assert(is_problem(reply, 502, "code_rejected"));
    ck_assert(is_kept(reply.change));
}

TEST(keeps_a_live_session_when_a_login_is_not_what_was_asked_for)
{
    for (auto query : {"?acr_values=gold", "?max_age=60"}) {
        FlowStage stage;
        stage.log_in();
        auto login = stage.start_login(query);
        as_fetch(stage.send_code(login));
        auto reply =
            stage.reply(stage.answer(stage.tokens(stage.id_token(login))));

        ck_assert(is_problem(reply, 502, "id_token_invalid"));
        ck_assert(is_kept(reply.change));
        ck_assert(reply.report.level == flow::Report::Level::warn);
    }
}

TEST(asks_nothing_without_the_logins_own_cookie)
{
    FlowStage stage;
    auto login = stage.start_login();
    stage.jar.clear();

    ck_assert(is_refused(stage, stage.callback(login), 400, "login_expired"));
}

TEST(asks_nothing_for_a_login_that_took_too_long_cb_2)
{
    FlowStage stage;
    auto login = stage.start_login();
    stage.now += session::kLoginLifetime - Seconds{1};
    as_fetch(stage.send_code(login));

    FlowStage late;
    login = late.start_login();
    late.now += session::kLoginLifetime;
    ck_assert(is_refused(late, late.callback(login), 400, "login_expired"));
}

TEST(asks_nothing_for_a_login_cookie_that_was_changed)
{
    FlowStage stage;
    auto login = stage.start_login();
    stage.jar.begin()->second.back() ^= 1;

    ck_assert(is_refused(stage, stage.callback(login), 400, "login_expired"));
}

TEST(asks_nothing_for_a_login_cookie_of_another_state)
{
    FlowStage stage;
    auto one = stage.start_login();
    auto two = stage.start_login();
    auto name = session::login_cookie_name(stage.style, one.state);
    auto other = session::login_cookie_name(stage.style, two.state);
    stage.jar[name] = stage.jar[other];

    ck_assert(is_refused(stage, stage.callback(one), 400, "login_expired"));
}

TEST(asks_nothing_for_a_query_that_two_parsers_read_differently_cb_1)
{
    FlowStage stage;
    auto login = stage.start_login();

    for (auto more : {"&code=other", "&state=other", "&iss=a&iss=b", "&x=%2"}) {
        ck_assert(
            is_refused(stage, stage.callback(login, more), 400, "bad_request"));
    }
    as_fetch(stage.send_code(login)); // the login itself still works
}

TEST(asks_nothing_for_tokens_in_the_front_channel_cb_5)
{
    FlowStage stage;
    auto login = stage.start_login();

    for (auto more : {"&access_token=x", "&id_token=x", "&error=x"}) {
        ck_assert(
            is_refused(stage, stage.callback(login, more), 400, "bad_request"));
    }
}

TEST(asks_nothing_when_there_is_neither_code_nor_error)
{
    FlowStage stage;
    auto login = stage.start_login();

    ck_assert(is_refused(stage, "/bff/callback?state=" + login.state, 400,
                         "bad_request"));
}

TEST(uses_up_nothing_for_a_prefetch_cb_6)
{
    FlowStage stage;
    auto login = stage.start_login();
    auto ahead = prefetched(link_from_elsewhere(stage.callback(login)));
    auto reply = stage.reply(stage.endpoint("callback", ahead));

    ck_assert(is_problem(reply, 400, "bad_request"));
    ck_assert(set_cookies(reply).empty());
    as_fetch(stage.send_code(login));
}

TEST(uses_up_nothing_for_head_cb_6)
{
    FlowStage stage;
    auto login = stage.start_login();
    auto request = link_from_elsewhere(stage.callback(login));
    request.method = "HEAD";
    auto reply = stage.reply(stage.endpoint("callback", request));

    ck_assert_int_eq(reply.response.status, 405);
    as_fetch(stage.send_code(login));
}

TEST(refuses_an_answer_of_another_issuer_iss_1)
{
    for (auto iss : {"&iss=https%3A%2F%2Fevil.example",
                     "&iss=", "&iss=https%3A%2F%2Fid.example.com%2F",
                     "&iss=https%3A%2F%2FID.example.com"}) {
        FlowStage stage;
        auto login = stage.start_login();
        stage.forget_documents(); // not even metadata is asked for
        auto reply = stage.reply(come_back(stage, stage.callback(login, iss)));
        ck_assert(is_problem(reply, 400, "issuer_mismatch"));
        ck_assert(is_kept(reply.change));
        ck_assert(stage.jar.empty());
    }
}

TEST(refuses_a_missing_iss_that_the_provider_announced_iss_2)
{
    FlowStage stage;
    stage.learn_metadata(
        R"({"authorization_response_iss_parameter_supported": true})");
    auto login = stage.start_login();
    auto without = stage.callback(login, "");

    auto reply = stage.reply(come_back(stage, without));
    ck_assert(is_problem(reply, 400, "issuer_mismatch"));

    FlowStage late; // the announcement is read during the callback
    login = late.start_login();
    late.forget_documents();
    as_fetch(come_back(late, late.callback(login, "")));
    late.learn_metadata(
        R"({"authorization_response_iss_parameter_supported": true})");
    reply = late.reply(late.answer(http(200, "")));
    ck_assert(is_problem(reply, 400, "issuer_mismatch"));
    ck_assert(is_kept(reply.change));
}

TEST(accepts_a_missing_iss_that_nobody_announced_iss_3)
{
    FlowStage stage;
    auto login = stage.start_login();

    as_fetch(come_back(stage, stage.callback(login, "")));
}

TEST(refuses_errors_of_another_issuer_too_iss_1)
{
    FlowStage stage;
    auto login = stage.start_login();
    auto target = "/bff/callback?error=access_denied&state=" + login.state +
                  "&iss=https%3A%2F%2Fevil.example";

    ck_assert(is_refused(stage, target, 400, "issuer_mismatch"));
}

TEST(refuses_a_login_that_was_begun_at_another_issuer_bcp_5)
{
    FlowStage stage;
    auto login = stage.start_login();
    stage.client->issuer = "https://new.example.com";

    auto reply = stage.reply(come_back(stage, stage.callback(login, "")));
    ck_assert(is_problem(reply, 400, "issuer_mismatch"));
    ck_assert(stage.jar.empty());
}

TEST(tells_what_the_provider_says_and_no_more_cb_4)
{
    FlowStage stage;
    auto login = stage.start_login();
    auto target = "/bff/callback?error=access_denied&error_description=%3Cb%3E"
                  "no%0A&state=" +
                  login.state + std::string{kIss};
    auto reply = stage.reply(come_back(stage, target));

    ck_assert(is_problem(reply, 403, "login_refused"));
    ck_assert(reply.response.body.find("access_denied") != std::string::npos);
    ck_assert(reply.response.body.find("<b>") == std::string::npos);
    ck_assert(reply.report.text.starts_with(
        "login refused by provider \"corp\": access_denied (<b>no?)"));
    ck_assert(reply.report.level == flow::Report::Level::info);
    ck_assert(is_kept(reply.change));
    ck_assert(stage.jar.empty());
}

TEST(calls_the_operator_when_the_provider_refuses_the_request_itself)
{
    for (auto error :
         {"invalid_scope", "unauthorized_client", "server_error"}) {
        FlowStage stage;
        auto login = stage.start_login();
        auto target = "/bff/callback?error=" + std::string{error} +
                      "&state=" + login.state;
        auto reply = stage.reply(come_back(stage, target));
        ck_assert(reply.error == "login_refused");
        ck_assert(reply.report.level == flow::Report::Level::error);
    }
}

TEST(tells_a_script_the_providers_error_as_a_member)
{
    FlowStage stage;
    auto login = stage.start_login();
    auto reply = stage.reply(stage.endpoint(
        "callback",
        call("/bff/callback?error=login_required&state=" + login.state)));

    ck_assert(json::string_at(body(reply).get(), "provider_error") ==
              "login_required");
}

TEST(sends_a_code_once_also_when_its_cookie_was_kept_cb_7)
{
    FlowStage stage;
    auto login = stage.start_login();
    auto kept = stage.jar;
    as_fetch(stage.send_code(login));
    ck_assert(stage.used.until == stage.now + session::kLoginLifetime);

    stage.jar = kept;
    ck_assert(is_refused(stage, stage.callback(login), 400, "login_expired"));
}

TEST(uses_up_the_state_with_an_error_too_bcp_6)
{
    FlowStage stage;
    auto login = stage.start_login();
    auto kept = stage.jar;
    stage.reply(come_back(stage, "/bff/callback?error=access_denied&state=" +
                                     login.state));

    stage.jar = kept;
    ck_assert(is_refused(stage, stage.callback(login), 400, "login_expired"));
}

TEST(sends_a_reload_to_the_start_when_a_session_is_alive_cb_7)
{
    FlowStage stage;
    auto login = stage.start_login();
    auto kept = stage.jar;
    as_fetch(stage.send_code(login));
    stage.reply(stage.answer(stage.tokens(stage.id_token(login))));

    auto reload = page(stage.callback(login));
    auto reply = stage.reply(stage.endpoint("callback", reload));
    ck_assert_int_eq(reply.response.status, 302);
    ck_assert(header(reply, "Location") == "/");
    ck_assert(is_kept(reply.change));

    stage.jar.merge(kept); // and when the login's cookie was kept
    reply = stage.reply(stage.endpoint("callback", reload));
    ck_assert(header(reply, "Location") == "/");
    ck_assert(is_kept(reply.change));
    ck_assert_uint_eq(stage.jar.size(), 1);

    auto script = call(stage.callback(login));
    reply = stage.reply(stage.endpoint("callback", script));
    ck_assert(is_problem(reply, 400, "login_expired"));
}

// CK-15: a reload and the back button come from the provider's site.
TEST(looks_again_for_a_strict_session_before_it_gives_up_cb_7)
{
    FlowStage stage;
    auto login = stage.start_login();
    auto pending = stage.jar;
    as_fetch(stage.send_code(login));
    stage.reply(stage.answer(stage.tokens(stage.id_token(login))));
    auto session = stage.jar;

    for (const auto &withheld : {decltype(pending){}, pending}) {
        stage.jar = withheld;
        auto reply = stage.reply(come_back(stage, stage.callback(login)));
        ck_assert(is_problem(reply, 400, "login_expired"));
        auto again = header(reply, "Refresh");
        ck_assert(again.starts_with("0; url=/bff/callback?"));
        ck_assert(again.find(kCode) == std::string::npos);

        stage.jar = session;
        reply = stage.reply(stage.endpoint("callback", page(again.substr(7))));
        ck_assert(header(reply, "Location") == "/");

        stage.jar.clear();
        reply = stage.reply(stage.endpoint("callback", page(again.substr(7))));
        ck_assert(is_problem(reply, 400, "login_expired"));
        ck_assert(header(reply, "Refresh").empty());
    }
}

// Its cookie came, so cookies are not what is wrong.
TEST(offers_the_same_login_again_when_an_answer_was_used_before_cb_7)
{
    FlowStage stage;
    auto login = stage.start_login("?returnUrl=/orders");
    auto pending = stage.jar;
    as_fetch(stage.send_code(login));
    stage.reply(stage.answer(stage.tokens(stage.id_token(login))));
    stage.jar = pending;

    auto reply = stage.reply(come_back(stage, stage.callback(login)));
    ck_assert(reply.response.body.find("/bff/login?returnUrl=%2Forders") !=
              std::string::npos);

    stage.jar.clear(); // as this answer says
    auto again = header(reply, "Refresh").substr(7);
    reply = stage.reply(stage.endpoint("callback", page(again)));
    ck_assert(is_problem(reply, 400, "login_expired"));
    ck_assert(reply.response.body.find("allow them for this site") ==
              std::string::npos);
}

TEST(says_so_when_a_browser_keeps_no_cookies)
{
    FlowStage stage;
    auto login = stage.start_login();
    stage.jar.clear();
    auto reply =
        stage.reply(stage.endpoint("callback", page(stage.callback(login))));

    ck_assert(is_problem(reply, 400, "login_expired"));
    ck_assert(reply.response.body.find("allow them for this site") !=
              std::string::npos);
    ck_assert(header(reply, "Refresh").empty());
}

TEST(wants_the_acr_that_was_asked_for_idt_16)
{
    FlowStage stage;
    auto login = stage.start_login("?acr_values=gold%20silver");
    as_fetch(stage.send_code(login));
    auto reply = stage.reply(stage.answer(
        stage.tokens(stage.id_token(login, R"({"acr": "bronze"})"))));
    ck_assert(is_problem(reply, 502, "id_token_invalid"));

    login = stage.start_login("?acr_values=gold%20silver");
    as_fetch(stage.send_code(login));
    reply = stage.reply(stage.answer(
        stage.tokens(stage.id_token(login, R"({"acr": "silver"})"))));
    ck_assert(is_saved(reply.change));
}

TEST(offers_the_same_way_back_when_a_login_fails)
{
    FlowStage stage;
    auto login = stage.start_login("?returnUrl=%2Forders%3Fa%3D1");
    as_fetch(stage.send_code(login));
    auto reply = stage.reply(stage.answer(http(400, "{}")));

    ck_assert(reply.response.body.find(
                  "href=\"/bff/login?returnUrl=%2Forders%3Fa%3D1\"") !=
              std::string::npos);
}

TEST(keeps_a_live_session_when_a_callback_is_wrong_from_the_start)
{
    FlowStage stage;
    stage.log_in();
    auto session = stage.jar;
    auto login = stage.start_login();

    ck_assert(is_refused(stage,
                         stage.callback(login, "&iss=https%3A%2F%2Fevil"), 400,
                         "issuer_mismatch"));
    ck_assert(stage.jar == session);
}

TEST(tells_when_metadata_cannot_be_had_and_sends_no_code)
{
    FlowStage stage;
    auto login = stage.start_login();
    stage.forget_documents();
    as_fetch(stage.send_code(login));

    auto reply =
        stage.reply(stage.answer(failed(Code::unavailable, "timed out")));
    ck_assert(is_problem(reply, 503, "provider_unavailable"));
    ck_assert(is_kept(reply.change));
    ck_assert(stage.jar.empty());
}

TEST(tells_when_the_token_endpoint_does_not_answer)
{
    FlowStage stage;
    auto reply = with_answer(stage, failed(Code::unavailable, "timed out"));

    ck_assert(is_problem(reply, 503, "provider_unavailable"));
    ck_assert(header(reply, "Retry-After") == "1");
    check_end(stage, reply);
}

TEST(tells_when_the_token_endpoint_refuses_the_code_cb_9)
{
    FlowStage stage;
    auto reply = with_answer(stage, http(400, R"({"error":"invalid_grant"})"));

    ck_assert(is_problem(reply, 502, "code_rejected"));
    ck_assert(reply.report.text.starts_with(
        "login failed: the token endpoint refused the code: invalid_grant"));
    check_end(stage, reply);
}

TEST(tells_when_the_token_endpoint_is_broken)
{
    for (int status : {500, 503, 429}) {
        FlowStage stage;
        auto reply = with_answer(stage, http(status, "oops"));
        ck_assert(is_problem(reply, 503, "provider_unavailable"));
        check_end(stage, reply);
    }
}

TEST(passes_on_when_the_token_endpoint_wants_to_be_asked_again)
{
    FlowStage stage;
    auto answer = http(429, "slow down");
    answer->headers.push_back({"Retry-After", "17"});
    auto reply = with_answer(stage, answer);

    ck_assert(is_problem(reply, 503, "provider_unavailable"));
    ck_assert(header(reply, "Retry-After") == "17");
}

TEST(tells_when_the_token_response_breaks_a_rule_cb_8)
{
    for (const auto &answer :
         {http(200, "<html>"), http(200, "[]"), http(302, ""),
          http(200, R"({"access_token": 1, "token_type": "Bearer"})"),
          http(200, R"({"access_token": "a", "token_type": "mac"})")}) {
        FlowStage stage;
        auto reply = with_answer(stage, answer);
        ck_assert(is_problem(reply, 502, "provider_misconfigured"));
        check_end(stage, reply);
    }
}

TEST(ends_a_session_that_was_there_when_a_login_fails_ck_22)
{
    FlowStage stage;
    stage.log_in();
    auto reply = with_answer(stage, http(400, R"({"error":"invalid_grant"})"));

    check_end(stage, reply);
}

TEST(wants_an_id_token_cb_8)
{
    FlowStage stage;
    auto reply = with_answer(stage, stage.tokens(""));

    ck_assert(is_problem(reply, 502, "id_token_invalid"));
    ck_assert(reply.report.text.starts_with(
        "login failed: the token response has no ID token"));
    check_end(stage, reply);
}

TEST(believes_no_id_token_without_a_good_signature_idt_1)
{
    FlowStage stage;
    auto login = stage.start_login();
    auto nonce = R"({"nonce": ")" + login.nonce + "\"}";
    auto claims = claims_with(nonce);
    auto good = mint(rsa_key(), Algorithm::rs256, claims);
    auto changed = good;
    changed[changed.size() - 10] ^= 1;

    for (const auto &bad : {changed, mint_unsigned(claims),
                            mint_mac(kClientSecret, Algorithm::hs256, claims),
                            mint(p256_key(), Algorithm::es256, claims),
                            std::string{"a.b.c"}, std::string{"x"}}) {
        FlowStage stage;
        auto reply = with_answer(stage, stage.tokens(bad));
        ck_assert(is_problem(reply, 502, "id_token_invalid"));
        check_end(stage, reply);
    }
}

TEST(checks_the_claims_of_the_id_token_idt_18)
{
    for (auto members :
         {R"({"iss": "https://evil.example"})", R"({"aud": "other"})",
          R"({"nonce": "another"})", R"({"exp": 1})", R"({"sub": ""})",
          R"({"iat": 1})", R"({"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"})"}) {
        FlowStage stage;
        auto reply = with_claims(stage, members);
        ck_assert(is_problem(reply, 502, "id_token_invalid"));
        check_end(stage, reply);
    }
}

TEST(wants_auth_time_when_max_age_was_requested_idt_15)
{
    FlowStage stage;
    auto login = stage.start_login("?max_age=60");
    as_fetch(stage.send_code(login));
    auto reply = stage.reply(stage.answer(stage.tokens(stage.id_token(login))));
    ck_assert(is_problem(reply, 502, "id_token_invalid"));

    FlowStage fresh;
    login = fresh.start_login("?max_age=60");
    as_fetch(fresh.send_code(login));
    auto members =
        R"({"auth_time": )" + std::to_string(to_number(fresh.now)) + "}";
    reply =
        fresh.reply(fresh.answer(fresh.tokens(fresh.id_token(login, members))));
    ck_assert(is_saved(reply.change));
}

TEST(takes_no_id_token_of_another_login_bcp_2)
{
    FlowStage stage;
    auto one = stage.start_login();
    auto two = stage.start_login();
    as_fetch(stage.send_code(one));
    auto reply = stage.reply(stage.answer(stage.tokens(stage.id_token(two))));

    ck_assert(is_problem(reply, 502, "id_token_invalid"));
}

TEST(asks_for_newer_keys_once_when_the_key_is_unknown_key_6)
{
    FlowStage stage;
    auto login = stage.start_login();
    as_fetch(stage.send_code(login));
    auto claims = claims_with(R"({"nonce": ")" + login.nonce + "\"}");
    auto token = mint(other_rsa(), Algorithm::rs256, claims);

    auto step = stage.answer(stage.tokens(token));
    ck_assert(as_fetch(step).once == flow::Once::renewed_keys);
    ck_assert(as_fetch(step).request.url == "https://id.example.com/jwks");

    stage.learn_keys(jwks({other_rsa().jwk()}));
    ck_assert(is_saved(stage.reply(stage.answer(http(200, ""))).change));
}

TEST(gives_up_when_the_newer_keys_do_not_help_either_key_6)
{
    for (const auto &answer :
         {http(200, ""), failed(Code::refused, "asked too often")}) {
        FlowStage stage;
        auto login = stage.start_login();
        as_fetch(stage.send_code(login));
        auto claims = claims_with(R"({"nonce": ")" + login.nonce + "\"}");
        as_fetch(stage.answer(
            stage.tokens(mint(other_rsa(), Algorithm::rs256, claims))));

        auto reply = stage.reply(stage.answer(answer));
        ck_assert(is_problem(reply, 502, "id_token_invalid"));
        check_end(stage, reply);
    }
}

TEST(tells_when_keys_cannot_be_had)
{
    struct Row {
        Code code;
        std::string_view problem;
    };
    for (const auto &[code, problem] :
         {Row{Code::unavailable, "provider_unavailable"},
          Row{Code::unsupported, "provider_misconfigured"}}) {
        FlowStage first;
        auto login = first.start_login();
        first.jwks = nullptr;
        as_fetch(first.send_code(login));
        as_fetch(first.answer(first.tokens(first.id_token(login))));
        auto reply = first.reply(first.answer(failed(code, "why")));
        ck_assert(reply.error == problem);
        check_end(first, reply);

        FlowStage newer;
        login = newer.start_login();
        as_fetch(newer.send_code(login));
        auto claims = claims_with(R"({"nonce": ")" + login.nonce + "\"}");
        as_fetch(newer.answer(
            newer.tokens(mint(other_rsa(), Algorithm::rs256, claims))));
        reply = newer.reply(newer.answer(failed(code, "why")));
        ck_assert(reply.error == problem);
        check_end(newer, reply);
    }
}

TEST(needs_no_keys_when_the_secret_is_the_key_key_2)
{
    FlowStage stage;
    stage.client->id_token_algs = {Algorithm::hs256};
    stage.jwks = nullptr;
    auto login = stage.start_login();
    as_fetch(stage.send_code(login));
    auto claims = claims_with(R"({"nonce": ")" + login.nonce + "\"}");
    auto reply = stage.reply(stage.answer(
        stage.tokens(mint_mac(kClientSecret, Algorithm::hs256, claims))));

    ck_assert(is_saved(reply.change));
}

TEST(asks_no_userinfo_unless_it_is_on_ui_6)
{
    FlowStage stage;
    auto claims = details_of(stage.log_in()).claims;

    ck_assert(claims.find("email") == std::string::npos);
}

TEST(asks_userinfo_with_the_new_token_when_it_is_on_ui_6)
{
    FlowStage stage;
    auto step = up_to_userinfo(stage);
    const auto &request = as_fetch(step).request;

    ck_assert(as_fetch(step).once == flow::Once::no);
    ck_assert(request.url == "https://id.example.com/userinfo");
    ck_assert(request.headers[0].value ==
              "Bearer " + std::string{kAccessToken});
}

TEST(asks_no_userinfo_before_the_id_token_was_validated_idt_18)
{
    for (auto members :
         {R"({"nonce": "another"})", R"({"aud": "other"})", R"({"exp": 1})"}) {
        FlowStage stage;
        stage.client->userinfo_at_login = true;
        auto reply = with_claims(stage, members); // no Fetch in between
        ck_assert(is_problem(reply, 502, "id_token_invalid"));
    }

    FlowStage stage; // nor before its key is known
    stage.client->userinfo_at_login = true;
    stage.jwks = nullptr;
    auto login = stage.start_login();
    as_fetch(stage.send_code(login));
    auto step = stage.answer(stage.tokens(stage.id_token(login)));
    ck_assert(as_fetch(step).once == flow::Once::keys);
    stage.learn_keys(all_jwks());
    step = stage.answer(http(200, ""));
    ck_assert(as_fetch(step).request.url == "https://id.example.com/userinfo");
}

TEST(adds_the_claims_of_userinfo_to_those_of_the_id_token_ui_6)
{
    FlowStage stage;
    stage.client->session_claims = {"sub", "name", "email", "acr"};
    as_fetch(up_to_userinfo(stage, R"({"name": "Signed"})"));
    auto details = details_of(stage.reply(stage.answer(
        http(200, R"({"sub": "alice", "name": "Not signed", "x": 1,)"
                  R"( "email": "alice@example.com"})"))));

    ck_assert_str_eq(details.claims.c_str(),
                     R"({"sub":"alice","name":"Signed",)"
                     R"("email":"alice@example.com"})");
    ck_assert(details.sub == "alice");
}

TEST(takes_the_providers_session_from_the_id_token_only)
{
    FlowStage stage;
    as_fetch(up_to_userinfo(stage));
    auto details = details_of(stage.reply(
        stage.answer(http(200, R"({"sub": "alice", "sid": "another"})"))));

    ck_assert(details.sid.empty());
}

TEST(ends_the_login_when_userinfo_fails_a_check_ck_22_ui_3)
{
    for (const auto &answer :
         {http(200, R"({"sub": "bob"})"), http(200, R"({"name": "x"})"),
          http(200, "[]"), http(401, "{}"), http(403, ""), http(404, ""),
          http(302, "")}) {
        FlowStage stage;
        stage.log_in();
        as_fetch(up_to_userinfo(stage));
        auto reply = stage.reply(stage.answer(answer));
        ck_assert(is_problem(reply, 502, "userinfo_invalid"));
        ck_assert(reply.report.text.starts_with("login failed: userinfo "));
        check_end(stage, reply);
    }
}

TEST(tells_when_userinfo_cannot_be_had)
{
    for (const auto &answer :
         {http(500, "oops"), failed(Code::unavailable, "timed out")}) {
        FlowStage stage;
        as_fetch(up_to_userinfo(stage));
        auto reply = stage.reply(stage.answer(answer));
        ck_assert(is_problem(reply, 503, "provider_unavailable"));
        ck_assert(!header(reply, "Retry-After").empty());
        check_end(stage, reply);
    }
}

TEST(counts_the_tokens_lifetime_from_when_it_came)
{
    FlowStage stage;
    as_fetch(up_to_userinfo(stage));
    auto came = stage.now;
    stage.now += Seconds{9};
    auto session =
        session_of(stage.reply(stage.answer(http(200, R"({"sub": "alice"})"))));

    ck_assert(session.access_token_expires == came + Seconds{300});
    ck_assert(session.created == stage.now);
}

TEST(starts_no_session_without_random_bytes)
{
    FlowStage stage;
    auto login = stage.start_login();
    as_fetch(stage.send_code(login));
    stage.entropy = std::make_shared<BrokenEntropy>();
    auto reply = stage.reply(stage.answer(stage.tokens(stage.id_token(login))));

    ck_assert(is_problem(reply, 503, "store_unavailable"));
    check_end(stage, reply);
}

TEST(sends_no_code_without_random_bytes_for_an_assertion_ca_2)
{
    FlowStage stage;
    stage.client->auth = oidc::ClientAuth::client_secret_jwt;
    auto login = stage.start_login();
    stage.entropy = std::make_shared<BrokenEntropy>();
    auto reply =
        stage.reply(stage.endpoint("callback", page(stage.callback(login))));

    ck_assert(is_problem(reply, 503, "store_unavailable"));
    ck_assert(is_kept(reply.change)); // nothing was sent
    ck_assert(!set_cookies(reply).empty());
}

TEST(leads_from_a_failed_login_to_a_new_one_and_never_starts_it_itself)
{
    FlowStage stage;
    auto reply = with_answer(stage, http(400, R"({"error":"invalid_grant"})"));

    ck_assert(reply.response.body.find("href=\"/bff/login\"") !=
              std::string::npos);
    ck_assert(header(reply, "WWW-Authenticate").empty());
}
