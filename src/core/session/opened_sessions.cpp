// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The sessions that this worker has opened recently.
//
// A hit writes nothing but the time of its use; the order in which sessions go
// is made when another one comes ("second chance"), a few steps at a time.

#include "core/session/opened_sessions.hpp"

#include <bit>
#include <cstdlib>
#include <cstring>
#include <new>

#include <string.h> // explicit_bzero

namespace bff::session {
namespace {

constexpr Seconds kIdle{60};         // unused for so long: it may go
constexpr size_t kLeastOctets = 512; // of any entry, about
constexpr uint64_t kFirstBuckets = 64;
constexpr int kSteps = 8; // at most so many go, or are looked at, at once

constexpr size_t kNonceAt = 12; // characters of the text, within the nonce

using Wide = uint64_t __attribute__((vector_size(16)));

Wide wide_at(const char *octets) noexcept
{
    Wide wide;
    std::memcpy(&wide, octets, sizeof(wide));
    return wide;
}

// By words, since CRYPTO_memcmp takes octets one by one: of a whole cookie
// that costs as much as opening it. No word's outcome ends the loop.
bool are_equal(const char *a, const char *b, size_t octets) noexcept
{
    Wide difference{};
    size_t at = 0;

    for (; at + 2 * sizeof(Wide) <= octets; at += 2 * sizeof(Wide)) {
        auto next = at + sizeof(Wide);
        difference |= wide_at(a + at) ^ wide_at(b + at);
        difference |= wide_at(a + next) ^ wide_at(b + next);
    }

    unsigned char rest = 0;
    for (; at < octets; at++) {
        rest |= static_cast<unsigned char>(a[at] ^ b[at]);
    }

    return (difference[0] | difference[1] | rest) == 0;
}

// Copied from beginning to end: what is shared with a request stands among
// what that request needed for a moment, and would leave holes there.
Secret copy(const Secret &secret)
{
    return Secret{secret.reveal()};
}

SharedSession brief(const Session &session)
{
    Session kept;
    kept.id = session.id;
    kept.generation = session.generation;
    kept.has_refresh_token = session.has_refresh_token;
    kept.sid_mark = session.sid_mark;
    kept.sub_mark = session.sub_mark;
    kept.created = session.created;
    kept.expires = session.expires;
    kept.active = session.active;
    kept.access_token_expires = session.access_token_expires;
    kept.access_token = copy(session.access_token);
    kept.handle = copy(session.handle);
    kept.idle = session.idle;
    kept.has_old_key = session.has_old_key;
    kept.is_brief = true;

    return kept;
}

size_t octets_of(const SealedSession &sealed) noexcept
{
    size_t octets = 0;
    for (auto chunk : sealed.chunks) {
        octets += chunk.size();
    }
    return octets;
}

} // namespace

// The text stands behind it.
struct OpenedSessions::Entry : Opened {
    Entry(const Opened &opened, const SealedSession &sealed,
          const CookieStyle &cookie_style)
        : Opened{brief(*opened.session), opened.ticket, opened.unrevoked_at},
          style{&cookie_style}, text_octets{octets_of(sealed)}
    {
        auto *end = text();
        for (auto chunk : sealed.chunks) {
            chunk.copy(end, chunk.size());
            end += chunk.size();
        }
    }

    ~Entry() { explicit_bzero(text(), text_octets); }

    char *text() { return reinterpret_cast<char *>(this + 1); }

    // With what malloc adds to its pieces, and its bucket.
    static size_t octets_for(const SealedSession &sealed,
                             const Session &session)
    {
        return sizeof(Entry) + sizeof(Session) + octets_of(sealed) +
               session.access_token.size() + session.id.size() +
               session.handle.size() + sizeof(Bucket) + 112;
    }

    bool is(const SealedSession &sealed)
    {
        bool is_equal = true;
        const auto *at = text();
        for (auto chunk : sealed.chunks) {
            is_equal &= are_equal(at, chunk.data(), chunk.size());
            at += chunk.size();
        }
        return is_equal;
    }

