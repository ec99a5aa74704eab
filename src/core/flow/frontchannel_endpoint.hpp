// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// GET frontchannel: the provider's logout page shows it in a frame, and a
// session ends (FCL-*).

#pragma once

#include "core/flow/story.hpp"

namespace bff::flow {

class FrontchannelEndpoint final : public Story {
public:
    Step begin(const Visit &visit) override;
    Step resume(const Visit &visit, const Answer &answer) override;
};

} // namespace bff::flow
