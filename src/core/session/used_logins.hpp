// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Which logins were finished, so that a callback works once, also when
// somebody kept its cookie (BCP-6, CB-7). Shared by all workers.

#pragma once

#include <string_view>

#include "core/base/instant.hpp"

namespace bff::session {

class UsedLogins {
public:
    virtual ~UsedLogins() = default;

    // True for the first who claims this state, false for all others.
    virtual bool claim(std::string_view state, Instant until) = 0;
};

} // namespace bff::session
