// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Sealed sessions in memory that several processes share.
//
// Plain data that refers to itself by numbers, so that it may lie anywhere.
// It takes a fixed piece of memory once and never more; when that is full the
// session goes that was written longest ago. Looking costs the same with one
// session as with a million, and what is never needed is never touched.
//
// Who changes it holds a lock; who only reads need not. A process that is
// killed in the middle of a change costs no session but perhaps the one that
// it was about to write: the next one that has the lock finds the mark that it
// left, and makes all lists anew.

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

    // One writing of one session. No other ever has the same, also when that
    // one is gone and its place is taken.
    struct Ticket {
        uint32_t slot = 0;
        uint64_t version = 0; // 0: of none
    };

    struct Seen {
        Record record;
        size_t length; // of its octets
        Ticket ticket;
    };

    // Lays it out in octets that may be anything. False: they are too few.
    static bool lay_out(void *memory, size_t octets) noexcept;
    explicit SessionTable(void *memory) noexcept;

    // --- with the lock; `id` has 16 random octets ---

    Put put(std::string_view id, const Record &record, std::string_view octets,
            Instant now) noexcept;
    // Its octets are copied if there is room for them.
    std::optional<Seen> look(std::string_view id,
                             std::span<char> into) noexcept;
    // It was in use then.
    void touch(std::string_view id, Instant active) noexcept;
    void remove(std::string_view id) noexcept;
    // What somebody left who died.
    void mend_if_needed() noexcept;

    size_t size() const noexcept; // sessions, dead ones among them

    // --- without it ---

    // Somebody changes it, or has died doing so. What is there can be read
    // none the less; it may be about to be replaced.
    bool is_busy() const noexcept;
    // Nothing: it is not there, or somebody is at it: ask with the lock.
    std::optional<Seen> glance(std::string_view id) const noexcept;
    // The octets of what was seen, which have this length. False: they are not
    // there any more.
    bool read(const Ticket &ticket, std::span<char> into) const noexcept;
    // It is the newest there is of its session, and that is still there.
    bool is_current(const Ticket &ticket) const noexcept;
    // While it is: when it was last in use.
    std::optional<Instant> active_if_current(const Ticket &) const noexcept;

private:
    struct Head;
    struct Slot;
    struct Block;
    class Change;

    // A number that some read while another writes it. What was written before
    // it is seen by who sees it.
    template <class T> class Cell {
    public:
        operator T() const noexcept
        {
            return __atomic_load_n(&value_, __ATOMIC_ACQUIRE);
        }
        Cell &operator=(T value) noexcept
        {
            __atomic_store_n(&value_, value, __ATOMIC_RELEASE);
            return *this;
        }
        // Nothing is moved across it, so that who is killed leaves what it had
        // done.
        void put_now(T value) noexcept
        {
            __atomic_store_n(&value_, value, __ATOMIC_SEQ_CST);
        }

        Cell() = default;
        Cell(const Cell &) = delete;
        Cell &operator=(const Cell &other) noexcept { return *this = T{other}; }

    private:
        T value_;
    };
    using Number = Cell<uint32_t>;

    struct Id {
        Id(uint64_t first, uint64_t second) noexcept : words{first, second} {}
        explicit Id(std::string_view id) noexcept;
        uint64_t words[2];
    };

    static constexpr uint32_t kNone = UINT32_MAX;

    Number &bucket_of(const Id &id) const noexcept;
    Id id_of(uint32_t slot) const noexcept;
    bool is_of(uint32_t slot, const Id &id) const noexcept;
    uint32_t find(const Id &id) const noexcept;
    uint32_t find_unlocked(const Id &id) const noexcept;
    std::optional<Seen> seen(uint32_t slot, const Id &id) const noexcept;
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
    Block *blocks_;
    Number *buckets_;
};

} // namespace bff::session
