// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// A hash table of buckets in shared memory, and a table of the sessions that
// have come of them.

#include "store/flights.hpp"

#include <algorithm>
#include <cstring>

namespace bff::store {
namespace {

constexpr uint32_t kBucket = 8;
constexpr uint64_t kGraceMs = Flights::kGrace.count() * 1000ULL;
constexpr uint64_t kUndeliveredMs = 30 * 60 * 1000; // while there is room
constexpr uint64_t kFailedMs = 5 * 60 * 1000;
constexpr uint64_t kEarlyMs = 1500;       // each that is not due costs so much
constexpr uint64_t kEarly = 20;           // and so many have credit
constexpr size_t kMostOctets = 16 * 1024; // three cookies with their names
constexpr uint32_t kSwept = 64;
constexpr int kTries = 4; // without the lock

using Outcome = Flights::Outcome;

Outcome outcome_of(const SharedFlight &flight)
{
    return static_cast<Outcome>(flight.outcome);
}

void set_outcome(SharedFlight &flight, Outcome outcome)
{
    put(flight.outcome, static_cast<uint32_t>(outcome));
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

session::SessionTable results_of(const Shared &shared)
{
    return session::SessionTable{shared.flight_results};
}

std::string_view id_of(const SharedFlight &flight)
{
    return {reinterpret_cast<const char *>(flight.session),
            sizeof(flight.session)};
}

bool is_of(const SharedFlight &flight, const uint64_t (&id)[2])
{
    return load(flight.session[0]) == id[0] && load(flight.session[1]) == id[1];
}

// Each of its words is one that was there.
SharedFlight copy_of(const SharedFlight &flight)
{
    return {
        .session = {load(flight.session[0]), load(flight.session[1])},
        .outcome = load(flight.outcome),
        .generation = load(flight.generation),
        .failures = load(flight.failures),
        .code = load(flight.code),
        .lease = {load(flight.lease.number), load(flight.lease.ends),
                  load(flight.lease.holder)},
        .try_again = load(flight.try_again),
        .until = load(flight.until),
        .early_paid = load(flight.early_paid),
    };
}

// An id is random, so any octet of it is a good number.
uint64_t &early_until(Shared &shared, std::string_view session)
{
    auto octet = static_cast<unsigned char>(session.front());
    return shared.early_until[octet % Shared::kEarly];
}

void forget(const Shared &shared, SharedFlight &flight)
{
    set_outcome(flight, Outcome::none);
    put(flight.until, 0);
    results_of(shared).remove(id_of(flight));
}

// A part of all flights with each landing, so that what has had its time makes
// room before anything else has to.
void sweep(Shared &shared, uint64_t now)
{
    for (uint32_t i = 0; i < std::min(kSwept, shared.flights_size); i++) {
        auto &flight =
            shared.flights[shared.flights_swept++ % shared.flights_size];
        if (outcome_of(flight) != Outcome::none && is_forgotten(flight, now)) {
            forget(shared, flight);
        }
    }
}

void begin(SharedFlight &flight, std::string_view session)
{
    uint64_t id[2];
    std::memcpy(id, session.data(), sizeof(id));
    put(flight.session[0], id[0]);
    put(flight.session[1], id[1]);

    put(flight.generation, 0);
    put(flight.failures, 0);
    put(flight.try_again, 0);
    put(flight.early_paid, 0);
}

// What there is to know of a flight.
Flights::Seen seen_of(const SharedFlight &flight, uint64_t now)
{
    Flights::Seen seen;
    seen.lease = flight.lease;

    if (!is_forgotten(flight, now)) {
        seen.outcome = outcome_of(flight);
        seen.generation = flight.generation;
        seen.failures = flight.failures;
        seen.code = static_cast<Code>(flight.code);
        seen.try_again = flight.try_again;
        seen.early_paid = flight.early_paid;
    }
    return seen;
}

// The session with these tokens; empty: it had to give way.
std::string result_of(const Shared &shared, std::string_view session,
                      uint32_t generation)
{
    auto results = results_of(shared);
    auto found = results.glance(session);
    if (!found || found->record.generation != generation) {
        return {};
    }

    std::string sealed(found->length, '\0');
    return results.read(found->ticket, sealed) ? sealed : std::string{};
}

bool is_odd(uint64_t number)
{
    return number % 2 != 0;
}

} // namespace

// Under way from here to the end of a scope, under the lock.
class Flights::Change {
public:
    // It is odd already if somebody died; then this is his end as well.
    explicit Change(Shared &shared) noexcept : version_{shared.flights_version}
    {
        put_now(version_ + (is_odd(version_) ? 2 : 1));
    }
    ~Change() { put_now(version_ + 1); }

