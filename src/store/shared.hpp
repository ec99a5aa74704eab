// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What all workers share in bff_zone, and how it is laid out.
//
// Plain data at slab addresses, the same in every process. Within one layout
// version fields are only ever added at the end; another version in a zone
// that was kept over a reload is refused.
//
// Every change is one pointer or one number written last, so that a worker
// killed in the middle leaves the old state or the new one. NGINX's slab pool
// cannot promise that of itself, so it is asked for memory only when the zone
// is laid out, and for documents, which are few and rarely change.

#pragma once

#include <atomic>
#include <type_traits>

#include "core/base/result.hpp"
#include "ngx/zone.hpp"
#include "store/session_zone.hpp"

namespace bff::store {

// What was written before it is there before what is written after it, for
// those who find it after this process was killed.
inline void then() noexcept
{
    std::atomic_signal_fence(std::memory_order_seq_cst);
}

// What some read without the lock, while another writes it with the lock. What
// was written before it is seen by who sees it, also if this process was
// killed in between.
template <class T> T load(const T &from) noexcept
{
    return __atomic_load_n(&from, __ATOMIC_ACQUIRE);
}

template <class T> void put(T &into, std::type_identity_t<T> value) noexcept
{
    __atomic_store_n(&into, value, __ATOMIC_RELEASE);
}

// A document's text. Never changed once it is linked.
struct SharedText {
    uint64_t generation;
    int64_t fetched; // seconds since 1970
    int64_t expires;
    uint32_t length;
    u_char octets[1]; // length of them
};

// Who is asking the provider: a lease, so that a worker that dies hands it
// on.
struct Lease {
    uint64_t number; // 0: nobody yet; else one that names the asker
    uint64_t ends;   // milliseconds of the monotonic clock
    ngx_pid_t holder;

    // Nobody's until it is whole.
    void take(uint64_t its_number, uint64_t until) noexcept
    {
        put(ends, 0);
        put(holder, ngx_pid);
        put(number, its_number);
        put(ends, until);
    }

    // Its number stays: who saw another is late.
    void end() noexcept { put(ends, 0); }

    // Not under a lock: asks the system whether the holder lives.
    bool is_held(uint64_t now) const noexcept;
};

// One published document of one provider.
struct SharedDocument {
    SharedDocument *next;
    u_char fingerprint[32];
    SharedText *text; // null: never fetched
    Lease lease;

    uint64_t failures;          // grows with each failed attempt
    uint32_t last_code;         // bff::Code of the last failure
    uint32_t failures_in_a_row; // since the last success
    uint64_t try_again;         // nobody asks before this moment

    // Token buckets for answers newer than a known one (KEY-7).
    uint32_t bucket;
    uint32_t bucket_for_anybody;
    uint64_t bucket_filled;
};

// What may be used once; see used_once.
struct UsedOnce {
    uint64_t hash[2];
    int64_t until; // seconds since 1970; 0: free
};

// A refresh of one session's tokens, under way or over; see flights.
struct SharedFlight {
    uint64_t session[2]; // its id
    uint32_t outcome;    // store::Flights::Outcome
    uint32_t generation; // of the session that has come of it, or has ended
    uint32_t failures;   // in a row, since then
    uint32_t code;       // bff::Code of the last failure
    Lease lease;
    uint64_t try_again; // nobody asks before this moment, unless he must
    uint64_t until;     // then it is forgotten
    // Refreshes that need not have been are paid for until then.
    uint64_t early_paid;
};

struct UsedOnceTable {
    uint64_t size; // a multiple of the bucket size
    UsedOnce entries[1];
};

// What was ended before its time; see revocations.
struct RevocationSlot {
    uint64_t number; // 0: being written, or never was
    uint64_t octets[2];
    uint64_t kind;
    int64_t not_before; // milliseconds since 1970
    int64_t until;      // seconds
};

struct RevocationRing {
    uint64_t size;
    uint64_t written; // so far, ever; read without a lock
    RevocationSlot slots[1];
};

struct Shared {
    uint32_t layout;
    uint64_t news;        // grows with each new text; read without a lock
    uint64_t last_number; // leases and generations
    SharedDocument *documents;
    uint32_t flights_size; // a multiple of the bucket size
    uint32_t flights_swept;
    // Grows with the begin and the end of each change of flights: while it is
    // odd, somebody changes them, or has died doing so.
    uint64_t flights_version;
    SharedFlight *flights;
    void *flight_results; // a session_table
    // A refresh before its time was, of a session whose id has this number;
    // without a lock.
    static constexpr size_t kEarly = 64;
    uint64_t early_until[kEarly];
    UsedOnceTable *used_logins;
    UsedOnceTable *used_tokens;
    RevocationRing *revocations;
    RevocationRing *unproven_revocations;
    void *sessions; // a session_table, of those that fit no cookies
};

// The zone, as a worker sees it.
struct SharedZone {
    static constexpr uint32_t kLayout = 4;

    ngx_slab_pool_t *pool = nullptr;
    Shared *shared = nullptr;
    SessionZone sessions{"\"bff_zone\""};

    // In the zone's init callback: takes over what was kept over a reload or
    // an upgrade, or lays it out anew. Errors: misconfigured.
    Result<Done> open(ngx_shm_zone_t *zone, bool is_kept);
};

// Milliseconds of the clock that no administrator sets.
uint64_t monotonic_now() noexcept;

} // namespace bff::store
