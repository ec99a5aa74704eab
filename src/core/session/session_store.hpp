// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What a store is asked to do with a session, and what it found.

#pragma once

#include <optional>
#include <variant>

#include "core/session/session.hpp"

namespace bff::session {

struct Keep {}; // leave it as it is
// The browser gets it anew with the answer, with the newest tokens there are
// by then; `is_used`: with that moment as the last use.
struct Rewrite {
    bool is_used = false;
};
struct Save {
    Session session;
};                // the browser gets this one
struct Forget {}; // the browser loses it

using Change = std::variant<Keep, Rewrite, Save, Forget>;

// What came with a request.
struct Found {
    enum class State {
        none,    // no cookie of ours
        active,  // `session` is set
        expired, // it was a session, its time is over
        revoked, // it was one, and somebody has ended it
        forged,  // cookies of ours that are no session
        mixed,   // likewise, but perhaps in a moment: see may_be_mixed()
    };

    State state = State::none;
    SharedSession session; // when active
    bool is_newer = false; // than what the browser has: it is to be told
    // When expired, because its store has it no more: what its cookie tells.
    SharedSession lost = {};
    // The epoch of the revocations of which none ends it; unset: not known.
    std::optional<uint64_t> unrevoked_at = std::nullopt;

    bool has_cookies() const { return state != State::none; }
};

// What was found `before`, now that its tokens were renewed. Who has a handle
// has nothing new to be told, unless it is another one.
inline Found renewed(const Found &before, Session session)
{
    bool is_known = before.session && !session.handle.empty() &&
                    equal_in_constant_time(before.session->handle.reveal(),
                                           session.handle.reveal());

    return {Found::State::active, std::move(session), !is_known};
}

} // namespace bff::session
