// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// POST backchannel: the provider itself ends sessions (LT-*).

#pragma once

#include <optional>

#include "core/flow/signature_check.hpp"
#include "core/flow/story.hpp"

namespace bff::flow {

class BackchannelEndpoint final : public Story {
public:
    Step begin(const Visit &visit) override;
    Step resume(const Visit &visit, const Answer &answer) override;

private:
    Step take_verdict(const Visit &visit, SignatureCheck::Outcome outcome);

    std::optional<SignatureCheck> signed_;
    bool waits_for_metadata_ = false;
};

} // namespace bff::flow
