// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Revocations in shared memory.
//
//   written    0        1        2   ...  n-1      n       n+1
//   slot       0        1        2   ...  n-1      0        1
//
// A slot carries its own number + 1, which is 0 while it is being written, so
// that who reads without a lock notices a slot that changed under its eyes.
// The ring's count grows last: a worker that is killed in the middle leaves
// a slot that nobody reads, and that the next one writes again.

#include "store/revocations.hpp"

#include <cstring>

#include "ngx/log.hpp"

namespace bff::store {
namespace {

constexpr int64_t kComplainAgain = 60; // seconds

// What is in a slot, and whether it was whole.
struct Read {
    session::RevokedName name;
    int64_t not_before, until;
    bool is_whole;
};

Read read_slot(const RevocationSlot &slot, uint64_t number)
{
    uint64_t octets[2];
    auto before = load(slot.number);

    Read read{};
    octets[0] = load(slot.octets[0]);
    octets[1] = load(slot.octets[1]);
    auto kind = load(slot.kind);
    read.not_before = load(slot.not_before);
    read.until = load(slot.until);
    auto after = load(slot.number);

    read.name.kind = static_cast<session::RevokedName::Kind>(kind);
    std::memcpy(read.name.octets.data(), octets, sizeof(octets));
    read.is_whole = before == number + 1 && after == number + 1;
    return read;
}

void write_slot(RevocationSlot &slot, uint64_t number,
                const session::Revocation &revocation) noexcept
{
    uint64_t octets[2];
    std::memcpy(octets, revocation.name.octets.data(), sizeof(octets));

    put(slot.number, 0);
    put(slot.octets[0], octets[0]);
    put(slot.octets[1], octets[1]);
    put(slot.kind, static_cast<uint64_t>(revocation.name.kind));
    put(slot.not_before, to_number(revocation.not_before));
    put(slot.until, to_number(revocation.until));
    put(slot.number, number + 1);
}

} // namespace

size_t
Revocations::Hash::operator()(const session::RevokedName &name) const noexcept
{
    // random octets, or those of a digest
    size_t hash;
    std::memcpy(&hash, name.octets.data(), sizeof(hash));
    return hash + static_cast<size_t>(name.kind);
}

void Revocations::add(const session::Revocation &revocation)
{
    add(proven_, revocation);
}

void Revocations::add_unproven(const session::Revocation &revocation)
{
    // Said already: somebody who repeats it takes no more room.
    if (has(unproven_, revocation.name, revocation.not_before) ||
        has(proven_, revocation.name, revocation.not_before)) {
        return;
    }

    add(unproven_, revocation);
}

// Neither of both ever shrinks.
uint64_t Revocations::epoch() const noexcept
{
    const auto &shared = *zone_.shared;
    return load(shared.revocations->written) +
           load(shared.unproven_revocations->written);
}

bool Revocations::is_empty()
{
    take_over(proven_);
    take_over(unproven_);

    return proven_.entries.empty() && unproven_.entries.empty();
}

bool Revocations::ends(const session::RevokedName &name, Moment created)
{
    take_over(proven_);
    take_over(unproven_);

    return has(proven_, name, created) || has(unproven_, name, created);
}

bool Revocations::has(const Copy &copy, const session::RevokedName &name,
                      Moment created) const
{
    if (copy.entries.empty()) {
        return false;
    }
    auto found = copy.entries.find(name);

    return found != copy.entries.end() &&
           to_number(created) <= found->second.not_before;
}

// Under the lock of all writers.
void Revocations::add(Copy &copy, const session::Revocation &revocation)
{
    int64_t pushed_out = 0;

    {
        ngx::ZoneLock lock{zone_.pool};
        auto &ring = *(zone_.shared->*copy.ring);
        auto number = ring.written;
        auto &slot = ring.slots[number % ring.size];

        pushed_out = number >= ring.size ? slot.until : 0;
        write_slot(slot, number, revocation);
        put(ring.written, number + 1);
    }
    take_over(copy);

    auto now = ngx_time();
    if (pushed_out > now && now >= next_complaint_) {
        next_complaint_ = now + kComplainAgain;
        ngx::log(NGX_LOG_WARN, ngx_cycle->log,
                 "the list of ended sessions is full: the oldest entry went, "
                 "so that a copy of that session's cookie would work again; "
                 "give \"bff_zone\" more memory");
    }
}

// Costs one read of shared memory while nothing was added.
void Revocations::take_over(Copy &copy)
{
    const auto &ring = *(zone_.shared->*copy.ring);
    auto written = load(ring.written);
    if (written == copy.seen) {
        return;
    }

    auto oldest = written > ring.size ? written - ring.size : 0;
    read(copy, ring, std::max(copy.seen, oldest), written);

    // What went from the ring goes from here as well, but not each time that an
    // entry comes into a full ring.
    if (copy.entries.size() > 2 * ring.size) {
        copy.entries.clear();
        read(copy, ring, oldest, written);
    }
}

void Revocations::read(Copy &copy, const RevocationRing &ring, uint64_t from,
                       uint64_t to)
{
    // Those whose time is over as well: the clock may be set back.
    for (auto number = from; number < to; number++) {
        auto slot = read_slot(ring.slots[number % ring.size], number);
        if (!slot.is_whole) {
            continue; // pushed out by now
        }

        auto &known =
            copy.entries.try_emplace(slot.name, Times{}).first->second;
        known.not_before = std::max(known.not_before, slot.not_before);
        known.until = std::max(known.until, slot.until);
    }

    copy.seen = to;
}

} // namespace bff::store
