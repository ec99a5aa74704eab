// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The lock around a table of sessions, and the words when it is full.

#include "store/session_zone.hpp"

#include <algorithm>

#include "ngx/log.hpp"

namespace bff::store {
namespace {

constexpr time_t kComplainAgain = 60; // seconds
constexpr size_t kUsualOctets = 8192; // of a session, asked for at once
constexpr int kTries = 4;             // without the lock

// What a zone of its own begins with.
struct Root {
    uint32_t layout;
    void *table;
};

// All that is left, as the pool gives pages only whole.
size_t octets_left(const ngx_slab_pool_t *pool)
{
    return pool->pfree > 1 ? (pool->pfree - 1) * ngx_pagesize : 0;
}

Root *lay_out(ngx_slab_pool_t *pool)
{
    ngx::ZoneLock lock{pool};

    auto *root = lock.make<Root>();
    if (root == nullptr) {
        return nullptr;
    }

    root->layout = SessionZone::kLayout;
    root->table = make_session_table(lock, octets_left(pool));
    if (root->table == nullptr) {
        return nullptr;
    }

    pool->data = root;
    return root;
}

} // namespace

void *make_session_table(ngx::ZoneLock &lock, size_t octets)
{
    auto *memory = lock.take(octets);
    if (memory == nullptr || !session::SessionTable::lay_out(memory, octets)) {
        return nullptr;
    }
    return memory;
}

void SessionZone::use(ngx_slab_pool_t *pool, void *memory)
{
    pool_ = pool;
    memory_ = memory;
}

Result<Done> SessionZone::open(ngx_shm_zone_t *zone, bool is_kept)
{
    auto *pool = ngx::slab(zone);

    if (is_kept || zone->shm.exists) {
        auto *root = static_cast<Root *>(pool->data);
        if (root == nullptr || root->layout != kLayout) {
            return Error{Code::misconfigured,
                         "the shared memory was left by another version: "
                         "give the zone of \"session_store\" another name, or "
                         "restart"};
        }
        use(pool, root->table);
        return Done{};
    }

    pool->log_nomem = 0;
    auto *root = lay_out(pool);
    if (root == nullptr) {
        return Error{Code::misconfigured,
                     "the zone of \"session_store\" is too small"};
    }
    use(pool, root->table);
    return Done{};
}

Result<Done> SessionZone::put(std::string_view id,
                              const session::SessionTable::Record &record,
                              std::string_view octets)
{
    using Outcome = session::SessionTable::Put::Outcome;
    session::SessionTable::Put done;
    auto now = instant(ngx_time());

    {
        ngx::ZoneLock lock{pool_};
        done = session::SessionTable{memory_}.put(id, record, octets, now);
    }

    if (done.evicted > 0) {
        complain(done.evicted);
    }
    if (done.outcome == Outcome::no_room) {
        return Error{Code::no_room, "a session of " +
                                        std::to_string(octets.size()) +
                                        " octets does not fit; give " +
                                        remedy_ + " more memory"};
    }
    return Done{};
}

std::optional<SessionZone::Stored> SessionZone::look(std::string_view id)
{
    auto stored = look_unlocked(id);
    return stored ? stored : look_locked(id);
}

std::optional<Instant>
SessionZone::active_if_current(const Ticket &ticket) const
{
    return settled().active_if_current(ticket);
}

// Who writes right now may be about to replace what is wanted, or may be dead:
// then it is there, but nobody has said so.
session::SessionTable SessionZone::settled() const
{
    session::SessionTable table{memory_};

    if (table.is_busy()) {
        ngx::ZoneLock lock{pool_};
        table.mend_if_needed();
    }
    return table;
}

// Nothing: it is not there, or changes all the time.
std::optional<SessionZone::Stored>
SessionZone::look_unlocked(std::string_view id)
{
    auto table = settled();

    for (int i = 0; i < kTries; i++) {
        auto seen = table.glance(id);
        if (!seen) {
            return std::nullopt;
        }
        auto octets = buffer_.take(seen->length);
        if (table.read(seen->ticket, octets)) {
            return Stored{
                seen->record, {octets.data(), octets.size()}, seen->ticket};
        }
    }
    return std::nullopt;
}

std::optional<SessionZone::Stored> SessionZone::look_locked(std::string_view id)
{
    auto octets = buffer_.take(kUsualOctets); // no allocation under the lock

    for (;;) {
        std::optional<session::SessionTable::Seen> seen;
        {
            ngx::ZoneLock lock{pool_};
            seen = session::SessionTable{memory_}.look(id, octets);
        }
        if (!seen) {
            return std::nullopt;
        }
        if (seen->length <= octets.size()) {
            return Stored{
                seen->record, {octets.data(), seen->length}, seen->ticket};
        }
        octets = buffer_.take(seen->length);
    }
}

// What was in it may be lost.
std::span<char> SessionZone::Buffer::take(size_t octets)
{
    if (octets > size_) {
        auto size = std::max(octets, kUsualOctets);
        octets_ = std::make_unique_for_overwrite<char[]>(size);
        size_ = size; // last: there may be no memory
    }
    return {octets_.get(), octets};
}

void SessionZone::touch(std::string_view id, Instant active) const
{
    ngx::ZoneLock lock{pool_};
    session::SessionTable{memory_}.touch(id, active);
}

void SessionZone::remove(std::string_view id) const
{
    ngx::ZoneLock lock{pool_};
    session::SessionTable{memory_}.remove(id);
}

void SessionZone::complain(uint32_t evicted)
{
    auto now = ngx_time();
    if (now < next_complaint_) {
        return;
    }

    next_complaint_ = now + kComplainAgain;
    ngx::log(NGX_LOG_WARN, ngx_cycle->log,
             "no room for another session: " + std::to_string(evicted) +
                 " went that had been written longest ago, though alive; "
                 "give " +
                 remedy_ + " more memory");
}

} // namespace bff::store
