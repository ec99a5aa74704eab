// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Refreshes of sessions: who makes one, and what came of it, for all workers.
//
// A worker that wants new tokens for a session takes the lease of its flight;
// all others see that somebody is on it. What comes of it lies here for those
// who still carry the old cookie: half a minute after a browser was told, and
// until the place is needed when none was. A worker that dies hands its lease
// on; a result that comes after the lease was lost is not kept (RT-5).
//
// Sessions lie here sealed, as their cookies are. Only who holds a session can
// ask for its flight, so nobody can fill the table with others.

#pragma once

#include <optional>
#include <string>

#include "core/base/result.hpp"
#include "store/shared.hpp"

namespace bff::store {

class Flights {
public:
    enum class Outcome : uint32_t {
        none,   // nobody has begun one, or it is forgotten
        flying, // somebody is on it, or was and died
        landed, // the session has new tokens
        over,   // the session has ended
        failed, // the session is as it was
    };

    // What there is, to be thought about without the lock.
    struct Seen {
        Outcome outcome = Outcome::none;
        Lease lease{};
        uint32_t generation = 0; // of `sealed`, or of what has ended
        uint64_t try_again = 0;
        Code code = Code::unavailable; // when failed
        uint32_t failures = 0;
        std::string sealed; // when landed and asked for

        // It tells something new to who holds this generation.
        bool is_over_for(uint32_t held) const;
        bool is_newer_than(uint32_t held) const;
    };

    explicit Flights(const SharedZone &zone) : zone_{zone} {}

    // `held`: what the asker has; the sealed session comes only when it is
    // newer.
    Seen look(std::string_view session, uint32_t held) const;

    // The lease's number; nullopt when somebody else was faster than `seen`,
    // or 0 when there is no place.
    std::optional<uint64_t> take_off(std::string_view session,
                                     const Seen &seen, uint64_t ends);
    // False: the lease was lost.
    bool extend(std::string_view session, uint64_t lease, uint64_t ends);

    struct Result {
        Outcome outcome; // landed, over or failed
        uint32_t generation;
        std::string_view sealed; // landed
        Code code;               // failed
        uint64_t wait;           // ms; no refresh that nobody waits for before
    };
    // False: the lease was lost, or there is no room for it.
    bool land(std::string_view session, uint64_t lease, const Result &result);

    // A browser was told: the result is needed for the others on their way.
    void delivered(std::string_view session, uint32_t generation);

private:
    SharedFlight *find(std::string_view session) const;
    SharedFlight *place_for(std::string_view session, uint64_t now) const;

    const SharedZone &zone_;
};

} // namespace bff::store
