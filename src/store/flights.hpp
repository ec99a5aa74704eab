// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Refreshes of sessions: who makes one, and what came of it, for all workers.
//
// A worker that wants new tokens for a session takes the lease of its flight;
// all others see that somebody is on it. What comes of it lies here for those
// who still carry the old cookie: half a minute after a browser was told, and
// until the place is needed when none was. A worker that dies hands its lease
// on; a result that comes after the lease was lost is not kept (RT-5).
//
// Who looks takes no lock, unless somebody writes in the same moment.
//
// Sessions lie here sealed, as their cookies are. Only who holds a session can
// ask for its flight, so nobody can fill the table with others.

#pragma once

#include <optional>
#include <string>

#include "core/base/instant.hpp"
#include "core/base/result.hpp"
#include "store/shared.hpp"

namespace bff::store {

class Flights {
public:
    // For who still carries the old cookie, after a browser was told.
    static constexpr Seconds kGrace{30};

    enum class Outcome : uint32_t {
        none,   // nobody has begun one, or it is forgotten
        flying, // somebody is on it, or was and died
        landed, // the session has new tokens
        over,   // the session has ended
    };

    // What there is, to be thought about without the lock.
    struct Seen {
        Outcome outcome = Outcome::none;
        Lease lease{};
        uint32_t generation = 0;       // of `sealed`, or of what has ended
        uint32_t failures = 0;         // in a row, since then
        Code code = Code::unavailable; // of the last one
        uint64_t try_again = 0;        // no refresh before, unless it must be
        uint64_t early_paid = 0; // those that need not have been, till then
        std::string sealed;      // when it is newer

        // It tells something new to who holds this generation.
        bool is_over_for(uint32_t held) const;
        bool is_newer_than(uint32_t held) const;
        // One more that is not due: twenty at once, then two in three seconds.
        bool may_be_early(uint64_t now) const;
    };

    explicit Flights(const SharedZone &zone) : zone_{zone} {}

    // `held`: what the asker has; the sealed session comes only when it is
    // newer.
    Seen look(std::string_view session, uint32_t held) const;

    // The lease's number; 0 when there is no place, nullopt when somebody
    // else was faster than who has `seen` this.
    std::optional<uint64_t> take_off(std::string_view session, const Seen &seen,
                                     uint64_t ends, bool is_early);
    // False: the lease was lost.
    bool extend(std::string_view session, uint64_t lease, uint64_t ends);

    struct Result {
        uint32_t generation;     // of the session that was asked for
        std::string_view sealed; // the next one; empty: it is over
        uint64_t wait = 0;       // ms, before the next one
        bool is_early = false;   // the old token was not due, or never is
        uint64_t spare = 0;      // ms, before it is
    };
    enum class Landing { done, lost, no_room };
    // lost: the lease was, so nothing is kept.
    Landing land(std::string_view session, uint64_t lease,
                 const Result &result);
    Landing fail(std::string_view session, uint64_t lease, Code code,
                 uint64_t wait);

    // Somebody may hold a token of this session, or of one in 64 others, that
    // is good, but not the newest. Takes no lock.
    bool has_early(std::string_view session) const;

    // A browser was told: the result is needed for the others on their way.
    void delivered(std::string_view session, uint32_t generation);

private:
    class Change;

    std::optional<Seen> look_unlocked(std::string_view session,
                                      uint32_t held) const;
    Seen look_locked(std::string_view session, uint32_t held) const;
    SharedFlight *bucket_of(std::string_view session) const;
    SharedFlight *find(std::string_view session) const;
    SharedFlight *held(std::string_view session, uint64_t lease) const;
    SharedFlight *place_for(std::string_view session, uint64_t now) const;
    bool keep(std::string_view session, uint32_t generation,
              std::string_view sealed) const;

    const SharedZone &zone_;
};

} // namespace bff::store
