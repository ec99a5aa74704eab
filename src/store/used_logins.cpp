// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Logins that were finished, by their state.

#include "store/used_logins.hpp"

#include "store/used_once.hpp"

namespace bff::store {

bool UsedLogins::claim(std::string_view state, Instant until)
{
    return claim_once(zone_, *zone_.shared->used_logins, state, until);
}

} // namespace bff::store
