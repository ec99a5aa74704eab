// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// A hash table of buckets in shared memory, and results beside it whose sizes
// have one bound together.

#include "store/flights.hpp"

#include <algorithm>
#include <cstring>

namespace bff::store {
namespace {

constexpr uint32_t kBucket = 8;
constexpr uint64_t kGraceMs = Flights::kGrace.count() * 1000ULL;
constexpr uint64_t kUndeliveredMs = 30 * 60 * 1000; // while there is room
constexpr uint64_t kFailedMs = 5 * 60 * 1000;
constexpr size_t kMostOctets = 16 * 1024; // three cookies with their names

using Outcome = Flights::Outcome;

Outcome outcome_of(const SharedFlight &flight)
{
    return static_cast<Outcome>(flight.outcome);
}

void set_outcome(SharedFlight &flight, Outcome outcome)
{
    flight.outcome = static_cast<uint32_t>(outcome);
}

// Time alone counts here: nobody asks the system under the lock.
bool is_flying(const SharedFlight &flight, uint64_t now)
{
    return flight.lease.number != 0 && now < flight.lease.ends;
}

bool is_forgotten(const SharedFlight &flight, uint64_t now)
{
    return !is_flying(flight, now) && now >= flight.until;
}

// Unlinked before it is freed: who is killed in between loses some memory.
void drop_result(ngx::ZoneLock &lock, SharedFlight &flight)
{
    auto *sealed = flight.sealed;
    flight.sealed = nullptr;
    flight.length = 0;
    lock.free(sealed);
}

void forget(ngx::ZoneLock &lock, SharedFlight &flight)
{
    set_outcome(flight, Outcome::none);
    flight.until = 0;
    drop_result(lock, flight);
}

// Who is on his way keeps his lease: only what has landed before goes.
void give_way(ngx::ZoneLock &lock, SharedFlight &flight, uint64_t now)
{
    if (!is_flying(flight, now)) {
        forget(lock, flight);
        return;
    }

    set_outcome(flight, Outcome::flying);
    drop_result(lock, flight);
}

// Forgets what has had its time and says how much is left. `oldest` is the
// result that is nearest to its end.
size_t sweep(ngx::ZoneLock &lock, const Shared &shared, uint64_t now,
             SharedFlight **oldest)
{
    size_t octets = 0;

    for (uint32_t i = 0; i < shared.flights_size; i++) {
        auto &flight = shared.flights[i];
        if (flight.sealed == nullptr) {
            continue;
        }
        if (is_forgotten(flight, now)) {
            forget(lock, flight);
            continue;
        }

        octets += flight.length;
        if (*oldest == nullptr || flight.until < (*oldest)->until) {
            *oldest = &flight;
        }
    }

    return octets;
}

// Room for so many octets, at the cost of the oldest results.
u_char *make_room(ngx::ZoneLock &lock, const Shared &shared, size_t octets,
                  uint64_t now)
{
    while (octets <= shared.flight_octets) {
        SharedFlight *oldest = nullptr;
        auto used = sweep(lock, shared, now, &oldest);

        if (used + octets <= shared.flight_octets) {
            if (auto *room = lock.make<u_char>(octets)) {
                return room;
            }
        }
        if (oldest == nullptr) {
            break;
        }
        give_way(lock, *oldest, now);
    }

    return nullptr;
}

} // namespace

bool Flights::Seen::is_over_for(uint32_t held) const
{
    return outcome == Outcome::over && generation >= held;
}

bool Flights::Seen::is_newer_than(uint32_t held) const
{
    return outcome == Outcome::landed && generation > held;
}

// --- finding; under the lock ---

SharedFlight *Flights::bucket_of(std::string_view session) const
{
    const auto &shared = *zone_.shared;
    uint32_t hash = 0;
    std::memcpy(&hash, session.data(), sizeof(hash)); // ids are random

    return shared.flights + hash % (shared.flights_size / kBucket) * kBucket;
}

SharedFlight *Flights::find(std::string_view session) const
{
    auto *bucket = bucket_of(session);

    for (uint32_t i = 0; i < kBucket; i++) {
        if (outcome_of(bucket[i]) != Outcome::none &&
            std::memcmp(bucket[i].session, session.data(), 16) == 0) {
            return &bucket[i];
        }
    }
    return nullptr;
}

SharedFlight *Flights::held(std::string_view session, uint64_t lease) const
{
    auto *flight = find(session);

    return flight != nullptr && flight->lease.number == lease ? flight
                                                              : nullptr;
}

// A free one, or the one that is nearest to its end; null when all fly.
SharedFlight *Flights::place_for(std::string_view session, uint64_t now) const
{
    auto *bucket = bucket_of(session);
    SharedFlight *place = nullptr;

    for (uint32_t i = 0; i < kBucket; i++) {
        if (!is_flying(bucket[i], now) &&
            (place == nullptr || bucket[i].until < place->until)) {
            place = &bucket[i];
        }
    }
    return place;
}

// --- flying ---

Flights::Seen Flights::look(std::string_view session, uint32_t held) const
{
    Seen seen;
    seen.sealed.resize(kMostOctets); // no allocation under the lock
    size_t length = 0;
    auto now = monotonic_now();

    {
        ngx::ZoneLock lock{zone_.pool};
        auto *flight = find(session);
        if (flight != nullptr) {
            seen.lease = flight->lease;
        }
        if (flight != nullptr && !is_forgotten(*flight, now)) {
            seen.outcome = outcome_of(*flight);
            seen.generation = flight->generation;
            seen.failures = flight->failures;
            seen.code = static_cast<Code>(flight->code);
            seen.try_again = flight->try_again;
            if (seen.is_newer_than(held) && flight->sealed != nullptr) {
                length = flight->length;
                std::memcpy(seen.sealed.data(), flight->sealed, length);
            }
        }
    }

    seen.sealed.resize(length);
    return seen;
}

std::optional<uint64_t> Flights::take_off(std::string_view session,
                                          const Seen &seen, uint64_t ends)
{
    auto now = monotonic_now();
    ngx::ZoneLock lock{zone_.pool};

    auto *flight = find(session);
    if ((flight == nullptr ? 0 : flight->lease.number) != seen.lease.number) {
        return std::nullopt;
    }

    if (flight == nullptr || is_forgotten(*flight, now)) {
        flight = flight == nullptr ? place_for(session, now) : flight;
        if (flight == nullptr) {
            return 0;
        }
        forget(lock, *flight);
        std::memcpy(flight->session, session.data(), 16);
        flight->generation = 0;
        flight->failures = 0;
        flight->try_again = 0;
    }

    auto number = ++zone_.shared->last_number;
    flight->lease.ends = ends;
    flight->lease.holder = ngx_pid;
    flight->lease.number = number;
    if (outcome_of(*flight) == Outcome::none) {
        set_outcome(*flight, Outcome::flying);
    }

    return number;
}

bool Flights::extend(std::string_view session, uint64_t lease, uint64_t ends)
{
    ngx::ZoneLock lock{zone_.pool};

    auto *flight = held(session, lease);
    if (flight != nullptr) {
        flight->lease.ends = ends;
    }
    return flight != nullptr;
}

Flights::Landing Flights::land(std::string_view session, uint64_t lease,
                               const Result &result)
{
    auto now = monotonic_now();
    auto length = result.sealed.size();
    ngx::ZoneLock lock{zone_.pool};

    auto *flight = held(session, lease);
    if (flight == nullptr) {
        return Landing::lost;
    }

    drop_result(lock, *flight);
    auto *room = length > 0 && length <= kMostOctets
                     ? make_room(lock, *zone_.shared, length, now)
                     : nullptr;
    if (room != nullptr) {
        std::memcpy(room, result.sealed.data(), length);
    }

    bool is_over = length == 0;
    set_outcome(*flight, Outcome::flying);
    flight->sealed = room;
    flight->length = room != nullptr ? static_cast<uint32_t>(length) : 0;
    flight->generation = result.generation + (is_over ? 0 : 1);
    flight->failures = 0;
    flight->try_again = now + result.wait;
    flight->until =
        now + std::max(is_over ? kGraceMs : kUndeliveredMs, result.wait);
    if (is_over || room != nullptr) {
        set_outcome(*flight, is_over ? Outcome::over : Outcome::landed);
    }
    flight->lease.ends = 0; // its number stays: who saw another is late

    if (result.is_early) {
        __atomic_store_n(&zone_.shared->early_until, now + kGraceMs,
                         __ATOMIC_RELAXED);
    }
    return is_over || room != nullptr ? Landing::done : Landing::no_room;
}

// What has landed before is still good for who has not seen it.
Flights::Landing Flights::fail(std::string_view session, uint64_t lease,
                               Code code, uint64_t wait)
{
    auto now = monotonic_now();
    ngx::ZoneLock lock{zone_.pool};

    auto *flight = held(session, lease);
    if (flight == nullptr) {
        return Landing::lost;
    }

    flight->code = static_cast<uint32_t>(code);
    flight->try_again = now + wait;
    flight->until = std::max(flight->until, now + kFailedMs + wait);
    flight->failures++;
    flight->lease.ends = 0; // its number stays: who saw another is late

    return Landing::done;
}

bool Flights::has_early() const
{
    auto until = __atomic_load_n(&zone_.shared->early_until, __ATOMIC_RELAXED);

    return until != 0 && monotonic_now() < until;
}

void Flights::delivered(std::string_view session, uint32_t generation)
{
    auto end = monotonic_now() + kGraceMs;
    ngx::ZoneLock lock{zone_.pool};

    auto *flight = find(session);
    if (flight != nullptr && outcome_of(*flight) == Outcome::landed &&
        flight->generation == generation) {
        flight->until =
            std::max(std::min(flight->until, end), flight->try_again);
    }
}

} // namespace bff::store
