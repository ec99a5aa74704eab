// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Shared memory in which sessions are kept, as a worker sees it.

#pragma once

#include <string>

#include "core/base/result.hpp"
#include "core/session/session_table.hpp"
#include "ngx/zone.hpp"

namespace bff::store {

class SessionZone {
public:
    // Of a zone of its own; another number than bff_zone's.
    static constexpr uint32_t kLayout = 1001;

    // `remedy` is what makes it larger, for the log.
    explicit SessionZone(std::string remedy) : remedy_{std::move(remedy)} {}

    // A piece of a zone, laid out as a table.
    void use(ngx_slab_pool_t *pool, void *memory);
    // All of a zone, when it is new or was kept. Errors: misconfigured.
    Result<Done> open(ngx_shm_zone_t *zone, bool is_kept);

    // Errors: unavailable (it is too small for this one).
    Result<Done> put(std::string_view id,
                     const session::SessionTable::Record &record,
                     std::string_view octets);

    struct Stored {
        session::SessionTable::Record record;
        std::string octets;
    };
    std::optional<Stored> look(std::string_view id) const;
    void touch(std::string_view id, Instant active) const;
    void remove(std::string_view id) const;

private:
    void complain(uint32_t evicted);

    std::string remedy_;
    ngx_slab_pool_t *pool_ = nullptr;
    void *memory_ = nullptr;
    time_t next_complaint_ = 0;
};

// Laid out in so much of the pool, under its lock; null: it is too small.
void *make_session_table(ngx::ZoneLock &lock, size_t octets);

} // namespace bff::store
