// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Which logout tokens came already, so that each works once (LT-8). Shared by
// all workers.

#pragma once

#include <string_view>

#include "core/base/instant.hpp"

namespace bff::session {

class UsedTokens {
public:
    virtual ~UsedTokens() = default;

    // True for the first who claims this jti of this issuer's, false for all
    // others.
    virtual bool claim(std::string_view issuer, std::string_view jti,
                       Instant until) = 0;
};

} // namespace bff::session
