// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

#include "core/session/session_table.hpp"

#include <csignal>
#include <cstring>
#include <memory>
#include <string>

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sample_session.hpp"
#include "unit.hpp"

namespace bff::session {
namespace {

using namespace bff::unit;
using Outcome = SessionTable::Put::Outcome;

constexpr size_t kOctets = 64 * 1024;
const Instant kEnd = kNow + Seconds{3600};

// Memory that a child process shares.
class Memory {
public:
    explicit Memory(size_t octets = kOctets)
        : octets_{octets}, memory_{mmap(nullptr, octets, PROT_READ | PROT_WRITE,
                                        MAP_SHARED | MAP_ANONYMOUS, -1, 0)}
    {
        ck_assert(memory_ != MAP_FAILED);
        ck_assert(SessionTable::lay_out(memory_, octets));
    }
    ~Memory() { munmap(memory_, octets_); }

    Memory(const Memory &) = delete;
    Memory &operator=(const Memory &) = delete;

    SessionTable table() const { return SessionTable{memory_}; }
    void *get() const { return memory_; }

private:
    size_t octets_;
    void *memory_;
};

std::string id(uint64_t number)
{
    return noise(16, number + 1000);
}

// Octets that tell whose they are.
std::string octets_of(uint64_t number, uint32_t generation, size_t size)
{
    return noise(size, number * 1000 + generation);
}

Outcome put(SessionTable table, uint64_t number, std::string_view octets,
            uint32_t generation = 0)
{
    return table.put(id(number), {generation, kEnd, kNow}, octets, kNow)
        .outcome;
}

std::optional<std::string> get(SessionTable table, uint64_t number)
{
    std::string octets(kOctets, '\0');
    auto seen = table.look(id(number), octets);
    if (!seen) {
        return std::nullopt;
    }
    octets.resize(seen->length);
    return octets;
}

TEST(what_was_put_is_found)
{
    Memory memory;
    for (size_t size : {1, 503, 504, 505, 1008, 5000, 20000}) {
        ck_assert(put(memory.table(), size, octets_of(size, 0, size)) ==
                  Outcome::done);
    }

    for (size_t size : {1, 503, 504, 505, 1008, 5000, 20000}) {
        ck_assert(get(memory.table(), size) == octets_of(size, 0, size));
    }
    ck_assert(!get(memory.table(), 2));
}

TEST(record_is_found_as_well_and_a_short_buffer_gets_nothing)
{
    Memory memory;
    memory.table().put(id(1), {7, kEnd, kNow}, std::string(600, 'x'), kNow);

    std::string octets(599, '-');
    auto seen = memory.table().look(id(1), octets);
    ck_assert(seen && seen->length == 600);
    ck_assert(seen->record.generation == 7);
    ck_assert(seen->record.expires == kEnd && seen->record.active == kNow);
    ck_assert(octets == std::string(599, '-'));
}

TEST(newer_generation_replaces_an_older_one_and_never_the_other_way)
{
    Memory memory;
    auto table = memory.table();

    ck_assert(put(table, 1, "first", 1) == Outcome::done);
    ck_assert(put(table, 1, "second", 2) == Outcome::done);
    ck_assert(put(table, 1, "first again", 1) == Outcome::older);
    ck_assert(put(table, 1, "second again", 2) == Outcome::older);
    ck_assert(get(table, 1) == "second");
    ck_assert_uint_eq(table.size(), 1);
}

TEST(removed_session_is_gone_and_its_room_is_free)
{
    Memory memory;
    auto table = memory.table();

    for (int round = 0; round < 1000; round++) {
        ck_assert(put(table, 1, std::string(40000, 'x')) == Outcome::done);
        table.remove(id(1));
        table.remove(id(1));
        ck_assert(!get(table, 1));
    }
    ck_assert_uint_eq(table.size(), 0);
}

TEST(activity_is_written_down_and_outlives_new_tokens)
{
    Memory memory;
    auto table = memory.table();
    put(table, 1, "x");

    table.touch(id(1), kNow + Seconds{9});
    table.touch(id(2), kNow + Seconds{5});
    ck_assert(table.look(id(1), {})->record.active == kNow + Seconds{9});

    put(table, 1, "y", 1);
    ck_assert(table.look(id(1), {})->record.active == kNow + Seconds{9});
}

TEST(full_table_evicts_what_was_written_longest_ago)
{
    Memory memory;
    auto table = memory.table();
    uint32_t evicted = 0;
    uint64_t number = 0;

    while (evicted == 0) {
        number++;
        evicted = table
                      .put(id(number), {0, kEnd, kNow},
                           octets_of(number, 0, 3000), kNow)
                      .evicted;
    }

    ck_assert_uint_eq(evicted, 1);
    ck_assert_uint_gt(number, 10);
    ck_assert(!get(table, 1));
    for (uint64_t i = 2; i <= number; i++) {
        ck_assert(get(table, i) == octets_of(i, 0, 3000));
    }
}

TEST(renewed_session_is_no_longer_the_oldest)
{
    Memory memory;
    auto table = memory.table();
    put(table, 1, std::string(20000, 'a'));
    put(table, 2, std::string(20000, 'b'));
    put(table, 1, std::string(20000, 'c'), 1);

    put(table, 3, std::string(20000, 'd'));
    ck_assert(!get(table, 2));
    ck_assert(get(table, 1) == std::string(20000, 'c'));
}

TEST(expired_session_goes_without_a_word)
{
    Memory memory;
    auto table = memory.table();
    put(table, 1, std::string(40000, 'a'));

    auto done =
        table.put(id(2), {0, kEnd, kNow}, std::string(40000, 'b'), kEnd);
    ck_assert(done.outcome == Outcome::done && done.evicted == 0);
    ck_assert(!get(table, 1));
}

TEST(session_that_can_never_fit_evicts_nobody)
{
    Memory memory;
    auto table = memory.table();
    put(table, 1, "x");

    ck_assert(put(table, 2, std::string(kOctets, 'y')) == Outcome::no_room);
    ck_assert(put(table, 2, "") == Outcome::no_room);
    ck_assert(get(table, 1) == "x");
}

TEST(as_many_sessions_as_there_are_slots)
{
    Memory memory;
    auto table = memory.table();
    for (uint64_t i = 0; i < 1000; i++) {
        ck_assert(put(table, i, "tiny") == Outcome::done);
    }

    ck_assert_uint_lt(table.size(), 1000);
    ck_assert_uint_gt(table.size(), 40);
    ck_assert(get(table, 999) == "tiny" && !get(table, 0));
}

TEST(too_little_memory_is_refused)
{
    alignas(8) char memory[8192]{};
    ck_assert(!SessionTable::lay_out(memory, 0));
    ck_assert(!SessionTable::lay_out(memory, 8));
    ck_assert(!SessionTable::lay_out(memory, 4096));
}

// --- who is killed in the middle ---

// Every session in it is whole, and all memory can be used.
void check_consistent(SessionTable table)
{
    for (uint64_t number = 0; number < 40; number++) {
        auto octets = get(table, number);
        if (octets) {
            bool is_whole = false;
            for (uint32_t g = 0; g < 50 && !is_whole; g++) {
                is_whole = octets == octets_of(number, g, octets->size());
            }
            ck_assert(is_whole);
        }
    }
}

void work_forever(SessionTable table, uint64_t seed)
{
    for (uint64_t i = seed;; i++) {
        auto number = i * 7919 % 40;
        auto generation = static_cast<uint32_t>(i % 50);
        if (i % 11 == 0) {
            table.remove(id(number));
        } else {
            put(table, number, octets_of(number, generation, 300 + number * 97),
                generation);
        }
    }
}

size_t largest(SessionTable table)
{
    size_t octets = kOctets;
    while (put(table, 1000, std::string(octets, 'x')) == Outcome::no_room) {
        octets--;
    }
    table.remove(id(1000));
    return octets;
}

TEST(process_that_is_killed_leaves_a_table_that_mends_itself)
{
    Memory memory;
    auto most = largest(memory.table());
    for (uint64_t round = 0; round < 100; round++) {
        auto child = fork();
        ck_assert(child >= 0);
        if (child == 0) {
            work_forever(memory.table(), round * 31);
        }
        usleep(300 + round * 17);
        kill(child, SIGKILL);
        waitpid(child, nullptr, 0);

        check_consistent(memory.table());
    }

    // nothing has leaked: one session may still take all of it
    auto table = memory.table();
    ck_assert(put(table, 1000, std::string(most, 'x')) == Outcome::done);
    ck_assert_uint_eq(table.size(), 1);
}

TEST(memory_may_hold_anything_before_it_is_laid_out)
{
    alignas(8) static char memory[kOctets];
    std::memset(memory, 0xa5, kOctets);
    ck_assert(SessionTable::lay_out(memory, kOctets));
    SessionTable table{memory};

    for (uint64_t i = 0; i < 12; i++) {
        put(table, i, octets_of(i, 0, 700 + i));
        auto busy = uint32_t{1};
        std::memcpy(memory, &busy, sizeof(busy));
        for (uint64_t j = 0; j < 12; j++) {
            ck_assert(get(table, j).has_value() == (j <= i));
        }
    }
    ck_assert_uint_eq(table.size(), 12);
}

// As after a death, with the worst that lists can be.
TEST(lists_are_made_anew_from_what_the_slots_say)
{
    Memory memory;
    auto table = memory.table();
    for (uint64_t i = 0; i < 12; i++) {
        put(table, i, octets_of(i, 0, 700 + i));
    }

    auto *words = static_cast<uint32_t *>(memory.get());
    words[0] = 1; // busy
    for (size_t list : {5, 6, 7, 8, 9, 10}) {
        words[list] = 0xdeadbeef; // free lists, order, count
    }

    for (uint64_t i = 0; i < 12; i++) {
        ck_assert(get(table, i) == octets_of(i, 0, 700 + i));
    }
    ck_assert_uint_eq(table.size(), 12);
    ck_assert_uint_eq(words[0], 0);
}

} // namespace
} // namespace bff::session
