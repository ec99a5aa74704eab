// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What all workers share in bff_zone, and how it is laid out.
//
// Plain data at slab addresses, the same in every process. Within one layout
// version fields are only ever added at the end; another version in a zone
// that was kept over a reload is refused.
//
// Every change is one pointer or one number written last, so that a worker
// killed in the middle leaves the old state or the new one.

#pragma once

#include "core/base/result.hpp"
#include "ngx/zone.hpp"
#include "store/session_zone.hpp"

namespace bff::store {

constexpr uint32_t kLayout = 2;

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
    uint64_t number; // 0: nobody; else one that names the asker
    uint64_t ends;   // milliseconds of the monotonic clock
    ngx_pid_t holder;

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

    // Token bucket for answers newer than a known one (KEY-7).
    uint32_t bucket;
    uint64_t bucket_filled;
};

// What may be used once; see used_once.
struct UsedOnce {
    uint64_t hash[2];
    int64_t until; // seconds since 1970; 0: free
};

// A refresh of one session's tokens, under way or over; see flights.
struct SharedFlight {
    u_char session[16];  // its id
    uint32_t outcome;    // store::Flights::Outcome
    uint32_t generation; // of the session that has come of it, or has ended
    uint32_t failures;   // in a row, since then
    uint32_t code;       // bff::Code of the last failure
    Lease lease;
    uint64_t try_again; // nobody asks before this moment, unless he must
    uint64_t until;     // then it is forgotten
    uint32_t length;
    u_char *sealed; // the session that has come of it; null: none
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
    int64_t not_before; // seconds since 1970
    int64_t until;
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
    uint32_t flights_size;  // a multiple of the bucket size
    uint32_t flight_octets; // so many may all results have
    SharedFlight *flights;
    uint64_t early_until; // a refresh before its time was; without a lock
    UsedOnceTable *used_logins;
    UsedOnceTable *used_tokens;
    RevocationRing *revocations;
    RevocationRing *unproven_revocations;
    void *sessions; // a session_table, of those that fit no cookies
};

// The zone, as a worker sees it.
struct SharedZone {
    ngx_slab_pool_t *pool = nullptr;
    Shared *shared = nullptr;
    SessionZone sessions{"\"bff_zone\""};

    // Called by NGINX when the zone is new or was kept over a reload; `old`
    // tells which. Errors: misconfigured.
    Result<Done> open(ngx_shm_zone_t *zone, bool old);
};

// Milliseconds of the clock that no administrator sets.
uint64_t monotonic_now() noexcept;

} // namespace bff::store
