// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Any order of changes, and deaths in between: what is found is what was put
// last, nothing is lost but by eviction, and no memory leaks.

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

struct Known {
    uint32_t generation;
    std::string octets;
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
            table().touch(id, kNow + Seconds{recipe[2]});
            break;
        default:
            put(id, recipe[2], recipe[3]);
        }
        compare();
    }

private:
    SessionTable table() { return SessionTable{memory_.data()}; }

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
            known_[id] = {generation, octets};
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
                known = known_.erase(known);
                continue;
            }
            fuzz::must(std::string_view{octets}.substr(0, seen->length) ==
                           known->second.octets,
                       "what is found is what was put");
            ++known;
        }
        fuzz::must(table().size() == known_.size(), "nothing else is there");
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
