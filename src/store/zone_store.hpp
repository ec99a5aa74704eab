// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Sessions in shared memory, each sealed with the key in its own cookie.

#pragma once

#include "core/crypto/entropy.hpp"
#include "core/session/opened_sessions.hpp"
#include "core/session/session_store.hpp"
#include "store/session_zone.hpp"

namespace bff::store {

class ZoneStore {
public:
    ZoneStore(const session::CookieStyle &style, crypto::Entropy &entropy,
              SessionZone &zone)
        : style_{style}, entropy_{entropy}, zone_{zone}
    {
    }

    // `handle`: the session as its cookie has it. `ticket`: see follow().
    using Ticket = SessionZone::Ticket;
    session::Found find(session::Session handle, Instant now,
                        Ticket *ticket = nullptr) const;
    // Is this still what is kept of it? If so, with its last use.
    bool follow(session::OpenedSessions::Opened &opened) const;

    // Gives the session a handle if it has none. Older generations never
    // replace newer ones. Errors: unavailable (no random bytes, no room).
    Result<Done> keep(session::Session &session) const;

    // It is in use.
    void touch(const session::Session &session, Instant now) const;
    void remove(const session::Session &session) const;

private:
    const session::CookieStyle &style_;
    crypto::Entropy &entropy_;
    SessionZone &zone_;
};

} // namespace bff::store
