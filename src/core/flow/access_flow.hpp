// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Any request to a protected location: pass with the token, log in, or
// refuse.

#pragma once

#include <memory>

#include "core/flow/login_start.hpp"
#include "core/flow/policy.hpp"
#include "core/flow/story.hpp"

namespace bff::flow {

class AccessFlow final : public Story {
public:
    explicit AccessFlow(Policy policy) : policy_{policy} {}

    Step begin(const Visit &visit) override;
    Step resume(const Visit &visit, const Answer &answer) override;

private:
    Step with_session(const Visit &visit, const session::Session &session);
    Step after_refresh(const Visit &visit, const Answer &answer);
    Step without_session(const Visit &visit);

    Policy policy_;
    std::unique_ptr<LoginStart> login_;
};

} // namespace bff::flow
