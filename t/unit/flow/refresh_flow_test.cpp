// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What becomes of a session whose tokens are renewed: every answer of the
// token endpoint, and every ID token that may come with it.

#include "flow_stage.hpp"

#include "core/flow/refresh_flow.hpp"
#include "core/session/session_codec.hpp"

using namespace bff;
using namespace bff::unit;

namespace {

constexpr std::string_view kSecondToken = "opaque-access-token-4712";

// A stage whose session is at the end of its token's life.
struct Ending {
    explicit Ending(std::string_view claims = "{}")
    {
        login = stage.start_login();
        as_fetch(stage.send_code(login));
        stage.reply(stage.answer(stage.tokens(stage.id_token(login, claims))));
        stage.secrets.emplace_back(kSecondToken);
        stage.now += Seconds{300};
    }

    flow::Step begin()
    {
        auto made = std::make_unique<flow::RefreshFlow>();
        story = made.get();
        return stage.begin(std::move(made), {});
    }

    // The last word of the story after this answer.
    flow::Reply after(const flow::Answer &answer)
    {
        as_fetch(begin());
        return said(stage.answer(answer));
    }

    // Its reply is shown to nobody, its log to the operator.
    flow::Reply said(flow::Step step) const
    {
        ck_assert(std::holds_alternative<flow::Reply>(step));
        auto reply = std::get<flow::Reply>(std::move(step));
        for (const auto &secret : stage.secrets) {
            ck_assert(reply.report.text.find(secret) == std::string::npos);
        }
        ck_assert(reply.report.text.find("\"corp\"") != std::string::npos);
        return reply;
    }

    std::string minted(std::string_view members,
                       const MintedKey &key = rsa_key()) const
    {
        auto own = json::parse_object(members);
        auto iat = to_number(stage.now);
        if (!json::has(own->get(), "nonce")) {
            json::put(own->get(), "nonce", std::string_view{login.nonce});
        }
        json::put_number(own->get(), "iat", iat);
        json::put_number(own->get(), "exp", iat + 300);
        return mint(key, Algorithm::rs256,
                    claims_with(json::print(own->get())));
    }

    FlowStage stage;
    FlowStage::Pending login;
    flow::RefreshFlow *story = nullptr;
};

flow::Answer renewed(std::string_view members = "{}")
{
    auto tokens =
        json::parse_object(R"({"access_token": "opaque-access-token-4712",)"
                           R"( "token_type": "bearer", "expires_in": 600})");
    auto more = json::parse_object(members);
    ck_assert(tokens && more);
    json_object_update(tokens->get(), more->get());
    return http(200, json::print(tokens->get()));
}

flow::Answer with_id_token(const std::string &token)
{
    return renewed(R"({"id_token": ")" + token + "\"}");
}

session::Session session_of(const flow::Reply &reply)
{
    ck_assert(reply.error.empty());
    ck_assert(is_saved(reply.change));
    return std::get<session::Save>(reply.change).session;
}

session::Details details_of(const session::Session &session)
{
    auto details = session::unpack_details(session.packed_details);
    ck_assert(static_cast<bool>(details));
    return std::move(*details);
}

// Over, and nothing of the answer is used.
bool is_over(const flow::Reply &reply)
{
    return is_forgotten(reply.change) && reply.error == "session_expired" &&
           reply.report.level == flow::Report::Level::warn;
}

bool is_kept_for(const Ending &ending, const flow::Reply &reply,
                 std::string_view code)
{
    return is_kept(reply.change) && reply.error == code &&
           reply.report.level == flow::Report::Level::error &&
           ending.story->failure().has_value();
}

} // namespace

TEST(asks_the_token_endpoint_with_the_refresh_token_rt_1)
{
    Ending ending;
    auto step = ending.begin();
    const auto &request = as_fetch(step).request;

    ck_assert(as_fetch(step).once == flow::Once::no);
    ck_assert(request.url == "https://id.example.com/token");
    ck_assert(request.body == "grant_type=refresh_token&refresh_token=" +
                                  std::string{kRefreshToken});
}

