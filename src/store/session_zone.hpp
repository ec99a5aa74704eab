// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Shared memory in which sessions are kept, as a worker sees it.
//
// Who finds a session that is alive takes no lock, unless somebody writes in
// the same moment; who keeps what he has made of it asks for a few loads
// whether it is still that.

#pragma once

#include <memory>
#include <string>

#include "core/base/result.hpp"
#include "core/session/session_table.hpp"
#include "ngx/zone.hpp"

namespace bff::store {

class SessionZone {
public:
    // Of a zone of its own; another number than bff_zone's.
    static constexpr uint32_t kLayout = 1002;

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

    using Ticket = session::SessionTable::Ticket;
    struct Stored {
        session::SessionTable::Record record;
        std::string_view octets; // until somebody looks again
        Ticket ticket;
    };
    std::optional<Stored> look(std::string_view id);
    // What had this ticket is still the newest there is of its session: when
    // that was last in use. Nothing: look again.
    std::optional<Instant> active_if_current(const Ticket &ticket) const;
    void touch(std::string_view id, Instant active) const;
    void remove(std::string_view id) const;

private:
    // Octets that a session is copied to.
    class Buffer {
    public:
        std::span<char> take(size_t octets);

    private:
        std::unique_ptr<char[]> octets_;
        size_t size_ = 0;
    };

    session::SessionTable settled() const;
    std::optional<Stored> look_unlocked(std::string_view id);
    std::optional<Stored> look_locked(std::string_view id);
    void complain(uint32_t evicted);

    std::string remedy_;
    ngx_slab_pool_t *pool_ = nullptr;
    void *memory_ = nullptr;
    Buffer buffer_;
    time_t next_complaint_ = 0;
};

// Laid out in so much of the pool, under its lock; null: it is too small.
void *make_session_table(ngx::ZoneLock &lock, size_t octets);

} // namespace bff::store
