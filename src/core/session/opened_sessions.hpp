// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The sessions that this worker has opened recently, so that the next request
// does not open them again.
//
// Found by the octets of the seal's nonce, which are ours and random, and
// confirmed by all of the text that was opened, in constant time: who knows
// only part of a cookie gets nothing here. What is kept of a session is brief:
// its details stay in the cookie until somebody asks.

#pragma once

#include <array>
#include <memory>
#include <optional>

#include "core/base/instant.hpp"
#include "core/base/shelf.hpp"
#include "core/session/session.hpp"
#include "core/session/session_cookie.hpp"
#include "core/session/session_table.hpp"

namespace bff::session {

class OpenedSessions {
public:
    // Keeps so many octets of sessions, all in all; 0: none.
    explicit OpenedSessions(size_t octets);
    ~OpenedSessions();
    OpenedSessions(const OpenedSessions &) = delete;
    OpenedSessions &operator=(const OpenedSessions &) = delete;

    // What was kept for this text, under this style; null: nothing. Good until
    // the next keep() or drop().
    struct Opened {
        SharedSession session;            // brief
        SessionTable::Ticket ticket = {}; // of its record, where one is kept
        std::optional<uint64_t> unrevoked_at = {}; // as Found has it
    };
    Opened *find(const SealedSession &sealed, const CookieStyle &style,
                 Instant now) noexcept;

    // Others go that were not used lately. When there is no room, only who
    // comes a second time gets some: a thousand others may come in between. A
    // session that is too large is not kept. Throws where memory cannot be had.
    void keep(const SealedSession &sealed, const CookieStyle &style,
              const Opened &opened, Instant now);

    // It is over.
    void drop(Opened *opened) noexcept;

    size_t count() const noexcept { return count_; }
    size_t octets() const noexcept { return octets_; }

private:
    struct Entry;
    struct Freed {
        void operator()(void *memory) const noexcept;
    };
    // Tells who is not there without a look at who is: each look at memory
    // that was not used lately costs as much as some hundred instructions.
    struct Bucket {
        Entry *first;
        uint32_t tag; // of the first one
        uint32_t entries;
    };

    Bucket &bucket_of(uint64_t hash) const noexcept;
    void grow() noexcept;
    void put(Entry *entry, uint64_t hash) noexcept;
    void put_into(Bucket &bucket, Entry *entry) noexcept;
    void close(Entry *entry) noexcept;

    void *take_room(uint64_t hash, size_t octets);
    bool comes_again(uint64_t hash) noexcept;
    void drop_idle(Instant now) noexcept;
    void *make_room(size_t octets);
    Entry *at_hand() noexcept;
    void let_go(Entry *entry) noexcept;
    void pass(Entry *entry) noexcept;
    void give_back(Entry *entry) noexcept;

    size_t limit_;
    size_t octets_ = 0;
    size_t count_ = 0;
    size_t pieces_ = 0; // with those that are gone, and held

    // Linear hashing: one bucket is split for each session that comes, so no
    // request pays for all. The memory behind the last one was never touched.
    uint64_t reserved_;
    std::unique_ptr<Bucket[], Freed> buckets_;
    uint64_t used_ = 0;  // buckets
    uint64_t level_ = 0; // the largest power of two that is not more

    Shelf shelf_;
    Instant looked_{}; // for idle ones

    std::array<uint32_t, 1024> seen_{}; // lately, and not kept
};

} // namespace bff::session
