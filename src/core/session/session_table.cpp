// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// A hash table of slots, each with a chain of blocks, and a list of all slots
// in the order in which they were written.
//
//   head | slots | blocks | buckets
//
// What a slot's `version` says is true at every moment: it is 0 unless the
// slot is a whole session, each writing of a session has another one, and
// while it stands neither the slot nor its blocks are changed, but for the
// time of the last use. All else (buckets, order, what is free) follows from
// that, and is made anew when `busy` tells that somebody died.
//
// Hence who reads without the lock reads the version first and once more in
// the end. All that may change between is read as atomic words, each with
// acquire, and written so with release: who has read but one word of what came
// into the place reads another version in the end. Until then nothing that was
// read is believed: numbers are compared with the table's bounds before they
// lead anywhere, and no walk is longer than it may be.

#include "core/session/session_table.hpp"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

namespace bff::session {
namespace {

constexpr size_t kIdOctets = 16;
constexpr size_t kWordOctets = sizeof(uint64_t);
constexpr size_t kBlockWords = 63;
constexpr size_t kBlockOctets = kBlockWords * kWordOctets;
constexpr uint32_t kFewestBlocks = 16;
// A bucket that has more, however unlikely, is read with the lock.
constexpr uint32_t kMostSteps = 64;

// So many without a loop, which would cost more than the copying.
template <size_t N, class Word> void copy(const Word *from, char *to) noexcept
{
    auto one = [](uint64_t word, char *into) {
        std::memcpy(into, &word, sizeof(word));
    };
    [&]<size_t... I>(std::index_sequence<I...>)
    {
        (one(from[I], to + I * sizeof(uint64_t)), ...);
    }
    (std::make_index_sequence<N>{});
}

} // namespace

// Slots begin where this ends, each in a line of the cache.
struct SessionTable::Head {
    Number busy;            // somebody changes it, or has died doing so
    uint32_t slots, blocks; // never change
    uint32_t begun_slots, begun_blocks; // beyond them nothing ever was
    uint32_t free_slot, free_block;     // the first of each list
    uint32_t free_blocks;               // in it
    uint32_t oldest, newest;            // slots
    uint32_t used;                      // slots
    Cell<uint64_t> version;             // of the last slot that was written
    uint64_t unused;
};

struct SessionTable::Slot {
    Cell<uint64_t> id[2];
    Cell<uint64_t> version; // 0: no session
    Cell<int64_t> expires;
    Cell<int64_t> active;
    Number generation;
    Number length;
    Number first;          // block
    Number next;           // in its bucket, or of those that are free
    uint32_t older, newer; // slots
};

struct SessionTable::Block {
    Number next; // in its chain, or of those that are free
    uint32_t owner;
    Cell<uint64_t> words[kBlockWords];

    void write(std::string_view octets) noexcept;
    void read(std::span<char> into) const noexcept;
};

// Under way from here to the end of a scope.
class SessionTable::Change {
public:
    explicit Change(SessionTable &table) noexcept : head_{*table.head_}
    {
        if (head_.busy != 0) {
            table.mend();
        }
        head_.busy.put_now(1);
    }

    ~Change() { head_.busy.put_now(0); }

