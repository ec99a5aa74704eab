// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Which keys are asked for to verify a signature, when, and how often.

#include "flow_stage.hpp"

#include "core/flow/signature_check.hpp"

using namespace bff;
using namespace bff::unit;
using flow::SignatureCheck;
using Outcome = SignatureCheck::Outcome;

namespace {

SignatureCheck check_of(const FlowStage &stage, std::string_view token)
{
    auto jws = oidc::Jws::parse(token, stage.client->id_token_algs);
    ck_assert(static_cast<bool>(jws));
    return {std::move(*jws), "the ticket"};
}

std::string signed_by(const MintedKey &key)
{
    return mint(key, Algorithm::rs256, R"({"sub": "alice"})");
}

Outcome begin(FlowStage &stage, SignatureCheck &check)
{
    return stage.look(call("/"), [&](const flow::Visit &visit) {
        return check.begin(visit);
    });
}

Outcome resume(FlowStage &stage, SignatureCheck &check,
               const flow::Answer &answer)
{
    return stage.look(call("/"), [&](const flow::Visit &visit) {
        return check.resume(visit, answer);
    });
}

bool is_good(const Outcome &outcome)
{
    return std::holds_alternative<Done>(outcome);
}

bool asks(const Outcome &outcome, flow::Once once)
{
    const auto *fetch = std::get_if<flow::Fetch>(&outcome);
    return fetch != nullptr && fetch->once == once &&
           fetch->request.url == "https://id.example.com/jwks";
}

bool fails(const Outcome &outcome, Code code, std::string_view detail)
{
    const auto *error = std::get_if<Error>(&outcome);
    return error != nullptr && error->code == code && error->detail == detail;
}

constexpr std::string_view kUnpublished =
    "the ticket is signed with a key that the provider does not publish";

} // namespace

TEST(signature_is_good_with_a_key_that_is_known)
{
    FlowStage stage;
    auto check = check_of(stage, signed_by(rsa_key()));

    ck_assert(is_good(begin(stage, check)));
    ck_assert(check.jws().payload == R"({"sub": "alice"})");
}

TEST(signature_waits_for_keys_that_nobody_has_asked_for_yet)
{
    FlowStage stage;
    stage.jwks = nullptr;
    auto check = check_of(stage, signed_by(rsa_key()));
    ck_assert(asks(begin(stage, check), flow::Once::keys));

    stage.learn_keys(all_jwks());
    ck_assert(is_good(resume(stage, check, http(200, ""))));
}

TEST(signature_needs_no_keys_when_the_secret_is_the_key_key_2)
{
    FlowStage stage;
    stage.client->id_token_algs = {Algorithm::hs256};
    stage.jwks = nullptr;

    auto good =
        check_of(stage, mint_mac(kClientSecret, Algorithm::hs256, "{}"));
    ck_assert(is_good(begin(stage, good)));

    auto bad = check_of(stage, mint_mac("another", Algorithm::hs256, "{}"));
    ck_assert(fails(begin(stage, bad), Code::forged,
                    "the ticket's signature is wrong"));
}

TEST(signature_by_a_known_kid_that_is_wrong_is_worth_no_question_key_6)
{
    FlowStage stage;
    auto token = signed_by(rsa_key());
    token[token.size() - 10] ^= 1;
    auto check = check_of(stage, token);

    ck_assert(fails(begin(stage, check), Code::forged,
                    "the ticket's signature is wrong"));
}

TEST(signature_with_an_unknown_kid_asks_for_newer_keys_once_key_6)
{
    FlowStage stage;
    auto check = check_of(stage, signed_by(other_rsa()));
    ck_assert(asks(begin(stage, check), flow::Once::renewed_keys));

    stage.learn_keys(jwks({other_rsa().jwk()}));
    ck_assert(is_good(resume(stage, check, http(200, ""))));
}

TEST(signature_without_kid_that_nobody_made_asks_for_newer_keys_once_key_6)
{
    FlowStage stage;
    auto token = mint_raw(other_rsa(), Algorithm::rs256, R"({"alg": "RS256"})",
                          R"({"sub": "alice"})");
    auto check = check_of(stage, token);
    ck_assert(asks(begin(stage, check), flow::Once::renewed_keys));

    ck_assert(
        fails(resume(stage, check, http(200, "")), Code::forged, kUnpublished));
}

TEST(signature_with_fresh_keys_that_lack_the_kid_asks_once_more_key_6)
{
    FlowStage stage;
    stage.jwks = nullptr;
    auto check = check_of(stage, signed_by(other_rsa()));
    ck_assert(asks(begin(stage, check), flow::Once::keys));

    stage.learn_keys(all_jwks());
    ck_assert(
        asks(resume(stage, check, http(200, "")), flow::Once::renewed_keys));
    ck_assert(
        fails(resume(stage, check, http(200, "")), Code::forged, kUnpublished));
}

TEST(signature_is_judged_by_the_known_keys_when_asked_too_often_key_7)
{
    FlowStage stage;
    auto check = check_of(stage, signed_by(other_rsa()));
    ck_assert(asks(begin(stage, check), flow::Once::renewed_keys));

    ck_assert(fails(resume(stage, check, failed(Code::refused, "too often")),
                    Code::forged, kUnpublished));
}

TEST(signature_is_no_forgery_when_the_keys_cannot_be_had)
{
    for (auto code : {Code::unavailable, Code::unsupported}) {
        FlowStage first;
        first.jwks = nullptr;
        auto check = check_of(first, signed_by(rsa_key()));
        begin(first, check);
        ck_assert(
            fails(resume(first, check, failed(code, "why")), code, "why"));

        FlowStage newer;
        auto renewing = check_of(newer, signed_by(other_rsa()));
        begin(newer, renewing);
        ck_assert(
            fails(resume(newer, renewing, failed(code, "why")), code, "why"));
    }
}

TEST(signature_is_not_judged_when_the_keys_were_not_kept)
{
    FlowStage stage;
    stage.jwks = nullptr;
    auto check = check_of(stage, signed_by(rsa_key()));
    begin(stage, check);

    ck_assert(fails(resume(stage, check, http(200, "")), Code::unavailable,
                    "its document was not kept"));
}
