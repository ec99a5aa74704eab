// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// POST refresh: new tokens now, for a page that wants them before they are
// due.

#pragma once

#include "core/flow/story.hpp"

namespace bff::flow {

class RefreshEndpoint final : public Story {
public:
    Step begin(const Visit &visit) override;
    Step resume(const Visit &visit, const Answer &answer) override;
};

} // namespace bff::flow