    Change(const Change &) = delete;
    Change &operator=(const Change &) = delete;

private:
    Head &head_;
};

// --- layout ---

// As many slots as sessions of two blocks.
bool SessionTable::lay_out(void *memory, size_t octets) noexcept
{
    static_assert(sizeof(Head) == 64 && sizeof(Slot) == 64);
    constexpr size_t per_pair =
        2 * sizeof(Block) + sizeof(Slot) + sizeof(Number);
    if (octets < sizeof(Head)) {
        return false;
    }

    auto pairs = std::min<size_t>((octets - sizeof(Head)) / per_pair, 1U << 30);
    auto *head = new (memory) Head{};
    head->slots = static_cast<uint32_t>(pairs);
    head->blocks = static_cast<uint32_t>(2 * pairs);
    if (head->blocks < kFewestBlocks) {
        return false;
    }

    SessionTable{memory}.mend();
    return true;
}

SessionTable::SessionTable(void *memory) noexcept
    : head_{static_cast<Head *>(memory)}, slots_{reinterpret_cast<Slot *>(
                                              head_ + 1)},
      blocks_{reinterpret_cast<Block *>(slots_ + head_->slots)},
      buckets_{reinterpret_cast<Number *>(blocks_ + head_->blocks)}
{
}

size_t SessionTable::size() const noexcept
{
    return head_->used;
}

// --- the verbs ---

// The new one is whole, and can be found, before the one before it goes.
SessionTable::Put SessionTable::put(std::string_view id, const Record &record,
                                    std::string_view octets,
                                    Instant now) noexcept
{
    using Outcome = Put::Outcome;
    Change change{*this};

    const Id key{id};
    auto before = find(key);
    if (before != kNone && slots_[before].generation >= record.generation) {
        return {Outcome::older, 0};
    }

    // it may have been touched since who puts it has seen it
    int64_t touched = 0;
    if (before != kNone) {
        touched = slots_[before].active;
    }
    auto active = std::max<int64_t>(to_number(record.active), touched);

    auto blocks = (octets.size() + kBlockOctets - 1) / kBlockOctets;
    if (blocks == 0 || blocks > head_->blocks) {
        return {Outcome::no_room, 0};
    }
    auto evicted = make_room(static_cast<uint32_t>(blocks), now);
    if (!evicted) {
        return {Outcome::no_room, 0};
    }

    auto number = take_slot();
    auto &slot = slots_[number];
    slot.id[0] = key.words[0];
    slot.id[1] = key.words[1];
    slot.generation = record.generation;
    slot.expires = to_number(record.expires);
    slot.active = active;
    slot.length = static_cast<uint32_t>(octets.size());
    slot.first = fill(octets);
    head_->version.put_now(head_->version + 1);
    slot.version.put_now(head_->version);

    before = find(key);
    link(number);
    if (before != kNone) {
        drop(before);
    }
    return {Outcome::done, *evicted};
}

std::optional<SessionTable::Seen>
SessionTable::look(std::string_view id, std::span<char> into) noexcept
{
    mend_if_needed();

    const Id key{id};
    auto number = find(key);
    if (number == kNone) {
        return std::nullopt;
    }

    auto found = seen(number, key);
    if (found && found->length <= into.size()) {
        (void)read(found->ticket, into.first(found->length));
    }
    return found;
}

// Nothing that is found by it changes: whoever dies here leaves no mark.
void SessionTable::touch(std::string_view id, Instant active) noexcept
{
    mend_if_needed();

    auto number = find(Id{id});
    if (number != kNone) {
        slots_[number].active = to_number(active);
    }
}

void SessionTable::remove(std::string_view id) noexcept
{
    Change change{*this};

    auto number = find(Id{id});
    if (number != kNone) {
        drop(number);
    }
}

void SessionTable::mend_if_needed() noexcept
{
    if (is_busy()) {
        Change mended{*this};
    }
}

// --- reading, with or without the lock ---

bool SessionTable::is_busy() const noexcept
{
    return head_->busy != 0;
}

std::optional<SessionTable::Seen>
SessionTable::glance(std::string_view id) const noexcept
{
    const Id key{id};
    auto number = find_unlocked(key);
    return number == kNone ? std::nullopt : seen(number, key);
}

bool SessionTable::read(const Ticket &ticket,
                        std::span<char> into) const noexcept
{
    if (!is_current(ticket)) {
        return false;
    }

    uint32_t number = slots_[ticket.slot].first;
    while (!into.empty()) {
        if (number >= head_->blocks) {
            return false;
        }
        const auto &block = blocks_[number];
        auto piece = std::min(into.size(), kBlockOctets);
        block.read(into.first(piece));
        into = into.subspan(piece);
        number = block.next;
    }

    return is_current(ticket);
}

std::optional<Instant>
SessionTable::active_if_current(const Ticket &ticket) const noexcept
{
    if (!is_current(ticket)) {
        return std::nullopt;
    }

    const auto &slot = slots_[ticket.slot];
    auto active = instant(slot.active);
    return slot.version == ticket.version ? std::optional{active}
                                          : std::nullopt;
}

bool SessionTable::is_current(const Ticket &ticket) const noexcept
{
    return ticket.version != 0 && ticket.slot < head_->slots &&
           slots_[ticket.slot].version == ticket.version;
}

// Its id is looked at once more: another one may have come into its place.
std::optional<SessionTable::Seen>
SessionTable::seen(uint32_t number, const Id &id) const noexcept
{
    const auto &slot = slots_[number];

    Ticket ticket{number, slot.version};
    bool is_it = is_of(number, id);
    Record record{slot.generation, instant(slot.expires), instant(slot.active)};
    size_t length = slot.length;
    bool fits = length <= size_t{head_->blocks} * kBlockOctets;

    return is_it && fits && is_current(ticket)
               ? std::optional{Seen{record, length, ticket}}
               : std::nullopt;
}

// --- finding and filling ---

SessionTable::Id::Id(std::string_view id) noexcept
{
    std::memcpy(words, id.data(), kIdOctets);
}

SessionTable::Number &SessionTable::bucket_of(const Id &id) const noexcept
{
    return buckets_[static_cast<uint32_t>(id.words[0]) % head_->slots];
}

SessionTable::Id SessionTable::id_of(uint32_t slot) const noexcept
{
    return {slots_[slot].id[0], slots_[slot].id[1]};
}

bool SessionTable::is_of(uint32_t slot, const Id &id) const noexcept
{
    return slots_[slot].id[0] == id.words[0] &&
           slots_[slot].id[1] == id.words[1];
}

uint32_t SessionTable::find(const Id &id) const noexcept
{
    uint32_t number = bucket_of(id);
    while (number != kNone && !is_of(number, id)) {
        number = slots_[number].next;
    }

    return number;
}

// The way may be changed under its feet, and lead anywhere.
uint32_t SessionTable::find_unlocked(const Id &id) const noexcept
{
    uint32_t number = bucket_of(id);

    for (uint32_t steps = 0; steps < kMostSteps; steps++) {
        if (number >= head_->slots) {
            return kNone; // the end, or astray
        }
        if (is_of(number, id)) {
            return number;
        }
        number = slots_[number].next;
    }
    return kNone;
}

// So many that were alive went for it. Nothing: it is too small for that.
std::optional<uint32_t> SessionTable::make_room(uint32_t blocks,
                                                Instant now) noexcept
{
    uint32_t evicted = 0;

    while (!has_room(blocks)) {
        auto oldest = head_->oldest;
        if (oldest == kNone) {
            return std::nullopt;
        }
        evicted += slots_[oldest].expires > to_number(now) ? 1 : 0;
        drop(oldest);
    }

    return evicted;
}

bool SessionTable::has_room(uint32_t blocks) const noexcept
{
    auto fresh = head_->blocks - head_->begun_blocks;
    bool has_slot =
        head_->free_slot != kNone || head_->begun_slots < head_->slots;

    return has_slot && head_->free_blocks + fresh >= blocks;
}

uint32_t SessionTable::take_slot() noexcept
{
    auto number = head_->free_slot;
    if (number == kNone) {
        slots_[head_->begun_slots].version.put_now(0);
        return head_->begun_slots++;
    }

    head_->free_slot = slots_[number].next;
    return number;
}

uint32_t SessionTable::take_block() noexcept
{
    auto number = head_->free_block;
    if (number == kNone) {
        return head_->begun_blocks++;
    }

    head_->free_block = blocks_[number].next;
    head_->free_blocks--;
    return number;
}

// A chain with these octets, when there is room for them.
uint32_t SessionTable::fill(std::string_view octets) noexcept
{
    auto first = take_block();

    for (auto number = first;;) {
        auto &block = blocks_[number];
        block.write(octets.substr(0, kBlockOctets));
        octets.remove_prefix(std::min(octets.size(), kBlockOctets));
        if (octets.empty()) {
            return first;
        }
        number = take_block();
        block.next = number;
    }
}

// The last word is filled up with zeros.
void SessionTable::Block::write(std::string_view octets) noexcept
{
    for (auto *into = words; !octets.empty(); into++) {
        uint64_t word = 0;
        auto piece = std::min(octets.size(), kWordOctets);
        std::memcpy(&word, octets.data(), piece);
        *into = word;
        octets.remove_prefix(piece);
    }
}

void SessionTable::Block::read(std::span<char> into) const noexcept
{
    const auto *from = words;
    auto *to = into.data();

    if (into.size() == kBlockOctets) {
        copy<kBlockWords>(from, to);
        return;
    }
    for (; into.data() + into.size() - to >= 64; from += 8, to += 64) {
        copy<8>(from, to);
    }
    for (; into.data() + into.size() - to >= 8; from++, to += 8) {
        copy<1>(from, to);
    }

    uint64_t last = *from;
    std::memcpy(to, &last, into.size() % kWordOctets);
}

// --- lists ---

void SessionTable::link(uint32_t number) noexcept
{
    auto &slot = slots_[number];
    auto &bucket = bucket_of(id_of(number));

    slot.next = bucket;
    bucket = number;

    slot.older = head_->newest;
    slot.newer = kNone;
    (slot.older == kNone ? head_->oldest : slots_[slot.older].newer) = number;
    head_->newest = number;
    head_->used++;
}

void SessionTable::unlink(uint32_t number) noexcept
{
    const auto &slot = slots_[number];

    auto *from = &bucket_of(id_of(number));
    while (*from != number) {
        from = &slots_[*from].next;
    }
    *from = slot.next;

    (slot.older == kNone ? head_->oldest : slots_[slot.older].newer) =
        slot.newer;
    (slot.newer == kNone ? head_->newest : slots_[slot.newer].older) =
        slot.older;
    head_->used--;
}

void SessionTable::drop(uint32_t number) noexcept
{
    slots_[number].version.put_now(0);
    unlink(number);
    free_chain(number);
    free_slot(number);
}

void SessionTable::free_slot(uint32_t number) noexcept
{
    slots_[number].next = head_->free_slot;
    head_->free_slot = number;
}

void SessionTable::free_chain(uint32_t number) noexcept
{
    uint32_t block = slots_[number].first;

    for (size_t at = 0; at < slots_[number].length; at += kBlockOctets) {
        uint32_t next = blocks_[block].next;
        blocks_[block].next = head_->free_block;
        head_->free_block = block;
        head_->free_blocks++;
        block = next;
    }
}

// --- mending ---

// The order in which they were written is lost, the sessions are not.
void SessionTable::mend() noexcept
{
    clear_lists();

    for (uint32_t i = 0; i < head_->begun_slots; i++) {
        if (slots_[i].version != 0 && claim(i)) {
            settle(i);
        } else {
            slots_[i].version.put_now(0);
        }
    }

    for (uint32_t i = 0; i < head_->begun_slots; i++) {
        if (slots_[i].version == 0) {
            free_slot(i);
        }
    }
    for (uint32_t i = 0; i < head_->begun_blocks; i++) {
        if (blocks_[i].owner == 0) {
            blocks_[i].next = head_->free_block;
            head_->free_block = i;
            head_->free_blocks++;
        }
    }
}

void SessionTable::clear_lists() noexcept
{
    for (uint32_t i = 0; i < head_->slots; i++) {
        buckets_[i] = kNone;
    }
    for (uint32_t i = 0; i < head_->begun_blocks; i++) {
        blocks_[i].owner = 0;
    }

    head_->oldest = head_->newest = kNone;
    head_->free_slot = head_->free_block = kNone;
    head_->free_blocks = 0;
    head_->used = 0;
}

// Its chain is its own. False: it is none; that should not be.
bool SessionTable::claim(uint32_t number) noexcept
{
    uint32_t block = slots_[number].first;

    for (size_t at = 0; at < slots_[number].length; at += kBlockOctets) {
        if (block >= head_->begun_blocks || blocks_[block].owner != 0) {
            disown(number);
            return false;
        }
        blocks_[block].owner = number + 1;
        block = blocks_[block].next;
    }

    return true;
}

void SessionTable::disown(uint32_t number) noexcept
{
    uint32_t block = slots_[number].first;

    while (block < head_->begun_blocks && blocks_[block].owner == number + 1) {
        blocks_[block].owner = 0;
        block = blocks_[block].next;
    }
}

// Of a session that was about to be replaced, the newer one stays.
void SessionTable::settle(uint32_t number) noexcept
{
    auto twin = find(id_of(number));

    if (twin == kNone) {
        link(number);
        return;
    }

    bool is_newer = slots_[twin].version < slots_[number].version;
    auto older = is_newer ? twin : number;
    if (is_newer) {
        unlink(twin);
        link(number);
    }
    slots_[older].version.put_now(0);
    disown(older);
}

} // namespace bff::session
