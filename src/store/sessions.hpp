// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Where a provider's sessions live: in their cookies; or in shared memory, if
// they are too large for that, or are wanted there.

#pragma once

#include "core/session/opened_sessions.hpp"
#include "core/session/revocations.hpp"
#include "store/cookie_store.hpp"
#include "store/zone_store.hpp"

namespace bff::store {

class Sessions {
public:
    enum class Place { cookie, zone };

    struct Seals { // as long as the provider
        const session::CookieStyle &style;
        const crypto::Keyring &keys;
        crypto::Entropy &entropy;
    };
    struct World { // longer
        SessionZone &zone;
        session::OpenedSessions &opened;
        session::Revocations &revocations;
    };

    // place: of a new session that would fit either.
    Sessions(const Seals &seals, Place place, const World &world)
        : cookies_{seals.style, seals.keys, seals.entropy}, zone_{seals.style,
                                                                  seals.entropy,
                                                                  world.zone},
          place_{place}, opened_{world.opened}, revocations_{world.revocations}
    {
    }

    session::Found find(std::string_view cookie_header, Instant now) const;

    // The same for a request that hardly needs anything of it: a session that
    // was looked at before is brief.
    session::Found look(const web::OurCookies &cookies, Instant now) const;

    // Does it, and says what the browser must be told; `before` is what was
    // found in the cookies that it came with. Errors: unavailable (no random
    // bytes), no_room.
    Result<std::vector<web::SetCookie>>
    apply(const session::Change &change, const session::Found &before) const;

    // Keeps a session whose tokens were renewed: it may move on this occasion.
    // The result is as a browser would send it, for who is to find it later.
    // Errors: as above.
    Result<std::string> keep(session::Session &session) const;

    // It is in use; for one that is not in its cookie.
    void touch(const session::Session &session, Instant now) const;

    void remove(const session::Session &session) const;

private:
    using Cookies = Result<std::vector<web::SetCookie>>;
    using Sent = std::optional<std::string_view>; // nullopt: not known
    bool is_still_good(session::OpenedSessions::Opened &known,
                       Instant now) const;
    Cookies settle(session::Session &session, Place place, Sent sent) const;

    CookieStore cookies_;
    ZoneStore zone_;
    Place place_;
    session::OpenedSessions &opened_;
    session::Revocations &revocations_;
};

} // namespace bff::store
