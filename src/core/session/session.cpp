// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What we remember about a browser that has logged in.

#include "core/session/session.hpp"

namespace bff::session {

// Who has it to himself may do so in place.
void SharedSession::set_active(Instant active)
{
    if (!is_shared()) {
        place_->session.active = active;
        return;
    }

    auto session = place_->session;
    session.active = active;
    *this = std::move(session);
}

void SharedSession::let_go() noexcept
{
    if (place_->is_lent) {
        place_->session = {};
    } else {
        delete place_;
    }
}

} // namespace bff::session
