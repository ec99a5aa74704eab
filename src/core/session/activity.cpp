// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Idleness is told from what the last cookie says, and a cookie is not written
// for each request.
//
// A clock that is set back leaves sessions whose last use lies ahead of it.
// They are sealed by us, so nobody has made that up, and a session that is in
// use must not end: such a use counts as one of this very moment. But it would
// do so until the clock has caught up, however idle the session; so the first
// request writes its own time over it.

#include "core/session/activity.hpp"

#include <algorithm>

namespace bff::session {
namespace {

constexpr int kParts = 10;           // of the idle time
constexpr Seconds kFinest{1};        // times are whole seconds
constexpr Seconds kClocksDiffer{60}; // from machine to machine

} // namespace

bool is_activity_due(const Session &session, Instant now)
{
    return session.idle &&
           now - session.active >= std::max(*session.idle / kParts, kFinest);
}

bool is_ahead(const Session &session, Instant now)
{
    return session.idle && session.active > now + kClocksDiffer;
}

Session used(Session session, Instant now)
{
    session.active = now;
    return session;
}

Session used_like(Session session, const Session &other)
{
    session.active = std::max(session.active, other.active);
    session.idle = other.idle;
    return session;
}

} // namespace bff::session
