// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Back-channel logout: what the provider has signed ends sessions, and
// nothing else does.

#include "flow_stage.hpp"

using namespace bff;
using namespace bff::unit;

namespace {

std::string form(std::string_view token)
{
    return "logout_token=" + std::string{token};
}

std::string token(std::string_view members = "{}")
{
    return mint(rsa_key(), Algorithm::rs256, logout_claims_with(members));
}

// From the provider: no cookie, no Fetch Metadata, no Origin.
BrowserRequest from_provider(std::string_view body)
{
    BrowserRequest request;
    request.method = "POST";
    request.target = "/bff/backchannel";
    request.mode = request.site = std::nullopt;
    request.content_type = "application/x-www-form-urlencoded";
    request.body = body;
    return request;
}

flow::Step open_logout(FlowStage &stage, std::string_view body)
{
    return stage.endpoint("backchannel", from_provider(body));
}

flow::Reply logout(FlowStage &stage, std::string_view body)
{
    return stage.reply(open_logout(stage, body));
}

// The browser's cookies are not the provider's.
void log_in(FlowStage &stage, std::string_view sid, std::string_view sub)
{
    auto login = stage.start_login();
    as_fetch(stage.send_code(login));
    auto claims = json::object();
    json::put(claims.get(), "sid", sid);
    json::put(claims.get(), "sub", sub);
    stage.reply(stage.answer(
        stage.tokens(stage.id_token(login, json::print(claims.get())))));
}

bool is_logged_in(FlowStage &stage)
{
    auto step = stage.access(call("/api/"));
    if (std::holds_alternative<flow::Proceed>(step)) {
        return true;
    }

    ck_assert(std::get<flow::Reply>(step).error == "session_revoked");
    return false;
}

bool is_done(const flow::Reply &reply)
{
    return reply.response.status == 200 && reply.response.body.empty() &&
           reply.action == flow::Action::backchannel && is_kept(reply.change);
}

bool is_refused(const flow::Reply &reply)
{
    return reply.response.status == 400 &&
           reply.response.body == R"({"error":"invalid_request"})" &&
           header(reply, "Content-Type") == "application/json" &&
           is_kept(reply.change);
}

} // namespace

TEST(ends_the_session_with_this_sid_and_sub_lt_7)
{
    FlowStage stage;
    log_in(stage, "s-1", "alice");
    ck_assert(is_logged_in(stage));

    auto reply = logout(stage, form(token()));
    ck_assert(is_done(reply));
    ck_assert(reply.report.level == flow::Report::Level::info);
    ck_assert(!is_logged_in(stage));
}

TEST(ends_all_sessions_of_a_sub_lt_7)
{
    FlowStage stage;
    log_in(stage, "s-7", "alice");
    auto claims = logout_claims_without("sid");
    auto by_sub = mint(rsa_key(), Algorithm::rs256, claims);

    ck_assert(is_done(logout(stage, form(by_sub))));
    ck_assert(!is_logged_in(stage));
}

TEST(ends_no_session_of_another_sub_or_sid_lt_7)
{
    for (const auto &[sid, sub] : {std::pair{"s-1", "bob"}, {"s-2", "alice"}}) {
        FlowStage stage;
        log_in(stage, sid, sub);
        ck_assert(is_done(logout(stage, form(token()))));
        ck_assert(is_logged_in(stage));
    }
}

TEST(ends_no_session_that_begins_afterwards_lt_10)
{
    FlowStage stage;
    ck_assert(is_done(logout(stage, form(token()))));
    stage.now += Seconds{1};
    log_in(stage, "s-1", "alice");

    ck_assert(is_logged_in(stage));
}

TEST(remembers_a_logout_for_as_long_as_a_session_can_live_lt_10)
{
    FlowStage stage;
    logout(stage, form(token()));

    ck_assert_int_eq(stage.revocations.proven.size(), 1);
    ck_assert(stage.revocations.proven[0].until ==
              stage.now + stage.client->session_timeout);
}

TEST(answers_200_for_a_session_that_nobody_knows_lt_9)
{
    FlowStage stage;
    auto reply = logout(stage, form(token()));

    ck_assert(is_done(reply));
    ck_assert(header(reply, "Cache-Control") == "no-store");
}

TEST(takes_one_form_with_one_token_lt_1)
{
    auto good = form(token());

    FlowStage stage;
    ck_assert(is_done(logout(stage, good + "&state=x&foo=bar")));

    for (const auto &body :
         {std::string{}, std::string{"logout_token="}, std::string{"foo=bar"},
          good + '&' + good, good + "&x=%zz", token()}) {
        FlowStage other;
        ck_assert(is_refused(logout(other, body)));
        ck_assert(other.revocations.is_empty());
    }
}