// Nobody is asked, and nothing of it is lost.
TEST(session_whose_details_are_not_known_is_kept_as_it_is)
{
    Ending ending;
    auto brief = ending.stage.session();
    brief.packed_details = {};
    brief.is_brief = true;
    ending.stage.renewed = {session::Found::State::active, std::move(brief)};
    auto reply = ending.said(ending.begin());

    ck_assert(is_kept(reply.change));
    ck_assert(ending.story->failure().has_value());
    ck_assert(ending.story->failure()->code == Code::unavailable);
}

TEST(session_goes_on_with_the_new_token_rt_2)
{
    Ending ending(R"({"sid": "s1", "email": "a@b.c"})");
    auto before = ending.stage.session();
    auto after = session_of(ending.after(renewed()));

    ck_assert(after.access_token.reveal() == kSecondToken);
    ck_assert(after.access_token_expires == ending.stage.now + Seconds{600});
    ck_assert_uint_eq(after.generation, before.generation + 1);
    ck_assert(after.id == before.id);
    ck_assert(after.created == before.created);
    ck_assert(after.expires == before.expires);
    ck_assert(after.sid_mark == before.sid_mark);
    ck_assert(after.sub_mark == before.sub_mark);

    auto old_details = details_of(before);
    auto details = details_of(after);
    ck_assert(details.claims == old_details.claims);
    ck_assert(details.id_token.reveal() == old_details.id_token.reveal());
    ck_assert(details.sid == "s1");
}

TEST(new_refresh_token_takes_the_place_of_the_old_one_rt_4)
{
    Ending ending;
    auto session =
        session_of(ending.after(renewed(R"({"refresh_token": "second"})")));

    ck_assert(session.has_refresh_token);
    ck_assert(details_of(session).refresh_token.reveal() == "second");
}

TEST(old_refresh_token_stays_when_no_new_one_comes_rt_4)
{
    for (auto members :
         {"{}", R"({"refresh_token": null})", R"({"refresh_token": ""})"}) {
        Ending ending;
        auto session = session_of(ending.after(renewed(members)));

        ck_assert(session.has_refresh_token);
        ck_assert(details_of(session).refresh_token.reveal() == kRefreshToken);
    }
}

TEST(new_token_of_unknown_lifetime_is_kept_as_such_cb_8)
{
    Ending ending;
    auto session = session_of(ending.after(renewed(R"({"expires_in": null})")));

    ck_assert(!session.access_token_expires);
}

TEST(scope_that_the_answer_does_not_tell_stays)
{
    Ending first;
    ck_assert(details_of(session_of(first.after(
                             renewed(R"({"scope": "openid orders"})"))))
                  .scope == "openid orders");

    Ending second;
    ck_assert(details_of(session_of(second.after(renewed()))).scope ==
              details_of(second.stage.session()).scope);
}

TEST(claims_of_a_new_id_token_take_the_place_of_the_old_rt_3)
{
    Ending ending(R"({"email": "old@b.c", "name": "Alice", "sid": "s1"})");
    auto token = ending.minted(R"({"email": "new@b.c"})");
    auto session = session_of(ending.after(with_id_token(token)));
    auto details = details_of(session);
    auto claims = json::parse_object(details.claims);

    ck_assert(json::string_at(claims->get(), "email") == "new@b.c");
    ck_assert(json::string_at(claims->get(), "name") == "Alice");
    ck_assert(details.id_token.reveal() == token);
    ck_assert(details.sid == "s1");
    ck_assert(session.sid_mark == ending.stage.session().sid_mark);
    ck_assert(details.nonce == ending.login.nonce); // for the one after
}

TEST(new_id_token_is_not_kept_where_none_is)
{
    Ending ending;
    ending.stage.client->logout_token_hint = false;
    auto session = session_of(ending.after(with_id_token(ending.minted("{}"))));

    ck_assert(details_of(session).id_token.empty());
}

TEST(wrong_id_token_ends_the_session_rt_3)
{
    for (auto members : {
             R"({"sub": "bob"})",
             R"({"iss": "https://evil.example"})",
             R"({"aud": "another"})",
             R"({"nonce": "another"})",
             R"({"auth_time": 1})",
             R"({"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"})",
         }) {
        Ending ending(R"({"auth_time": 1780000000})");
        ck_assert(is_over(ending.after(with_id_token(ending.minted(members)))));
    }
}