    Change(const Change &) = delete;
    Change &operator=(const Change &) = delete;

private:
    void put_now(uint64_t version) noexcept
    {
        __atomic_store_n(&version_, version, __ATOMIC_SEQ_CST);
    }

    uint64_t &version_;
};

bool Flights::Seen::is_over_for(uint32_t held) const
{
    return outcome == Outcome::over && generation >= held;
}

bool Flights::Seen::is_newer_than(uint32_t held) const
{
    return outcome == Outcome::landed && generation > held;
}

// A flight is remembered for as long as its credit is in use.
bool Flights::Seen::may_be_early(uint64_t now) const
{
    static_assert(kEarly * kEarlyMs <= kGraceMs);
    return early_paid <= now + (kEarly - 1) * kEarlyMs;
}

// --- finding ---

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
    uint64_t id[2];
    std::memcpy(id, session.data(), sizeof(id));

    for (uint32_t i = 0; i < kBucket; i++) {
        if (is_of(bucket[i], id) && load(bucket[i].outcome) != 0) {
            return &bucket[i];
        }
    }
    return nullptr;
}

// Under the lock, like all that follows but for looking.
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

// --- looking ---

Flights::Seen Flights::look(std::string_view session, uint32_t held) const
{
    auto seen = look_unlocked(session, held);
    return seen ? std::move(*seen) : look_locked(session, held);
}

// Nothing: somebody changes them all the time, or has died doing so.
std::optional<Flights::Seen> Flights::look_unlocked(std::string_view session,
                                                    uint32_t held) const
{
    const auto &shared = *zone_.shared;

    for (int i = 0; i < kTries; i++) {
        auto version = load(shared.flights_version);
        if (is_odd(version)) {
            break;
        }

        Seen seen;
        if (const auto *flight = find(session)) {
            seen = seen_of(copy_of(*flight), monotonic_now());
        }
        if (seen.is_newer_than(held)) {
            seen.sealed = result_of(shared, session, seen.generation);
        }
        if (load(shared.flights_version) == version) {
            return seen;
        }
    }
    return std::nullopt;
}

Flights::Seen Flights::look_locked(std::string_view session,
                                   uint32_t held) const
{
    std::string sealed(kMostOctets, '\0'); // no allocation under the lock
    size_t length = 0;
    Seen seen;
    auto now = monotonic_now();

    {
        ngx::ZoneLock lock{zone_.pool};
        if (is_odd(zone_.shared->flights_version)) {
            Change ended{*zone_.shared};
        }

        if (const auto *flight = find(session)) {
            seen = seen_of(*flight, now);
        }
        if (seen.is_newer_than(held)) {
            auto found = results_of(*zone_.shared).look(session, sealed);
            bool is_there = found && found->length <= sealed.size() &&
                            found->record.generation == seen.generation;
            length = is_there ? found->length : 0;
        }
    }

    sealed.resize(length);
    seen.sealed = std::move(sealed);
    return seen;
}

// --- flying ---

std::optional<uint64_t> Flights::take_off(std::string_view session,
                                          const Seen &seen, uint64_t ends,
                                          bool is_early)
{
    auto now = monotonic_now();
    ngx::ZoneLock lock{zone_.pool};
    Change change{*zone_.shared};

    auto *flight = find(session);
    if ((flight == nullptr ? 0 : flight->lease.number) != seen.lease.number) {
        return std::nullopt;
    }

    if (flight == nullptr || is_forgotten(*flight, now)) {
        flight = flight == nullptr ? place_for(session, now) : flight;
        if (flight == nullptr) {
            return 0;
        }
        // else its session may have another place by now, and a result
        if (outcome_of(*flight) != Outcome::none) {
            forget(*zone_.shared, *flight);
        }
        begin(*flight, session);
    }
    if (is_early) {
        put(flight->early_paid, std::max(flight->early_paid, now) + kEarlyMs);
    }

    auto number = ++zone_.shared->last_number;
    flight->lease.take(number, ends);
    if (outcome_of(*flight) == Outcome::none) {
        set_outcome(*flight, Outcome::flying);
    }

    return number;
}

bool Flights::extend(std::string_view session, uint64_t lease, uint64_t ends)
{
    ngx::ZoneLock lock{zone_.pool};
    Change change{*zone_.shared};

    auto *flight = held(session, lease);
    if (flight != nullptr) {
        put(flight->lease.ends, ends);
    }
    return flight != nullptr;
}

Flights::Landing Flights::land(std::string_view session, uint64_t lease,
                               const Result &result)
{
    auto now = monotonic_now();
    bool is_over = result.sealed.empty();
    auto generation = result.generation + (is_over ? 0 : 1);
    ngx::ZoneLock lock{zone_.pool};
    Change change{*zone_.shared};

    auto *flight = held(session, lease);
    if (flight == nullptr) {
        return Landing::lost;
    }

    // until it has landed it is one whose maker may have died
    set_outcome(*flight, Outcome::flying);

    sweep(*zone_.shared, now);
    bool is_kept = is_over || keep(session, generation, result.sealed);
    put(flight->generation, generation);
    put(flight->failures, 0);
    put(flight->try_again, now + result.wait);
    put(flight->until,
        now + std::max(is_over ? kGraceMs : kUndeliveredMs, result.wait) +
            result.spare);
    if (is_kept) {
        set_outcome(*flight, is_over ? Outcome::over : Outcome::landed);
    }
    flight->lease.end();

    if (result.is_early) {
        __atomic_store_n(&early_until(*zone_.shared, session), now + kGraceMs,
                         __ATOMIC_RELAXED);
    }
    return is_kept ? Landing::done : Landing::no_room;
}

// At the cost of the oldest results; their flights are none the less.
bool Flights::keep(std::string_view session, uint32_t generation,
                   std::string_view sealed) const
{
    if (sealed.size() > kMostOctets) {
        return false;
    }

    auto results = results_of(*zone_.shared);
    results.remove(session); // of another flight, that is forgotten
    auto done = results.put(session, {generation, {}, {}}, sealed, {});
    return done.outcome == session::SessionTable::Put::Outcome::done;
}

// What has landed before is still good for who has not seen it.
Flights::Landing Flights::fail(std::string_view session, uint64_t lease,
                               Code code, uint64_t wait)
{
    auto now = monotonic_now();
    ngx::ZoneLock lock{zone_.pool};
    Change change{*zone_.shared};

    auto *flight = held(session, lease);
    if (flight == nullptr) {
        return Landing::lost;
    }

    put(flight->code, static_cast<uint32_t>(code));
    put(flight->try_again, now + wait);
    put(flight->until, std::max(flight->until, now + kFailedMs + wait));
    put(flight->failures, flight->failures + 1);
    flight->lease.end();

    return Landing::done;
}

bool Flights::has_early(std::string_view session) const
{
    auto until =
        __atomic_load_n(&early_until(*zone_.shared, session), __ATOMIC_RELAXED);

    return until != 0 && find(session) != nullptr && monotonic_now() < until;
}

void Flights::delivered(std::string_view session, uint32_t generation)
{
    auto end = monotonic_now() + kGraceMs;
    ngx::ZoneLock lock{zone_.pool};
    Change change{*zone_.shared};

    auto *flight = find(session);
    if (flight != nullptr && outcome_of(*flight) == Outcome::landed &&
        flight->generation == generation) {
        put(flight->until,
            std::max(std::min(flight->until, end), flight->try_again));
    }
}

} // namespace bff::store
