// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Asks the provider for userinfo, and believes the answer only when it is
// about the right person (UI-*).
//
//   metadata, when nobody has asked yet -> userinfo -+-> JSON ------+-> claims
//                                                    |              |
//                                                    +-> signature -+
//                                                          |
//                                                          +- keys

#include "core/flow/userinfo_call.hpp"

#include "core/oidc/userinfo.hpp"

namespace bff::flow {
namespace {

// An answer that is none by HTTP's own rules has failed a check, too.
Error without_answer(Error error);
UserinfoCall::Outcome outcome_of(Result<json::Value> claims);

} // namespace

UserinfoCall::UserinfoCall(Secret access_token, std::string sub)
    : access_token_{std::move(access_token)}, sub_{std::move(sub)}
{
}

UserinfoCall::Outcome UserinfoCall::begin(const Visit &visit)
{
    if (!visit.provider.metadata) {
        stage_ = Stage::metadata;
        return fetch_metadata(visit);
    }

    return ask(visit);
}

UserinfoCall::Outcome UserinfoCall::resume(const Visit &visit,
                                           const Answer &answer)
{
    switch (stage_) {
    case Stage::metadata:
        return visit.provider.metadata ? ask(visit)
                                       : Outcome{why_missing(answer)};
    case Stage::userinfo:
        return read(visit, answer);
    case Stage::signature:
        return take_verdict(visit, signed_->resume(visit, answer));
    }

    return why_missing(answer);
}

UserinfoCall::Outcome UserinfoCall::ask(const Visit &visit)
{
    const auto &metadata = *visit.provider.metadata;
    if (metadata.userinfo_endpoint.empty()) {
        return Error{Code::unsupported,
                     "no userinfo_endpoint is known: neither is it in the "
                     "provider's metadata, nor \"userinfo_endpoint\" in "
                     "bff_provider"};
    }

    stage_ = Stage::userinfo;
    return Fetch{oidc::userinfo_request(metadata, access_token_)};
}

UserinfoCall::Outcome UserinfoCall::read(const Visit &visit,
                                         const Answer &answer)
{
    if (!answer) {
        return without_answer(answer.error());
    }

    auto read = oidc::read_userinfo(*answer, *visit.party.client);
    if (!read) {
        return std::move(read).error();
    }

    if (auto *claims = std::get_if<json::Value>(&*read)) {
        return outcome_of(oidc::check_userinfo(
            std::move(*claims),
            {.sub = sub_, .access_token = access_token_.reveal()}));
    }

    signed_.emplace(std::get<oidc::Jws>(std::move(*read)), "userinfo");
    stage_ = Stage::signature;
    return take_verdict(visit, signed_->begin(visit));
}

UserinfoCall::Outcome
UserinfoCall::take_verdict(const Visit &visit, SignatureCheck::Outcome outcome)
{
    if (auto *fetch = std::get_if<Fetch>(&outcome)) {
        return std::move(*fetch);
    }

    if (auto *error = std::get_if<Error>(&outcome)) {
        return std::move(*error);
    }

    return outcome_of(oidc::check_userinfo(
        signed_->jws(), *visit.party.client,
        {.sub = sub_, .access_token = access_token_.reveal()}, visit.now));
}

namespace {

Error without_answer(Error error)
{
    if (error.code == Code::unsupported) {
        error.code = Code::forged;
    }
    error.detail = "userinfo: " + error.detail;

    return error;
}

UserinfoCall::Outcome outcome_of(Result<json::Value> claims)
{
    if (!claims) {
        return std::move(claims).error();
    }

    return std::move(*claims);
}

} // namespace

} // namespace bff::flow