TEST(id_token_that_is_none_or_not_signed_by_the_provider_ends_it_rt_3)
{
    Ending ending;
    ck_assert(is_over(ending.after(with_id_token("no.jwt"))));

    auto token = ending.minted("{}");
    token[token.size() - 10] = token[token.size() - 10] == 'A' ? 'B' : 'A';
    ck_assert(is_over(ending.after(with_id_token(token))));
}

// By a key that is unknown here, and what the provider's keys say to that.
static flow::Reply after_keys(Ending &ending, std::string_view members,
                              const flow::Answer &keys)
{
    auto token = ending.minted(members, other_rsa());
    as_fetch(ending.begin());
    auto step = ending.stage.answer(with_id_token(token));
    ck_assert(as_fetch(step).once == flow::Once::renewed_keys);
    return ending.said(ending.stage.answer(keys));
}

TEST(tokens_whose_key_cannot_be_had_are_taken_without_id_token_rt_6)
{
    for (auto code : {Code::unavailable, Code::unsupported, Code::refused}) {
        Ending ending(R"({"name": "Alice"})");
        auto before = details_of(ending.stage.session());
        auto reply =
            after_keys(ending, R"({"name": "Eve"})", failed(code, "no keys"));
        auto session = session_of(reply);
        ck_assert(session.access_token.reveal() == kSecondToken);
        ck_assert(reply.report.level == flow::Report::Level::warn);

        auto details = details_of(session);
        ck_assert(details.claims == before.claims);
        ck_assert(details.id_token.reveal() == before.id_token.reveal());

        Ending other;
        ck_assert(is_over(
            after_keys(other, R"({"sub": "bob"})", failed(code, "no keys"))));
    }

    Ending ending; // the keys are there, and do not know it
    ck_assert(is_over(after_keys(ending, "{}", http(200, ""))));
}

// Nobody would ask again before it is due.
TEST(invalid_grant_ends_a_session_whose_token_is_still_good_for_all_rt_6)
{
    for (auto [left, is_told] : {std::pair{0, false},
                                 {10, false},
                                 {30, false},
                                 {31, true},
                                 {299, true}}) {
        Ending ending;
        ending.stage.now -= Seconds{left};
        auto session = ending.stage.session();
        ck_assert(
            is_over(ending.after(http(400, R"({"error": "invalid_grant"})"))));
        ck_assert(session::is_revoked(session, ending.stage.revocations) ==
                  is_told);
    }
}

TEST(failed_refresh_ends_no_session_whose_token_is_still_good_rt_6)
{
    Ending ending;
    ending.stage.now -= Seconds{200};
    auto session = ending.stage.session();
    ending.after(http(503, ""));
    ck_assert(!session::is_revoked(session, ending.stage.revocations));
}

TEST(invalid_grant_ends_the_session_rt_6)
{
    for (int status : {400, 401, 403}) {
        Ending ending;
        auto reply =
            ending.after(http(status, R"({"error": "invalid_grant"})"));

        ck_assert(is_over(reply));
        ck_assert(reply.report.text.find("invalid_grant") != std::string::npos);
    }
}

TEST(any_other_refusal_keeps_the_session_rt_6)
{
    for (auto error : {"invalid_client", "unauthorized_client",
                       "invalid_request", "invalid_grant2", ""}) {
        Ending ending;
        auto reply = ending.after(
            http(400, R"({"error": ")" + std::string{error} + "\"}"));
        ck_assert(is_kept_for(ending, reply, "provider_misconfigured"));
    }

    Ending ending;
    ck_assert(is_kept_for(ending, ending.after(http(404, "<html>")),
                          "provider_misconfigured"));
}

