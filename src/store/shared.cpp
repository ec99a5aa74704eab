// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Lays out a new zone, or takes over one that was kept.

#include "store/shared.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <ctime>

namespace bff::store {
namespace {

// Parts of the zone: 8m keep some 20,000 finished logins, 10,000 sessions that
// were ended, a quarter of that which nobody has proven, 2,900 refreshes
// within half a minute, and 150 sessions that are too large for cookies.
constexpr size_t kLogins = 16;
constexpr size_t kTokens = 64;
constexpr size_t kRevocations = 16;
constexpr size_t kUnproven = 64;
constexpr size_t kFlights = 32;
constexpr size_t kFlightResults = 4;
constexpr size_t kSessions = 4;

constexpr size_t kBucket = 8; // the least that any of them holds

size_t entries_for(size_t octets, size_t entry)
{
    return std::max(octets / entry / kBucket, size_t{1}) * kBucket;
}

SharedFlight *make_flights(ngx::ZoneLock &lock, Shared *shared, size_t octets)
{
    auto size = entries_for(octets / kFlights, sizeof(SharedFlight));
    shared->flights_size = static_cast<uint32_t>(size);
    shared->flight_results = make_session_table(lock, octets / kFlightResults);
    return lock.make<SharedFlight>(size * sizeof(SharedFlight));
}

UsedOnceTable *make_table(ngx::ZoneLock &lock, size_t octets)
{
    auto size = entries_for(octets, sizeof(UsedOnce));
    auto *table = lock.make<UsedOnceTable>(sizeof(UsedOnceTable) +
                                           size * sizeof(UsedOnce));
    if (table != nullptr) {
        table->size = size;
    }
    return table;
}

RevocationRing *make_ring(ngx::ZoneLock &lock, size_t octets)
{
    auto size = entries_for(octets, sizeof(RevocationSlot));
    auto *ring = lock.make<RevocationRing>(sizeof(RevocationRing) +
                                           size * sizeof(RevocationSlot));
    if (ring != nullptr) {
        ring->size = size;
    }
    return ring;
}

Shared *lay_out(ngx_slab_pool_t *pool, size_t octets)
{
    ngx::ZoneLock lock{pool};

    auto *shared = lock.make<Shared>();
    if (shared == nullptr) {
        return nullptr;
    }

    shared->layout = SharedZone::kLayout;
    shared->flights = make_flights(lock, shared, octets);
    shared->used_logins = make_table(lock, octets / kLogins);
    shared->used_tokens = make_table(lock, octets / kTokens);
    shared->revocations = make_ring(lock, octets / kRevocations);
    shared->unproven_revocations = make_ring(lock, octets / kUnproven);
    shared->sessions = make_session_table(lock, octets / kSessions);
    if (!shared->flights || !shared->flight_results || !shared->used_logins ||
        !shared->used_tokens || !shared->revocations ||
        !shared->unproven_revocations || !shared->sessions) {
        return nullptr;
    }

    pool->data = shared;
    return shared;
}

} // namespace

Result<Done> SharedZone::open(ngx_shm_zone_t *zone, bool is_kept)
{
    pool = ngx::slab(zone);

    if (is_kept || zone->shm.exists) {
        shared = static_cast<Shared *>(pool->data);
        if (shared == nullptr || shared->layout != kLayout) {
            return Error{Code::misconfigured,
                         "the shared memory was left by another version: "
                         "give \"bff_zone\" another name, or restart"};
        }
        sessions.use(pool, shared->sessions);
        return Done{};
    }

    pool->log_nomem = 0;
    shared = lay_out(pool, zone->shm.size);
    if (shared == nullptr) {
        return Error{Code::misconfigured, "\"bff_zone\" is too small"};
    }
    sessions.use(pool, shared->sessions);

    return Done{};
}

bool Lease::is_held(uint64_t now) const noexcept
{
    if (number == 0 || now >= ends) {
        return false;
    }
    return kill(holder, 0) == 0 || errno != ESRCH;
}

uint64_t monotonic_now() noexcept
{
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<uint64_t>(now.tv_sec) * 1000 +
           static_cast<uint64_t>(now.tv_nsec) / 1000000;
}

} // namespace bff::store
