// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Is this token signed by the provider? Asks for the provider's keys when
// they are missing, and once more when they do not tell (KEY-6, KEY-7).
//
// A part of a story, for whatever the provider signs: it says what to fetch,
// or what came of it.

#pragma once

#include <string_view>
#include <variant>

#include "core/base/result.hpp"
#include "core/flow/story.hpp"
#include "core/oidc/jws.hpp"

namespace bff::flow {

class SignatureCheck {
public:
    // `token` names it in sentences ("the ID token"); a literal. `renewed`:
    // on whose account newer keys are asked for.
    SignatureCheck(oidc::Jws jws, std::string_view token,
                   Once renewed = Once::renewed_keys);

    // Done: the signature is good. Error: forged when it is the token's
    // fault; with any other code the keys cannot be had, which is a matter
    // for provider_problem().
    using Outcome = std::variant<Done, Fetch, Error>;

    Outcome begin(const Visit &visit);
    Outcome resume(const Visit &visit, const Answer &answer); // after a Fetch

    // Of a forged token: newer keys may know it, but they were asked for too
    // often.
    bool is_doubtful() const noexcept { return is_doubtful_; }

    const oidc::Jws &jws() const noexcept { return jws_; }

private:
    Outcome verify(const Visit &visit);
    Outcome take_renewed_keys(const Visit &visit, const Answer &answer);

    oidc::Jws jws_;
    std::string_view token_;
    Once renewed_;
    bool has_renewed_ = false; // the second question was asked
    bool was_refused_ = false; // and not passed on
    bool is_doubtful_ = false;
};

} // namespace bff::flow