TEST(provider_that_is_away_keeps_the_session_rt_6)
{
    for (int status : {500, 502, 503, 429, 408}) {
        Ending ending;
        ck_assert(is_kept_for(ending, ending.after(http(status, "")),
                              "provider_unavailable"));
    }

    Ending ending;
    auto reply =
        ending.after(Error{Code::unavailable, "timed out", Seconds{9}});
    ck_assert(is_kept_for(ending, reply, "provider_unavailable"));
    ck_assert(ending.story->failure()->retry_after == Seconds{9});
}

TEST(answer_that_breaks_a_rule_keeps_the_session_rt_6)
{
    for (auto body : {"", "[]", R"({"token_type": "Bearer"})",
                      R"({"access_token": "a b", "token_type": "Bearer"})",
                      R"({"access_token": "a", "token_type": "mac"})"}) {
        Ending ending;
        ck_assert(is_kept_for(ending, ending.after(http(200, body)),
                              "provider_misconfigured"));
    }
}

TEST(documents_are_had_before_the_refresh_token_is_used_rt_5)
{
    Ending ending;
    ending.stage.forget_documents();

    auto step = ending.begin();
    ck_assert(as_fetch(step).once == flow::Once::metadata);

    ending.stage.learn_metadata();
    step = ending.stage.answer(http(200, ""));
    ck_assert(as_fetch(step).once == flow::Once::keys);

    ending.stage.learn_keys(all_jwks());
    step = ending.stage.answer(http(200, ""));
    ck_assert(as_fetch(step).once == flow::Once::no);
    session_of(ending.said(ending.stage.answer(renewed())));
}

TEST(documents_that_cannot_be_had_keep_the_session_rt_6)
{
    Ending ending;
    ending.stage.forget_documents();
    as_fetch(ending.begin());
    auto reply =
        ending.said(ending.stage.answer(failed(Code::unavailable, "away")));
    ck_assert(is_kept_for(ending, reply, "provider_unavailable"));

    ending.stage.learn_metadata();
    as_fetch(ending.begin());
    reply = ending.said(ending.stage.answer(failed(Code::unavailable, "away")));
    ck_assert(is_kept_for(ending, reply, "provider_unavailable"));
}

TEST(refresh_without_random_bytes_keeps_the_session)
{
    Ending ending;
    ending.stage.client->auth = oidc::ClientAuth::client_secret_jwt;
    ending.stage.entropy = std::make_shared<BrokenEntropy>();

    auto reply = ending.said(ending.begin());
    ck_assert(is_kept_for(ending, reply, "provider_unavailable"));
}

TEST(session_whose_details_are_damaged_cannot_be_renewed)
{
    Ending ending;
    auto session = ending.stage.session();
    session.packed_details = Secret{std::string_view{"damaged"}};
    ending.stage.renewed = {session::Found::State::active, session};

    ck_assert(is_over(ending.said(ending.begin())));
}

TEST(session_that_ended_during_its_refresh_takes_the_new_tokens_back_lt_10)
{
    Ending ending;
    auto &stage = ending.stage;
    stage.learn_metadata(
        R"({"revocation_endpoint": "https://id.example.com/revoke"})");
    auto token = ending.minted(R"({"sid": "s-2"})");
    as_fetch(ending.begin());
    stage.revocations.add(session::revocation_of(
        stage.client->issuer, "s-2", "", stage.now + Milliseconds{0},
        stage.client->session_timeout));

    auto reply = ending.said(stage.answer(with_id_token(token)));

    ck_assert(is_forgotten(reply.change));
    ck_assert(reply.error == "session_revoked");
    ck_assert(reply.report.level == flow::Report::Level::info);
    ck_assert(reply.errand.has_value());
    ck_assert(reply.errand->request.url == "https://id.example.com/revoke");
}

TEST(session_that_ended_during_its_refresh_ends_without_a_way_to_tell)
{
    Ending ending;
    auto &stage = ending.stage;
    auto token = ending.minted(R"({"sid": "s-2"})");
    as_fetch(ending.begin());
    stage.revocations.add(session::revocation_of(
        stage.client->issuer, "s-2", "", stage.now + Milliseconds{0},
        stage.client->session_timeout));

    auto reply = ending.said(stage.answer(with_id_token(token)));

    ck_assert(is_forgotten(reply.change));
    ck_assert(!reply.errand.has_value());
}
