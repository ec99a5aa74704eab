// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// GET jwks: the public keys by which the provider knows this client (CA-4).

#pragma once

#include "core/flow/story.hpp"

namespace bff::flow {

class JwksEndpoint final : public Story {
public:
    Step begin(const Visit &visit) override;
    Step resume(const Visit &visit, const Answer &answer) override;
};

} // namespace bff::flow
