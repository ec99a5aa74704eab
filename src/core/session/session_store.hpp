// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What a store is asked to do with a session, and what it found.

#pragma once

#include <optional>
#include <variant>

#include "core/session/session.hpp"

namespace bff::session {

struct Keep {}; // leave it as it is
struct Save {
    Session session;
};                // the browser gets this one
struct Forget {}; // the browser loses it

using Change = std::variant<Keep, Save, Forget>;

// What came with a request.
struct Found {
    enum class State {
        none,    // no cookie of ours
        active,  // `session` is set
        expired, // it was a session, its time is over
        revoked, // it was one, and somebody has ended it
        forged,  // cookies of ours that are no session
    };

    State state = State::none;
    std::optional<Session> session; // when active
    bool is_newer = false; // than the browser's: its tokens were renewed

    bool has_cookies() const { return state != State::none; }
};

} // namespace bff::session
