// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Sessions that were ended before their time, so that a cookie that somebody
// kept is worth nothing (LT-10). Shared by all workers.

#pragma once

#include <array>
#include <string_view>

#include "core/base/instant.hpp"
#include "core/session/session.hpp"
#include "core/session/session_store.hpp"

namespace bff::session {

// What a revocation names: one session, or all that share something.
struct RevokedName {
    // over: one session as well, but nobody has logged out
    enum class Kind : uint32_t { session = 1, sid, sub, sid_and_sub, over };

    Kind kind;
    std::array<char, 16> octets;

    bool operator==(const RevokedName &) const = default;
};

struct Revocation {
    RevokedName name;
    Moment not_before; // sessions that began later are others
    Instant until;     // no session that it ends lives longer
};

class Revocations {
public:
    virtual ~Revocations() = default;

    virtual void add(const Revocation &revocation) = 0;

    // For a wish that anybody can utter: it may push out others of its kind,
    // but none that was added by add().
    virtual void add_unproven(const Revocation &revocation) = 0;

    // Another one whenever something was added: who was not ended as long as
    // this is the same is not ended now. To be asked for before he is looked
    // for.
    virtual uint64_t epoch() const noexcept = 0;

    virtual bool is_empty() = 0;
    virtual bool ends(const RevokedName &name, Moment created) = 0;
};

// This very session, until its own end.
Revocation revocation_of(const Session &session, Moment now);

// The same, of one that has ended for another reason.
Revocation end_of(const Session &session, Moment now);

// LT-7: of a sid, of a sub, or of sessions that have both; "" leaves one out,
// but not both.
Revocation revocation_of(std::string_view issuer, std::string_view sid,
                         std::string_view sub, Moment now, Seconds lifetime);

bool is_revoked(const Session &session, Revocations &revocations);

// What was found, as it stands now.
void end_if_revoked(Found &found, Revocations &revocations);
Found without_revoked(Found found, Revocations &revocations);

} // namespace bff::session
