// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// GET userinfo: what the provider says now about who is logged in.

#pragma once

#include <optional>

#include "core/flow/story.hpp"
#include "core/flow/userinfo_call.hpp"

namespace bff::flow {

class UserinfoEndpoint final : public Story {
public:
    Step begin(const Visit &visit) override;
    Step resume(const Visit &visit, const Answer &answer) override;

private:
    Step ask(const Visit &visit);

    std::optional<UserinfoCall> call_;
};

} // namespace bff::flow
