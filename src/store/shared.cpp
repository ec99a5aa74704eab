// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Lays out a new zone, or takes over one that was kept.

#include "store/shared.hpp"

#include <cerrno>
#include <csignal>
#include <ctime>

namespace bff::store {
namespace {

// One in 16 octets of the zone, so that 8m keep some 20,000 finished logins.
uint32_t used_logins_for(const ngx_shm_zone_t *zone)
{
    auto entries = zone->shm.size / 16 / sizeof(UsedLogin);
    return static_cast<uint32_t>(entries / 8 * 8);
}

// One in 32, so that 8m have some 2,900 refreshes within half a minute.
uint32_t flights_for(const ngx_shm_zone_t *zone)
{
    auto entries = zone->shm.size / 32 / sizeof(SharedFlight);
    return static_cast<uint32_t>(entries / 8 * 8);
}

struct Sizes {
    uint32_t used_logins;
    uint32_t flights;
    uint32_t flight_octets;
};

Shared *lay_out(ngx_slab_pool_t *pool, const Sizes &sizes)
{
    ngx::ZoneLock lock{pool};

    auto *shared = lock.make<Shared>();
    auto *table = lock.make<UsedLogin>(sizes.used_logins * sizeof(UsedLogin));
    auto *flights =
        lock.make<SharedFlight>(sizes.flights * sizeof(SharedFlight));
    if (shared == nullptr || table == nullptr || flights == nullptr) {
        return nullptr;
    }

    shared->layout = kLayout;
    shared->used_logins_size = sizes.used_logins;
    shared->used_logins = table;
    shared->flights_size = sizes.flights;
    shared->flight_octets = sizes.flight_octets;
    shared->flights = flights;
    pool->data = shared;

    return shared;
}

} // namespace

Result<Done> SharedZone::open(ngx_shm_zone_t *zone, bool old)
{
    pool = ngx::slab(zone);

    if (old || zone->shm.exists) {
        shared = static_cast<Shared *>(pool->data);
        if (shared == nullptr || shared->layout != kLayout) {
            return Error{Code::misconfigured,
                         "the shared memory was left by another version: "
                         "give \"bff_zone\" another name, or restart"};
        }
        return Done{};
    }

    pool->log_nomem = 0;
    shared = lay_out(pool, {used_logins_for(zone), flights_for(zone),
                            static_cast<uint32_t>(zone->shm.size / 3)});
    if (shared == nullptr) {
        return Error{Code::misconfigured, "\"bff_zone\" is too small"};
    }

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
