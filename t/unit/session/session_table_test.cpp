// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

#include "core/session/session_table.hpp"

#include <array>
#include <atomic>
#include <csignal>
#include <cstring>
#include <memory>
#include <string>
#include <thread>

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
// Where slots have what, in numbers of four octets, of which they have 16.
constexpr size_t kLength = 11, kFirst = 12, kNext = 13;
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

// As who looks without the lock finds it.
std::optional<std::string> glance(SessionTable table, uint64_t number)
{
    auto seen = table.glance(id(number));
    if (!seen) {
        return std::nullopt;
    }
    std::string octets(seen->length, '\0');
    ck_assert(table.read(seen->ticket, octets));
    return octets;
}

SessionTable::Ticket ticket_of(SessionTable table, uint64_t number)
{
    auto seen = table.glance(id(number));
    ck_assert(seen);
    return seen->ticket;
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
        ck_assert(glance(memory.table(), size) == octets_of(size, 0, size));
    }
    ck_assert(!get(memory.table(), 2));
    ck_assert(!glance(memory.table(), 2));
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

    auto glanced = memory.table().glance(id(1));
    ck_assert(glanced && glanced->length == 600);
    ck_assert(glanced->record.generation == 7);
    ck_assert(glanced->record.expires == kEnd);
    ck_assert(glanced->record.active == kNow);
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

    // of any year
    auto late = instant(int64_t{1} << 33);
    table.touch(id(1), late);
    put(table, 1, "z", 2);
    ck_assert(table.look(id(1), {})->record.active == late);
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

// --- tickets ---

TEST(ticket_is_good_until_its_session_is_replaced)
{
    Memory memory;
    auto table = memory.table();
    put(table, 1, "first", 1);
    put(table, 2, "other", 1);
    auto first = ticket_of(table, 1), other = ticket_of(table, 2);
    ck_assert(table.is_current(first) && table.is_current(other));

    put(table, 1, "first again", 1); // is not taken
    ck_assert(table.is_current(first));

    put(table, 1, "second", 2);
    std::string octets(5, '\0');
    ck_assert(!table.is_current(first) && !table.read(first, octets));
    ck_assert(!table.active_if_current(first));
    ck_assert(table.is_current(other) && table.read(other, octets));
    ck_assert(octets == "other" && table.is_current(ticket_of(table, 1)));
}

TEST(ticket_survives_use_and_tells_of_the_last)
{
    Memory memory;
    auto table = memory.table();
    put(table, 1, "x");
    auto ticket = ticket_of(table, 1);
    ck_assert(table.active_if_current(ticket) == kNow);

    for (int second : {9, 30, 20}) {
        table.touch(id(1), kNow + Seconds{second});
        ck_assert(table.active_if_current(ticket) == kNow + Seconds{second});
    }
}

TEST(ticket_of_a_removed_session_is_not_good_again_in_the_same_place)
{
    Memory memory;
    auto table = memory.table();
    put(table, 1, "mine");
    auto mine = ticket_of(table, 1);

    table.remove(id(1));
    ck_assert(!table.is_current(mine));
    for (uint64_t number : {2, 1, 1, 2}) {
        put(table, number, "next");
        ck_assert_uint_eq(ticket_of(table, number).slot, mine.slot);
        ck_assert(!table.is_current(mine) && !table.active_if_current(mine));
        table.remove(id(number));
    }
}

TEST(ticket_of_an_evicted_session_is_good_no_more)
{
    Memory memory;
    auto table = memory.table();
    put(table, 1, std::string(40000, 'a'));
    auto ticket = ticket_of(table, 1);

    put(table, 2, std::string(40000, 'b'));
    ck_assert(!table.is_current(ticket));
}

TEST(ticket_of_nothing_is_never_good)
{
    Memory memory;
    auto table = memory.table();
    for (uint32_t slot : {0U, 1U, 58U, 59U, 60U, 1000U, 1U << 30, ~0U}) {
        ck_assert(!table.is_current({slot, 0}));
        ck_assert(!table.read({slot, 0}, {}));
    }
    ck_assert(!table.is_current({}));
    ck_assert(!table.is_current({1U << 30, 1}));
}

TEST(ticket_outlives_the_mending_of_the_table)
{
    Memory memory;
    auto table = memory.table();
    put(table, 1, octets_of(1, 0, 700));
    put(table, 2, octets_of(2, 0, 700));
    auto whole = ticket_of(table, 1), broken = ticket_of(table, 2);

    auto *words = static_cast<uint32_t *>(memory.get());
    words[0] = 1;
    words[(1 + broken.slot) * 16 + kFirst] = 0xdeadbeef; // its chain
    ck_assert(table.is_busy());
    table.mend_if_needed();

    ck_assert(!table.is_busy());
    ck_assert(table.is_current(whole) && !table.is_current(broken));
    ck_assert(glance(table, 1) == octets_of(1, 0, 700));
    ck_assert(!glance(table, 2) && !get(table, 2));
}

