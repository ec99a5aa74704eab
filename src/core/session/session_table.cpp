// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// A hash table of slots, each with a chain of blocks, and a list of all slots
// in the order in which they were written.
//
//   head | slots | buckets | blocks
//
// What a slot's `state` says is true at every moment; a session's blocks are
// never changed while it is alive. All else (buckets, order, what is free)
// follows from that, and is made anew when `busy` tells that somebody died.

#include "core/session/session_table.hpp"

#include <algorithm>
#include <cstring>
#include <new>

namespace bff::session {
namespace {

constexpr size_t kIdOctets = 16;
constexpr size_t kBlockOctets = 504;
constexpr uint32_t kFewestBlocks = 16;

// Nothing is moved across it, so that who is killed leaves what it had done.
template <class T> void put_now(T &into, T value) noexcept
{
    __atomic_store_n(&into, value, __ATOMIC_SEQ_CST);
}

} // namespace

struct SessionTable::Head {
    uint32_t busy; // somebody changes it, or has died doing so
    uint32_t slots, blocks;
    uint32_t begun_slots, begun_blocks; // beyond them nothing ever was
    uint32_t free_slot, free_block;     // the first of each list
    uint32_t free_blocks;               // in it
    uint32_t oldest, newest;            // slots
    uint32_t used;                      // slots
    uint64_t version;                   // of the last slot that was written
};

struct SessionTable::Slot {
    char id[kIdOctets];
    uint32_t is_used;
    uint32_t generation;
    uint64_t version; // another one with each writing
    int64_t expires;
    int64_t active;
    uint32_t length;
    uint32_t first;        // block
    uint32_t next;         // in its bucket, or of those that are free
    uint32_t older, newer; // slots
};

struct SessionTable::Block {
    uint32_t next; // in its chain, or of those that are free
    uint32_t owner;
    char octets[kBlockOctets];
};

// Under way from here to the end of a scope.
class SessionTable::Change {
public:
    explicit Change(SessionTable &table) noexcept : head_{*table.head_}
    {
        if (head_.busy != 0) {
            table.mend();
        }
        put_now(head_.busy, 1U);
    }

    ~Change() { put_now(head_.busy, 0U); }

    Change(const Change &) = delete;
    Change &operator=(const Change &) = delete;

private:
    Head &head_;
};

// --- layout ---

// As many slots as sessions of two blocks.
bool SessionTable::lay_out(void *memory, size_t octets) noexcept
{
    constexpr size_t per_pair =
        2 * sizeof(Block) + sizeof(Slot) + sizeof(uint32_t);
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
      buckets_{reinterpret_cast<uint32_t *>(slots_ + head_->slots)},
      blocks_{reinterpret_cast<Block *>(buckets_ + head_->slots)}
{
}

size_t SessionTable::size() const noexcept
{
    return head_->used;
}

// --- the verbs ---

// The new one is whole before the one before it goes.
SessionTable::Put SessionTable::put(std::string_view id, const Record &record,
                                    std::string_view octets,
                                    Instant now) noexcept
{
    using Outcome = Put::Outcome;
    Change change{*this};

    auto before = find(id);
    if (before != kNone && slots_[before].generation >= record.generation) {
        return {Outcome::older, 0};
    }

    // it may have been touched since who puts it has seen it
    auto active = std::max<int64_t>(
        to_number(record.active), before == kNone ? 0 : slots_[before].active);

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
    std::memcpy(slot.id, id.data(), kIdOctets);
    slot.generation = record.generation;
    slot.version = ++head_->version;
    slot.expires = to_number(record.expires);
    slot.active = active;
    slot.length = static_cast<uint32_t>(octets.size());
    slot.first = fill(octets);
    put_now(slot.is_used, 1U);

    if (before = find(id); before != kNone) {
        drop(before);
    }
    link(number);
    return {Outcome::done, *evicted};
}

std::optional<SessionTable::Seen>
SessionTable::look(std::string_view id, std::span<char> into) noexcept
{
    if (head_->busy != 0) {
        Change mended{*this};
    }

    auto number = find(id);
    if (number == kNone) {
        return std::nullopt;
    }

    const auto &slot = slots_[number];
    size_t length = slot.length;
    auto block = slot.first;
    for (size_t at = 0; length <= into.size() && at < length;) {
        auto piece = std::min(length - at, kBlockOctets);
        std::memcpy(into.data() + at, blocks_[block].octets, piece);
        block = blocks_[block].next;
        at += piece;
    }

    Record record{slot.generation, instant(slot.expires), instant(slot.active)};
    return Seen{record, length};
}

void SessionTable::touch(std::string_view id, Instant active) noexcept
{
    Change change{*this};

    auto number = find(id);
    if (number != kNone) {
        put_now(slots_[number].active, int64_t{to_number(active)});
    }
}

void SessionTable::remove(std::string_view id) noexcept
{
    Change change{*this};

    auto number = find(id);
    if (number != kNone) {
        drop(number);
    }
}

// --- finding and filling ---

uint32_t &SessionTable::bucket_of(const char *id) noexcept
{
    uint32_t hash = 0;
    std::memcpy(&hash, id, sizeof(hash));
    return buckets_[hash % head_->slots];
}

uint32_t SessionTable::find(std::string_view id) noexcept
{
    auto number = bucket_of(id.data());
    while (number != kNone &&
           std::memcmp(slots_[number].id, id.data(), kIdOctets) != 0) {
        number = slots_[number].next;
    }

    return number;
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
        put_now(slots_[head_->begun_slots].is_used, 0U);
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
    uint32_t first = kNone;
    auto *link = &first;

    for (auto rest = octets; !rest.empty();) {
        *link = take_block();
        auto &block = blocks_[*link];
        auto piece = rest.substr(0, kBlockOctets);
        std::memcpy(block.octets, piece.data(), piece.size());
        rest.remove_prefix(piece.size());
        link = &block.next;
    }

    return first;
}

// --- lists ---

void SessionTable::link(uint32_t number) noexcept
{
    auto &slot = slots_[number];
    auto &bucket = bucket_of(slot.id);

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

    auto *from = &bucket_of(slot.id);
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
    auto &slot = slots_[number];

    put_now(slot.is_used, 0U);
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
    auto block = slots_[number].first;

    for (size_t at = 0; at < slots_[number].length; at += kBlockOctets) {
        auto next = blocks_[block].next;
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
        if (slots_[i].is_used != 0 && claim(i)) {
            settle(i);
        } else {
            put_now(slots_[i].is_used, 0U);
        }
    }

    for (uint32_t i = 0; i < head_->begun_slots; i++) {
        if (slots_[i].is_used == 0) {
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
    std::fill_n(buckets_, head_->slots, kNone);
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
    auto block = slots_[number].first;

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
    auto block = slots_[number].first;

    while (block < head_->begun_blocks && blocks_[block].owner == number + 1) {
        blocks_[block].owner = 0;
        block = blocks_[block].next;
    }
}

// Of a session that was about to be replaced, the newer one stays.
void SessionTable::settle(uint32_t number) noexcept
{
    auto twin = find({slots_[number].id, kIdOctets});

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
    put_now(slots_[older].is_used, 0U);
    disown(older);
}

} // namespace bff::session
