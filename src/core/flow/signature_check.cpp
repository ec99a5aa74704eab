// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Is this token signed by the provider? Asks for the provider's keys when
// they are missing, and once more when they do not tell (KEY-6, KEY-7).
//
// A token can make us ask for keys, but never more than once; how often all
// of them together can is for whoever fetches to limit.

#include "core/flow/signature_check.hpp"

#include <string>

namespace bff::flow {
namespace {

Fetch fetch_keys(const Visit &visit, Once once);

} // namespace

SignatureCheck::SignatureCheck(oidc::Jws jws, std::string_view token,
                               Once renewed)
    : jws_{std::move(jws)}, token_{token}, renewed_{renewed}
{
}

SignatureCheck::Outcome SignatureCheck::begin(const Visit &visit)
{
    if (visit.provider.needs_keys()) {
        return fetch_keys(visit, Once::keys);
    }

    return verify(visit);
}

SignatureCheck::Outcome SignatureCheck::resume(const Visit &visit,
                                               const Answer &answer)
{
    if (has_renewed_) {
        return take_renewed_keys(visit, answer);
    }

    if (!visit.provider.keys) {
        return why_missing(answer);
    }

    return verify(visit);
}

SignatureCheck::Outcome SignatureCheck::verify(const Visit &visit)
{
    auto verdict = oidc::verify(jws_, visit.provider.keys.get(),
                                visit.party.client->client_secret);

    switch (verdict) {
    case oidc::Verdict::good:
        return Done{};
    case oidc::Verdict::bad:
        return Error{Code::forged,
                     std::string{token_} + "'s signature is wrong"};
    case oidc::Verdict::unknown_key:
        break;
    }

    if (has_renewed_) {
        is_doubtful_ = was_refused_;
        return Error{Code::forged, std::string{token_} +
                                       " is signed with a key that the "
                                       "provider does not publish"};
    }

    has_renewed_ = true;
    return fetch_keys(visit, renewed_);
}

SignatureCheck::Outcome SignatureCheck::take_renewed_keys(const Visit &visit,
                                                          const Answer &answer)
{
    // KEY-7: asked too often, so the keys we have are what counts
    was_refused_ = !answer && answer.error().code == Code::refused;
    if (answer || was_refused_) {
        return verify(visit);
    }

    return answer.error();
}

namespace {

Fetch fetch_keys(const Visit &visit, Once once)
{
    return {visit.provider.request_for(oidc::Document::keys), once};
}

} // namespace

} // namespace bff::flow