    static Entry *make(const Opened &opened, const SealedSession &sealed,
                       const CookieStyle &style)
    {
        auto octets = sizeof(Entry) + octets_of(sealed);
        std::unique_ptr<void, Memory> memory{::operator new(octets)};
        new (memory.get()) Entry{opened, sealed, style};

        return static_cast<Entry *>(memory.release());
    }

    static void free(Entry *entry) noexcept
    {
        entry->~Entry();
        Memory{}(entry);
    }

    struct Memory { // of one
        void operator()(void *memory) const noexcept
        {
            ::operator delete(memory);
        }
    };

    Entry *next = nullptr; // in its bucket
    Entry *older = nullptr;
    Entry *newer = nullptr;
    const CookieStyle *style;
    size_t text_octets;
    size_t octets = 0;
    uint64_t hash = 0;
    Instant used{};
    Instant placed{};
};

namespace {

// The nonce's characters are as good as random, for each of our sealings.
std::optional<uint64_t> hash_of(const SealedSession &sealed) noexcept
{
    auto first = sealed.chunks[0];
    uint64_t characters = 0;
    if (first.size() < kNonceAt + sizeof(characters)) {
        return std::nullopt;
    }

    std::memcpy(&characters, first.data() + kNonceAt, sizeof(characters));
    return characters * 0x9e3779b97f4a7c15U >> 16;
}

uint32_t tag_of(uint64_t hash) noexcept
{
    return static_cast<uint32_t>(hash >> 16) | 1; // 0 is nobody's
}

} // namespace

void OpenedSessions::Freed::operator()(void *memory) const noexcept
{
    std::free(memory);
}

// calloc takes a large piece from the system as it is, all zeros.
OpenedSessions::OpenedSessions(size_t octets) : limit_{octets}
{
    if (octets == 0) {
        return;
    }

    reserved_ = std::max(std::bit_floor(octets / kLeastOctets), kFirstBuckets);
    buckets_.reset(
        static_cast<Bucket *>(std::calloc(reserved_, sizeof(Bucket))));
    if (buckets_ == nullptr) {
        throw std::bad_alloc{};
    }
    used_ = level_ = kFirstBuckets;
}

OpenedSessions::~OpenedSessions()
{
    while (oldest_ != nullptr) {
        remove(oldest_);
    }
}

OpenedSessions::Opened *OpenedSessions::find(const SealedSession &sealed,
                                             const CookieStyle &style,
                                             Instant now) noexcept
{
    auto hash = hash_of(sealed);
    if (!hash || count_ == 0) {
        return nullptr;
    }

    const auto &bucket = bucket_of(*hash);
    if (bucket.entries == 0 ||
        (bucket.entries == 1 && bucket.tag != tag_of(*hash))) {
        return nullptr;
    }

    auto octets = octets_of(sealed);
    for (auto *entry = bucket.first; entry != nullptr; entry = entry->next) {
        if (entry->hash == *hash && entry->style == &style &&
            entry->text_octets == octets && entry->is(sealed)) {
            entry->used = now;
            return entry;
        }
    }
    return nullptr;
}

void OpenedSessions::keep(const SealedSession &sealed, const CookieStyle &style,
                          const Opened &opened, Instant now)
{
    auto hash = hash_of(sealed);
    if (!hash || limit_ == 0) {
        return;
    }

    if (auto *known = find(sealed, style, now)) {
        drop(known); // there is one of each text
    }
    drop_idle(now);
    auto octets = Entry::octets_for(sealed, *opened.session);
    if (octets > limit_ || (!has_room(octets) && !comes_again(*hash))) {
        return;
    }

    auto *entry = Entry::make(opened, sealed, style);
    entry->octets = octets;
    entry->hash = *hash;
    entry->used = entry->placed = now;

    make_room(octets);
    put(entry);
}

void OpenedSessions::drop(Opened *opened) noexcept
{
    remove(static_cast<Entry *>(opened));
}

OpenedSessions::Bucket &OpenedSessions::bucket_of(uint64_t hash) const noexcept
{
    auto index = hash & (level_ * 2 - 1);
    return buckets_[index < used_ ? index : index & (level_ - 1)];
}

// The bucket that is next to be split gives the new one its part.
void OpenedSessions::grow() noexcept
{
    if (count_ <= used_ || used_ == reserved_) {
        return;
    }

    auto &split = buckets_[used_ - level_];
    auto *left = std::exchange(split, Bucket{}).first;
    used_++;
    while (left != nullptr) {
        auto *entry = left;
        left = left->next;
        put_into(bucket_of(entry->hash), entry);
    }
    level_ = used_ == level_ * 2 ? used_ : level_;
}

void OpenedSessions::put(Entry *entry) noexcept
{
    put_into(bucket_of(entry->hash), entry);
    append(entry);
    octets_ += entry->octets;
    count_++;
    grow();
}

void OpenedSessions::put_into(Bucket &bucket, Entry *entry) noexcept
{
    entry->next = std::exchange(bucket.first, entry);
    bucket.tag = tag_of(entry->hash);
    bucket.entries++;
}

void OpenedSessions::remove(Entry *entry) noexcept
{
    auto &bucket = bucket_of(entry->hash);
    auto **link = &bucket.first;
    while (*link != entry) {
        link = &(*link)->next;
    }
    *link = entry->next;
    bucket.entries--;
    if (bucket.first != nullptr) {
        bucket.tag = tag_of(bucket.first->hash);
    }

    unlink(entry);
    octets_ -= entry->octets;
    count_--;
    Entry::free(entry);
}

void OpenedSessions::append(Entry *entry) noexcept
{
    entry->older = newest_;
    entry->newer = nullptr;
    (newest_ != nullptr ? newest_->newer : oldest_) = entry;
    newest_ = entry;
}

void OpenedSessions::unlink(Entry *entry) noexcept
{
    (entry->older != nullptr ? entry->older->newer : oldest_) = entry->newer;
    (entry->newer != nullptr ? entry->newer->older : newest_) = entry->older;
}

// A clock that was set back makes nobody idle.
bool OpenedSessions::is_in_use(const Entry &entry, Instant now) const noexcept
{
    return now - entry.used < kIdle && !entry.session->is_expired(now);
}

bool OpenedSessions::has_room(size_t octets) const noexcept
{
    return octets_ + octets <= limit_;
}

// Was it here a while ago, when there was no room either?
bool OpenedSessions::comes_again(uint64_t hash) noexcept
{
    auto tag = tag_of(hash);
    return std::exchange(seen_[hash % seen_.size()], tag) == tag;
}

// Some steps, and none for a second once all that are left are in use: who was
// used since it was placed is placed again.
void OpenedSessions::drop_idle(Instant now) noexcept
{
    if (now == looked_) {
        return;
    }

    for (int i = 0; i < kSteps && oldest_ != nullptr; i++) {
        auto *entry = oldest_;
        if (!is_in_use(*entry, now)) {
            remove(entry);
        } else if (now - entry->placed >= kIdle) {
            place_again(entry);
        } else {
            looked_ = now; // those behind it were placed later
            return;
        }
    }
}

// Who was used since it was placed stays for another round, but not for ever.
void OpenedSessions::make_room(size_t octets) noexcept
{
    for (int i = 0; i < kSteps && !has_room(octets); i++) {
        if (oldest_->used == oldest_->placed) {
            remove(oldest_);
        } else {
            place_again(oldest_);
        }
    }
    while (!has_room(octets)) {
        remove(oldest_);
    }
}

void OpenedSessions::place_again(Entry *entry) noexcept
{
    unlink(entry);
    entry->placed = entry->used;
    append(entry);
}

} // namespace bff::session
