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

#include <openssl/crypto.h>

namespace bff::session {
namespace {

constexpr Seconds kIdle{60};         // unused for so long: it may go
constexpr size_t kLeastOctets = 512; // of any entry, about
constexpr uint64_t kFirstBuckets = 64;
constexpr int kSteps = 4; // looks at old ones when a new one comes

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

#pragma GCC unroll 4
    for (; at + sizeof(Wide) <= octets; at += sizeof(Wide)) {
        difference |= wide_at(a + at) ^ wide_at(b + at);
    }
    for (; at < octets; at++) {
        difference[0] |= static_cast<unsigned char>(a[at] ^ b[at]);
    }

    return (difference[0] | difference[1]) == 0;
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
            std::memcpy(end, chunk.data(), chunk.size());
            end += chunk.size();
        }
    }

    ~Entry() { OPENSSL_cleanse(text(), text_octets); }

    char *text() { return reinterpret_cast<char *>(this + 1); }

    // What it takes, with what malloc adds to its pieces.
    size_t octets() const
    {
        return sizeof(Entry) + sizeof(Session) + text_octets +
               session->access_token.size() + session->id.size() +
               session->handle.size() + 96;
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

    static void free(Entry *entry) noexcept
    {
        entry->~Entry();
        ::operator delete(entry);
    }

    Entry *next = nullptr; // in its bucket
    Entry *older = nullptr;
    Entry *newer = nullptr;
    const CookieStyle *style;
    size_t text_octets;
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
    return characters * 0x9e3779b97f4a7c15U >> 24;
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
        static_cast<Entry **>(std::calloc(reserved_, sizeof(Entry *))));
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

    auto octets = octets_of(sealed);
    for (auto *entry = buckets_[bucket_of(*hash)]; entry != nullptr;
         entry = entry->next) {
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

    void *memory = ::operator new(sizeof(Entry) + octets_of(sealed));
    auto *entry = new (memory) Entry{opened, sealed, style};
    entry->hash = *hash;
    entry->used = now;

    make_room(entry->octets(), now);
    if (octets_ + entry->octets() > limit_) {
        Entry::free(entry);
        return;
    }
    put(entry);
}

void OpenedSessions::drop(Opened *opened) noexcept
{
    remove(static_cast<Entry *>(opened));
}

uint64_t OpenedSessions::bucket_of(uint64_t hash) const noexcept
{
    auto index = hash & (level_ * 2 - 1);
    return index < used_ ? index : index & (level_ - 1);
}

// The bucket that is next to be split gives the new one its part.
void OpenedSessions::grow() noexcept
{
    if (count_ <= used_ || used_ == reserved_) {
        return;
    }

    auto *left = std::exchange(buckets_[used_ - level_], nullptr);
    used_++;
    while (left != nullptr) {
        auto *entry = left;
        left = left->next;
        auto &bucket = buckets_[bucket_of(entry->hash)];
        entry->next = std::exchange(bucket, entry);
    }
    level_ = used_ == level_ * 2 ? used_ : level_;
}

void OpenedSessions::put(Entry *entry) noexcept
{
    auto &bucket = buckets_[bucket_of(entry->hash)];
    entry->next = std::exchange(bucket, entry);
    entry->placed = entry->used;
    append(entry);
    octets_ += entry->octets();
    count_++;
    grow();
}

void OpenedSessions::remove(Entry *entry) noexcept
{
    auto **link = &buckets_[bucket_of(entry->hash)];
    while (*link != entry) {
        link = &(*link)->next;
    }
    *link = entry->next;

    unlink(entry);
    octets_ -= entry->octets();
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

// Some steps only, whatever there is: those that are not used go, those that
// were used since they were placed are placed again; and if it is full all
// the same, the oldest go.
void OpenedSessions::make_room(size_t octets, Instant now) noexcept
{
    for (int i = 0; i < kSteps && oldest_ != nullptr; i++) {
        auto *entry = oldest_;
        bool is_full = octets_ + octets > limit_;

        if (!is_in_use(*entry, now) ||
            (is_full && entry->used == entry->placed)) {
            remove(entry);
        } else if (is_full || now - entry->placed >= kIdle) {
            unlink(entry);
            entry->placed = entry->used;
            append(entry);
        } else {
            break; // those behind it were placed later
        }
    }

    for (int i = 0;
         i < kSteps && oldest_ != nullptr && octets_ + octets > limit_; i++) {
        remove(oldest_);
    }
}

} // namespace bff::session
