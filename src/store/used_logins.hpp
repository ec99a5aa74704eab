// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Logins that were finished, remembered by all workers for as long as their
// cookies could be used again: a callback works once (BCP-6, CB-7).
//
// Only who holds a sealed login cookie gets in here, so nobody can fill it
// with made-up states; when a bucket is full the oldest entry goes.

#pragma once

#include "core/session/used_logins.hpp"
#include "store/shared.hpp"

namespace bff::store {

class UsedLogins final : public session::UsedLogins {
public:
    explicit UsedLogins(const SharedZone &zone) : zone_{zone} {}

    bool claim(std::string_view state, Instant until) override;

private:
    const SharedZone &zone_;
};

} // namespace bff::store
