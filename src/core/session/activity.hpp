// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// When the use of a session is written down, so that it does not end for want
// of it.

#pragma once

#include "core/session/session.hpp"

namespace bff::session {

// A request that counts would be news: it comes a tenth of the idle time, and
// at least a second, after the last one that was written down.
bool is_activity_due(const Session &session, Instant now);

// Written down by a clock that was ahead of ours, and by more than those of
// several machines differ.
bool is_ahead(const Session &session, Instant now);

// As it stands once this moment is written down.
Session used(Session session, Instant now);

// The same session as another cookie has it, which may know of a later use.
Session used_like(Session session, const Session &other);

} // namespace bff::session
