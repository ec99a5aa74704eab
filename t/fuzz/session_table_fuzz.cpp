// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Any order of changes, and deaths in between: what is found is what was put
// last, with the lock and without it; a ticket is good for as long as that is
// there; nothing is lost but by eviction, and no memory leaks. Who reads
// without the lock among numbers that are anything stays inside the table.

#include "core/session/session_table.hpp"

#include <algorithm>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "property.hpp"

using namespace bff;
using namespace bff::session;

namespace {

constexpr size_t kOctets = 24 * 1024;
const Instant kNow = instant(1780000000);

// Of a slot, in numbers of four octets: all that numbers stand in.
constexpr size_t kSlotNumbers = 16;
constexpr size_t kBlockNumbers = 128;

struct Known {
    uint32_t generation;
    std::string octets;
    Instant active;
    SessionTable::Ticket ticket = {};
};

class Play {
public:
    Play() : memory_(kOctets / sizeof(uint64_t))
    {
        fuzz::must(SessionTable::lay_out(memory_.data(), kOctets));
    }

    // Four octets: what, which session, its generation, its size.
    void act(const uint8_t *recipe)
    {
        auto id = std::string(16, static_cast<char>(recipe[1] % 64));
        switch (recipe[0] % 8) {
        case 0:
            table().remove(id);
            known_.erase(id);
            break;
        case 1:
            die();
            break;
        case 2:
            touch(id, kNow + Seconds{recipe[2]});
            break;
        case 3:
            read_astray(id, recipe[2], recipe[3]);
            break;
        default:
            put(id, recipe[2], recipe[3]);
        }
        compare();
    }

private:
    SessionTable table() { return SessionTable{memory_.data()}; }

    void touch(const std::string &id, Instant active)
    {
        table().touch(id, active);
        if (auto known = known_.find(id); known != known_.end()) {
            known->second.active = active;
        }
    }

    // As somebody who died, or writes right now, may have left the numbers.
    void read_astray(const std::string &id, uint8_t which, uint8_t what)
    {
        auto memory = memory_;
        auto *words = reinterpret_cast<uint32_t *>(memory.data());
        auto slots = words[1], blocks = words[2];
        auto number = what < 200 ? what : 0x01020408U * what;
        for (uint32_t i = 0; i < slots; i++) {
            words[(1 + i) * kSlotNumbers + 10 + which % 4] = number;
        }
        auto *block = words + (1 + slots) * kSlotNumbers;
        for (uint32_t i = 0; i < blocks; i += 1 + which % 7) {
            block[i * kBlockNumbers] = number;
        }
        std::fill_n(block + size_t{blocks} * kBlockNumbers, slots, what % 5);

        const SessionTable table{memory.data()};
        auto seen = table.glance(id);
        std::string octets(seen ? seen->length : kOctets, '\0');
        fuzz::must(octets.size() <= kOctets);
        if (seen) {
            (void)table.read(seen->ticket, octets);
        }
        for (const auto &[name, known] : known_) {
            (void)table.glance(name);
            (void)table.active_if_current(known.ticket);
            octets.resize(known.octets.size());
            (void)table.read(known.ticket, octets);
        }
    }

    void put(const std::string &id, uint32_t generation, size_t size)
    {
        std::string octets(size * size / 4, static_cast<char>(size));
        auto done = table().put(id, {generation, kNow + Seconds{60}, kNow},
                                octets, kNow);

        using Outcome = SessionTable::Put::Outcome;
        auto before = known_.find(id);
        bool is_older =
            before != known_.end() && before->second.generation >= generation;
        fuzz::must(is_older == (done.outcome == Outcome::older),
                   "only a newer generation replaces one");
        if (done.outcome == Outcome::done) {
            auto active = kNow;
            if (before != known_.end()) {
                active = std::max(active, before->second.active);
                fuzz::must(!table().is_current(before->second.ticket),
                           "it is another one");
            }
            known_[id] = {generation, octets, active};
            evicted_ += done.evicted;
        }
    }

    // As one who was killed during a change, all lists in disorder.
    void die()
    {
        auto *words = reinterpret_cast<uint32_t *>(memory_.data());
        words[0] = 1;
        std::fill(words + 5, words + 11, 0xdeadbeef);
    }

    void compare()
    {
        std::string octets(kOctets, '\0');
        (void)table().look(std::string(16, 'x'), octets); // mends it
        for (auto known = known_.begin(); known != known_.end();) {
            auto seen = table().look(known->first, octets);
            if (!seen) {
                fuzz::must(evicted_-- > 0, "only eviction loses a session");
                fuzz::must(!table().is_current(known->second.ticket));
                known = known_.erase(known);
                continue;
            }
            fuzz::must(std::string_view{octets}.substr(0, seen->length) ==
                           known->second.octets,
                       "what is found is what was put");
            compare(*seen, known->first, known->second);
            ++known;
        }
        fuzz::must(table().size() == known_.size(), "nothing else is there");
    }

    // The same without the lock.
    void compare(const SessionTable::Seen &seen, const std::string &id,
                 Known &known)
    {
        fuzz::must(seen.record.active == known.active);
        auto glanced = table().glance(id);
        fuzz::must(glanced && glanced->length == seen.length &&
                       glanced->ticket.version == seen.ticket.version,
                   "who has no lock finds the same");
        fuzz::must(known.ticket.version == 0 ||
                       (known.ticket.version == seen.ticket.version &&
                        known.ticket.slot == seen.ticket.slot),
                   "nothing but a writing changes it");
        known.ticket = seen.ticket;
        fuzz::must(table().active_if_current(known.ticket) == known.active);

        std::string octets(seen.length, '\0');
        fuzz::must(table().read(seen.ticket, octets) && octets == known.octets);
    }

    std::vector<uint64_t> memory_;
    std::map<std::string, Known> known_;
    uint32_t evicted_ = 0;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Play play;
    for (; size >= 4; data += 4, size -= 4) {
        play.act(data);
    }
    return 0;
}
