// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What is asked of the provider on the way to userinfo, and in which order.

#include "flow_stage.hpp"

#include "core/flow/userinfo_call.hpp"

using namespace bff;
using namespace bff::unit;
using flow::UserinfoCall;
using Outcome = UserinfoCall::Outcome;

namespace {

UserinfoCall call_for_alice()
{
    return {Secret{kAccessToken}, "alice"};
}

Outcome begin(FlowStage &stage, UserinfoCall &call)
{
    return stage.look(unit::call("/"), [&](const flow::Visit &visit) {
        return call.begin(visit);
    });
}

Outcome resume(FlowStage &stage, UserinfoCall &call, const flow::Answer &answer)
{
    return stage.look(unit::call("/"), [&](const flow::Visit &visit) {
        return call.resume(visit, answer);
    });
}

bool asks(const Outcome &outcome, flow::Once once)
{
    const auto *fetch = std::get_if<flow::Fetch>(&outcome);
    return fetch != nullptr && fetch->once == once;
}

bool asks_for_userinfo(const Outcome &outcome)
{
    return asks(outcome, flow::Once::no) &&
           std::get<flow::Fetch>(outcome).request.url ==
               "https://id.example.com/userinfo";
}

bool has_claims(const Outcome &outcome)
{
    const auto *claims = std::get_if<json::Value>(&outcome);
    return claims != nullptr &&
           json::string_at(claims->get(), "sub") == "alice";
}

bool fails(const Outcome &outcome, Code code, std::string_view why)
{
    const auto *error = std::get_if<Error>(&outcome);
    return error != nullptr && error->code == code &&
           error->detail.find(why) != std::string::npos;
}

flow::Answer signed_answer(const MintedKey &key, std::string_view iss = kIssuer)
{
    auto claims = R"({"iss": ")" + std::string{iss} +
                  R"(", "aud": "shop", "sub": "alice"})";
    auto answer = http(200, mint(key, Algorithm::rs256, claims));
    answer->headers = {{"Content-Type", "application/jwt"}};
    return answer;
}

} // namespace

TEST(userinfo_is_asked_at_once_when_metadata_is_known)
{
    FlowStage stage;
    auto call = call_for_alice();

    ck_assert(asks_for_userinfo(begin(stage, call)));
    ck_assert(has_claims(resume(stage, call, http(200, R"({"sub":"alice"})"))));
}

TEST(userinfo_waits_for_metadata_that_nobody_has_asked_for_yet)
{
    FlowStage stage;
    stage.forget_documents();
    auto call = call_for_alice();
    ck_assert(asks(begin(stage, call), flow::Once::metadata));

    stage.learn_metadata();
    ck_assert(asks_for_userinfo(resume(stage, call, http(200, ""))));
}

TEST(userinfo_is_not_there_when_metadata_is_not)
{
    for (auto code : {Code::unavailable, Code::unsupported}) {
        FlowStage stage;
        stage.forget_documents();
        auto call = call_for_alice();
        begin(stage, call);
        ck_assert(fails(resume(stage, call, failed(code, "why")), code, "why"));
    }
}

TEST(userinfo_without_an_endpoint_is_told_with_the_remedy)
{
    FlowStage stage;
    stage.learn_metadata(R"({"userinfo_endpoint": null})");
    auto call = call_for_alice();

    ck_assert(fails(begin(stage, call), Code::unsupported,
                    "\"userinfo_endpoint\" in bff_provider"));
}

TEST(userinfo_that_is_signed_is_verified_with_keys_asked_for_ui_4)
{
    FlowStage stage;
    stage.jwks = nullptr;
    auto call = call_for_alice();
    begin(stage, call);
    ck_assert(
        asks(resume(stage, call, signed_answer(rsa_key())), flow::Once::keys));

    stage.learn_keys(all_jwks());
    ck_assert(has_claims(resume(stage, call, http(200, ""))));
}

TEST(userinfo_signed_by_a_new_key_asks_for_newer_keys_once_key_6)
{
    FlowStage stage;
    auto call = call_for_alice();
    begin(stage, call);
    ck_assert(asks(resume(stage, call, signed_answer(other_rsa())),
                   flow::Once::renewed_keys));

    stage.learn_keys(jwks({other_rsa().jwk()}));
    ck_assert(has_claims(resume(stage, call, http(200, ""))));

    FlowStage old;
    auto forged = call_for_alice();
    begin(old, forged);
    resume(old, forged, signed_answer(other_rsa()));
    ck_assert(fails(resume(old, forged, http(200, "")), Code::forged,
                    "userinfo is signed with a key"));
}

TEST(userinfo_with_a_good_signature_still_has_wrong_claims_ui_4)
{
    FlowStage stage;
    auto call = call_for_alice();
    begin(stage, call);

    ck_assert(fails(
        resume(stage, call, signed_answer(rsa_key(), "https://evil.example")),
        Code::forged, "\"iss\""));
}

TEST(userinfo_says_what_could_not_be_had)
{
    FlowStage stage;
    auto call = call_for_alice();
    begin(stage, call);
    ck_assert(fails(resume(stage, call, failed(Code::unavailable, "timed out")),
                    Code::unavailable, "userinfo: timed out"));

    FlowStage keyless;
    keyless.jwks = nullptr;
    auto other = call_for_alice();
    begin(keyless, other);
    resume(keyless, other, signed_answer(rsa_key()));
    ck_assert(fails(resume(keyless, other, failed(Code::unsupported, "why")),
                    Code::unsupported, "why"));
}