TEST(takes_a_form_only_lt_1)
{
    for (auto type : {"application/json", "", "text/plain",
                      "multipart/form-data; boundary=x"}) {
        FlowStage stage;
        auto request = from_provider(form(token()));
        request.content_type = type;
        ck_assert(
            is_refused(stage.reply(stage.endpoint("backchannel", request))));
    }

    FlowStage stage;
    auto request = from_provider(form(token()));
    request.content_type = "Application/X-WWW-Form-URLencoded; charset=UTF-8";
    ck_assert(is_done(stage.reply(stage.endpoint("backchannel", request))));
}

TEST(wants_the_algorithm_of_id_tokens_and_a_good_signature_lt_2)
{
    auto claims = logout_claims_with();
    auto other = mint(ed_key(), Algorithm::eddsa, claims);
    auto broken = token();
    broken[broken.size() - 20] ^= 1;

    for (const auto &bad : {mint_unsigned(claims), other, broken,
                            mint_mac(kClientSecret, Algorithm::hs256, claims),
                            std::string{"nonsense"}}) {
        FlowStage stage;
        log_in(stage, "s-1", "alice");
        ck_assert(is_refused(logout(stage, form(bad))));
        ck_assert(is_logged_in(stage));
    }
}

TEST(asks_for_keys_once_more_when_none_fits_lt_2)
{
    FlowStage stage;
    auto foreign = mint(other_rsa(), Algorithm::rs256, logout_claims_with());
    auto step = open_logout(stage, form(foreign));
    ck_assert(as_fetch(step).once == flow::Once::renewed_keys_for_anybody);
    ck_assert(is_refused(stage.reply(stage.answer(http(200, "")))));

    as_fetch(open_logout(stage, form(foreign)));
    stage.learn_keys(jwks({other_rsa().jwk()}));
    ck_assert(is_done(stage.reply(stage.answer(http(200, "")))));
}

TEST(asks_for_documents_that_nobody_has_yet_lt_2)
{
    FlowStage stage;
    stage.forget_documents();
    auto step = open_logout(stage, form(token()));
    ck_assert(as_fetch(step).once == flow::Once::metadata);

    stage.learn_metadata();
    step = stage.answer(http(200, ""));
    ck_assert(as_fetch(step).once == flow::Once::keys);

    stage.learn_keys(all_jwks());
    ck_assert(is_done(stage.reply(stage.answer(http(200, "")))));
}

TEST(answers_400_also_when_the_provider_is_away_lt_9)
{
    FlowStage stage;
    stage.forget_documents();
    as_fetch(open_logout(stage, form(token())));
    auto reply =
        stage.reply(stage.answer(failed(Code::unavailable, "timed out")));

    ck_assert(is_refused(reply));
    ck_assert(reply.report.level == flow::Report::Level::error);
    ck_assert(reply.report.text.find("timed out") != std::string::npos);
}

TEST(refuses_a_bad_claim_and_says_why_in_the_log_lt_9)
{
    FlowStage stage;
    auto reply = logout(stage, form(token(R"({"nonce": null})")));

    ck_assert(is_refused(reply));
    ck_assert(reply.report.level == flow::Report::Level::warn);
    ck_assert(reply.report.text.find("\"nonce\"") != std::string::npos);
    ck_assert(stage.revocations.is_empty());
}

TEST(refuses_an_id_token_lt_12)
{
    FlowStage stage;
    auto id_token = mint(rsa_key(), Algorithm::rs256, claims_with());

    ck_assert(is_refused(logout(stage, form(id_token))));
}

TEST(takes_a_token_once_lt_8)
{
    FlowStage stage;
    auto replayed = form(token());
    ck_assert(is_done(logout(stage, replayed)));
    ck_assert(stage.used_tokens.until == kNow + Seconds{120 + 60});
    ck_assert(is_refused(logout(stage, replayed)));
    ck_assert_int_eq(stage.revocations.proven.size(), 1);

    ck_assert(is_done(logout(stage, form(token(R"({"jti": "other"})")))));
}

TEST(uses_up_no_jti_of_a_token_that_is_refused_lt_8)
{
    FlowStage stage;
    ck_assert(is_refused(logout(stage, form(token(R"({"nonce": 1})")))));
    ck_assert(is_done(logout(stage, form(token()))));
}
