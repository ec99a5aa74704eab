// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Sealed sessions in memory that several processes share.
//
// Plain data that refers to itself by numbers, so that it may lie anywhere.
// It takes a fixed piece of memory once and never more; when that is full the
// session goes that was written longest ago. Looking costs the same with one
// session as with a million, and what is never needed is never touched.
//
// Who calls holds a lock. A process that is killed in the middle of a change
// costs no session but perhaps the one that it was about to write: the next
// caller finds the mark that it left, and makes all lists anew.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/base/instant.hpp"

namespace bff::session {

class SessionTable {
public:
    // What is known of a session without opening it.
    struct Record {
        uint32_t generation; // of its tokens
        Instant expires;
        Instant active; // the last activity
    };

    struct Put {
        enum class Outcome {
            done,
            older,   // a newer generation is there, and stays
            no_room, // the table as a whole is too small
        };

        Outcome outcome = Outcome::done;
        uint32_t evicted = 0; // so many that were alive went
    };

    struct Seen {
        Record record;
        size_t length; // of its octets; copied if there was room for them
    };

    // Lays it out in octets that may be anything. False: they are too few.
    static bool lay_out(void *memory, size_t octets) noexcept;
    explicit SessionTable(void *memory) noexcept;

    // `id` has 16 random octets.
    Put put(std::string_view id, const Record &record, std::string_view octets,
            Instant now) noexcept;
    std::optional<Seen> look(std::string_view id,
                             std::span<char> into) noexcept;
    // It was in use then.
    void touch(std::string_view id, Instant active) noexcept;
    void remove(std::string_view id) noexcept;

    size_t size() const noexcept; // sessions, dead ones among them

private:
    struct Head;
    struct Slot;
    struct Block;
    class Change;

    static constexpr uint32_t kNone = UINT32_MAX;

    uint32_t &bucket_of(const char *id) noexcept;
    uint32_t find(std::string_view id) noexcept;
    std::optional<uint32_t> make_room(uint32_t blocks, Instant now) noexcept;
    bool has_room(uint32_t blocks) const noexcept;
    uint32_t take_slot() noexcept;
    uint32_t take_block() noexcept;
    uint32_t fill(std::string_view octets) noexcept;
    void link(uint32_t slot) noexcept;
    void unlink(uint32_t slot) noexcept;
    void drop(uint32_t slot) noexcept;
    void free_slot(uint32_t slot) noexcept;
    void free_chain(uint32_t slot) noexcept;

    void mend() noexcept;
    void clear_lists() noexcept;
    bool claim(uint32_t slot) noexcept;
    void disown(uint32_t slot) noexcept;
    void settle(uint32_t slot) noexcept;

    Head *head_;
    Slot *slots_;
    uint32_t *buckets_;
    Block *blocks_;
};

} // namespace bff::session
