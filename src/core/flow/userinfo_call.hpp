// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Asks the provider for userinfo, and believes the answer only when it is
// about the right person (UI-*).
//
// A part of a story, for the login and for the page that asks.

#pragma once

#include <optional>
#include <string>
#include <variant>

#include "core/base/json.hpp"
#include "core/base/secret.hpp"
#include "core/flow/signature_check.hpp"
#include "core/flow/story.hpp"

namespace bff::flow {

class UserinfoCall {
public:
    // `sub` is that of an ID token that passed its checks (IDT-18).
    UserinfoCall(Secret access_token, std::string sub);

    // The claims, all of them. Error: forged when the answer is no good; with
    // any other code there is none, which is a matter for provider_problem().
    using Outcome = std::variant<json::Value, Fetch, Error>;

    Outcome begin(const Visit &visit);
    Outcome resume(const Visit &visit, const Answer &answer); // after a Fetch

private:
    enum class Stage { metadata, userinfo, signature };

    Outcome ask(const Visit &visit);
    Outcome read(const Visit &visit, const Answer &answer);
    Outcome take_verdict(const Visit &visit, SignatureCheck::Outcome outcome);

    Secret access_token_;
    std::string sub_;
    Stage stage_ = Stage::metadata;
    std::optional<SignatureCheck> signed_;
};

} // namespace bff::flow