TEST(ticket_of_who_died_before_the_old_one_went_is_the_newer_one)
{
    Memory memory;
    auto table = memory.table();
    put(table, 1, "old", 1);
    auto old = ticket_of(table, 1);
    put(table, 2, "new", 2);
    auto fresh = ticket_of(table, 2);

    // as if number 2 had been put for the same session
    auto *words = static_cast<uint32_t *>(memory.get());
    std::memcpy(&words[(1 + fresh.slot) * 16], id(1).data(), 16);
    words[0] = 1;
    table.mend_if_needed();

    ck_assert(!table.is_current(old) && table.is_current(fresh));
    ck_assert(glance(table, 1) == "new");
}

// --- reading while others write ---

// Wherever numbers lead that somebody leaves behind, it is inside.
TEST(who_reads_without_the_lock_is_never_led_outside)
{
    auto memory = std::make_unique<uint64_t[]>(kOctets / 8);
    ck_assert(SessionTable::lay_out(memory.get(), kOctets));
    SessionTable table{memory.get()};
    put(table, 1, octets_of(1, 0, 5000));
    auto ticket = ticket_of(table, 1);
    auto *words = reinterpret_cast<uint32_t *>(memory.get());
    auto slots = words[1], blocks = words[2];
    auto *bucket = words + 16 * (1 + slots) + size_t{128} * blocks;
    std::string octets(5000, '\0');

    for (uint32_t number :
         {0U, 1U, slots - 1, slots, blocks - 1, blocks, 1U << 31, ~1U, ~0U}) {
        std::fill_n(bucket, slots, number);
        for (uint32_t slot = 0; slot < slots; slot++) {
            words[(1 + slot) * 16 + kNext] = number;
        }
        auto seen = table.glance(id(1));
        ck_assert(!seen || seen->ticket.slot == ticket.slot);

        words[(1 + ticket.slot) * 16 + kFirst] = number;
        (void)table.read(ticket, octets);
        words[(1 + ticket.slot) * 16 + kLength] = number;
        std::fill_n(bucket, slots, ticket.slot);
        seen = table.glance(id(1));
        ck_assert(!seen || seen->length <= kOctets);
    }
}

// A session that is all of one writing: one word, over and over.
struct Writing {
    uint64_t number;
    uint32_t generation;

    size_t size() const { return 8 * (1 + (number * 37 + generation) % 200); }
    uint64_t word() const { return number << 32 | generation; }
    std::string octets() const
    {
        std::string octets;
        for (auto word = this->word(); octets.size() < size();) {
            octets.append(reinterpret_cast<const char *>(&word), 8);
        }
        return octets;
    }
};

constexpr uint64_t kPlayers = 60; // more than there is room for

Instant used_by(uint64_t number)
{
    return kNow + Seconds{static_cast<int64_t>(number)};
}

void write_until(const std::atomic<bool> &is_over, SessionTable table)
{
    for (uint32_t i = 1; !is_over; i++) {
        Writing writing{i * 7919 % kPlayers, i};
        auto name = id(writing.number);
        if (i % 11 == 0) {
            table.remove(name);
        } else if (i % 5 == 0) {
            table.touch(name, used_by(writing.number));
        } else {
            table.put(name, {i, kEnd, used_by(writing.number)},
                      writing.octets(), kNow);
        }
    }
}

TEST(what_is_read_while_others_write_is_whole)
{
    Memory memory;
    std::atomic<bool> is_over = false;
    std::thread writer{[&] { write_until(is_over, memory.table()); }};
    const auto table = memory.table();
    std::array<SessionTable::Ticket, kPlayers> tickets{};
    std::array<std::string, kPlayers> names;
    for (uint64_t number = 0; number < kPlayers; number++) {
        names[number] = id(number);
    }

    for (uint64_t found = 0, i = 0; found < 20000; i++) {
        auto number = i % kPlayers;
        auto active = table.active_if_current(tickets[number]);
        ck_assert(!active || *active == used_by(number));

        auto seen = table.glance(names[number]);
        if (!seen) {
            continue;
        }
        Writing writing{number, seen->record.generation};
        ck_assert_uint_eq(seen->length, writing.size());
        ck_assert(seen->record.active == used_by(number));
        tickets[number] = seen->ticket;
        std::string octets(seen->length, '\0');
        if (table.read(seen->ticket, octets)) {
            found++;
            ck_assert(octets == writing.octets());
        }
    }
    is_over = true;
    writer.join();
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

// The same, for who reads while somebody works, or before it is mended.
void check_whole(SessionTable table)
{
    for (uint64_t number = 0; number < 40; number++) {
        auto seen = table.glance(id(number));
        std::string octets(seen ? seen->length : 0, '\0');
        if (seen && table.read(seen->ticket, octets)) {
            ck_assert(octets == octets_of(number, seen->record.generation,
                                          octets.size()));
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
        if (round % 2 == 0) {
            check_whole(memory.table());
        }
        kill(child, SIGKILL);
        waitpid(child, nullptr, 0);

        check_whole(memory.table());
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
