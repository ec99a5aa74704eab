// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The sessions that this worker has opened recently.
//
// A hit writes nothing but the time of its use; who goes is seen when another
// one comes, a few at a time: the hand of their shelf passes those that were
// used since it came by ("second chance").

#include "core/session/opened_sessions.hpp"

#include <bit>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

namespace bff::session {
namespace {

constexpr Seconds kIdle{60};         // unused for so long: it may go
constexpr size_t kLeastOctets = 512; // of any entry, about
constexpr uint64_t kFirstBuckets = 64;
constexpr int kSteps = 8;   // at most so many get a second chance at once,
constexpr int kLooks = 256; // and so many are looked at

constexpr size_t kNonceAt = 12; // characters of the text, within the nonce

// By words, since CRYPTO_memcmp takes octets one by one: of a whole cookie
// that costs as much as opening it. No word's outcome ends the loop.
template <class Words>
[[gnu::always_inline]] inline bool are_equal_by(const char *a, const char *b,
                                                size_t octets) noexcept
{
    Words difference{};
    auto compare = [&](size_t at) {
        Words left, right;
        std::memcpy(&left, a + at, sizeof(Words));
        std::memcpy(&right, b + at, sizeof(Words));
        difference |= left ^ right;
    };

    size_t at = 0;
    for (; at + 2 * sizeof(Words) <= octets; at += 2 * sizeof(Words)) {
        compare(at);
        compare(at + sizeof(Words));
    }

    unsigned char rest = 0;
    if (at > 0) { // the last ones, some of them once more
        compare(octets - 2 * sizeof(Words));
        compare(octets - sizeof(Words));
    } else {
        for (; at < octets; at++) {
            rest |= static_cast<unsigned char>(a[at] ^ b[at]);
        }
    }

    uint64_t all = rest;
    for (size_t i = 0; i < sizeof(Words) / sizeof(all); i++) {
        all |= difference[i];
    }
    return all == 0;
}

using Narrow = uint64_t __attribute__((vector_size(16)));

#if defined(__x86_64__)

using Wide = uint64_t __attribute__((vector_size(32)));

__attribute__((target("avx2"))) bool
are_equal_wide(const char *a, const char *b, size_t octets) noexcept
{
    return are_equal_by<Wide>(a, b, octets);
}

bool has_wide_words() noexcept
{
    static const bool has = __builtin_cpu_supports("avx2") != 0;
    return has;
}

bool are_equal(const char *a, const char *b, size_t octets) noexcept
{
    return has_wide_words() ? are_equal_wide(a, b, octets)
                            : are_equal_by<Narrow>(a, b, octets);
}

#else

bool are_equal(const char *a, const char *b, size_t octets) noexcept
{
    return are_equal_by<Narrow>(a, b, octets);
}

#endif

size_t octets_of(const SealedSession &sealed) noexcept
{
    size_t octets = 0;
    for (auto chunk : sealed.chunks) {
        octets += chunk.size();
    }
    return octets;
}

size_t aligned(size_t octets) noexcept
{
    return (octets + 3) / 4 * 4;
}

size_t room_for(const Secret &secret) noexcept
{
    return secret.empty() ? 0 : aligned(Secret::place_for(secret.size()));
}

// The nonce's characters are as good as random, for each of our sealings.
std::optional<uint64_t> hash_of(std::string_view text) noexcept
{
    uint64_t characters = 0;
    if (text.size() < kNonceAt + sizeof(characters)) {
        return std::nullopt;
    }

    std::memcpy(&characters, text.data() + kNonceAt, sizeof(characters));
    return characters * 0x9e3779b97f4a7c15U >> 16;
}

uint32_t tag_of(uint64_t hash) noexcept
{
    return static_cast<uint32_t>(hash >> 16) | 1; // 0 is nobody's
}

} // namespace

// All that is known of a session, in one piece: its text stands behind it, its
// token and its handle behind that.
struct OpenedSessions::Entry : Shelf::Piece, Opened {
    Entry(const Shelf::Piece &piece, const Opened &opened,
          const SealedSession &sealed, const CookieStyle &style) noexcept;

    static size_t octets_for(const SealedSession &sealed,
                             const Session &session) noexcept
    {
        return sizeof(Entry) + aligned(octets_of(sealed)) +
               room_for(session.access_token) + room_for(session.handle);
    }

    char *text() noexcept { return reinterpret_cast<char *>(this + 1); }
    uint64_t hash() noexcept { return *hash_of({text(), text_octets}); }
    bool is(const SealedSession &sealed) noexcept;

    // Nobody finds it any more; a request may still hold what it found.
    void close() noexcept;
    bool is_held() const noexcept;
    bool is_in_use(Instant now) const noexcept;
    bool was_used() const noexcept { return !is_gone && used != placed; }

    Entry *next = nullptr; // in its bucket
    const CookieStyle *style;
    uint32_t text_octets;
    bool is_gone = false;
    Instant used{};
    Instant placed{};
    const void *token = nullptr; // where they are, if there are any
    const void *handle = nullptr;
    SharedSession::Place place;
};

namespace {

Session brief(const Session &session)
{
    auto kept = session;
    kept.access_token = {};
    kept.packed_details = {};
    kept.handle = {};
    kept.is_brief = true;

    return kept;
}

// Copied from beginning to end, since what is shared with a request stands
// among what that request needed for a moment. Goes on behind it.
Secret put_secret(char *&at, const Secret &secret, const void *&place) noexcept
{
    if (secret.empty()) {
        return {};
    }

    auto *memory = std::exchange(at, at + room_for(secret));
    place = memory;
    return Secret::placed(memory, secret.reveal());
}

} // namespace

OpenedSessions::Entry::Entry(const Shelf::Piece &piece, const Opened &opened,
                             const SealedSession &sealed,
                             const CookieStyle &style) noexcept
    : Shelf::Piece{piece}, Opened{std::nullopt, opened.ticket,
                                  opened.unrevoked_at},
      style{&style}, text_octets{static_cast<uint32_t>(octets_of(sealed))},
      place{brief(*opened.session), 0, true}
{
    auto *end = text();
    for (auto chunk : sealed.chunks) {
        end += chunk.copy(end, chunk.size());
    }

    auto *at = text() + aligned(text_octets);
    const auto &known = *opened.session;
    place.session.access_token = put_secret(at, known.access_token, token);
    place.session.handle = put_secret(at, known.handle, handle);
    session = SharedSession{place};
}

bool OpenedSessions::Entry::is(const SealedSession &sealed) noexcept
{
    bool is_equal = true;
    const auto *at = text();
    for (auto chunk : sealed.chunks) {
        if (!chunk.empty()) { // those behind it may have something
            is_equal &= are_equal(at, chunk.data(), chunk.size());
            at += chunk.size();
        }
    }
    return is_equal;
}

void OpenedSessions::Entry::close() noexcept
{
    is_gone = true;
    session = std::nullopt;
    explicit_bzero(text(), text_octets);
}

bool OpenedSessions::Entry::is_held() const noexcept
{
    return place.holders > 0 || (token != nullptr && Secret::is_held(token)) ||
           (handle != nullptr && Secret::is_held(handle));
}

void OpenedSessions::Freed::operator()(void *memory) const noexcept
{
    std::free(memory);
}

// calloc takes a large piece from the system as it is, all zeros.
OpenedSessions::OpenedSessions(size_t octets)
    : limit_{octets}, reserved_{octets == 0
                                    ? 0
                                    : std::max(
                                          std::bit_floor(octets / kLeastOctets),
                                          kFirstBuckets)},
      shelf_{octets - std::min(octets, reserved_ * sizeof(Bucket))}
{
    if (reserved_ == 0) {
        return;
    }

    buckets_.reset(
        static_cast<Bucket *>(std::calloc(reserved_, sizeof(Bucket))));
    if (buckets_ == nullptr) {
        throw std::bad_alloc{};
    }
    used_ = level_ = kFirstBuckets;
}

// What is held still is left where it is: whoever holds it goes with all else.
OpenedSessions::~OpenedSessions()
{
    for (auto left = pieces_; left > 0;) {
        if (auto *entry = at_hand()) {
            let_go(entry);
            left--;
        }
    }
    if (pieces_ > 0) {
        shelf_.leave_behind();
    }
}

OpenedSessions::Opened *OpenedSessions::find(const SealedSession &sealed,
                                             const CookieStyle &style,
                                             Instant now) noexcept
{
    auto hash = hash_of(sealed.chunks[0]);
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
        if (entry->style == &style && entry->text_octets == octets &&
            entry->hash() == *hash && entry->is(sealed)) {
            entry->used = now;
            return entry;
        }
    }
    return nullptr;
}

void OpenedSessions::keep(const SealedSession &sealed, const CookieStyle &style,
                          const Opened &opened, Instant now)
{
    auto hash = hash_of(sealed.chunks[0]);
    if (!hash || limit_ == 0) {
        return;
    }

    if (auto *known = find(sealed, style, now)) {
        drop(known); // there is one of each text
    }
    drop_idle(now);
    auto octets = Entry::octets_for(sealed, *opened.session);
    if (auto *memory = take_room(*hash, octets)) {
        auto piece = *static_cast<Shelf::Piece *>(memory);
        auto *entry = new (memory) Entry{piece, opened, sealed, style};
        entry->used = entry->placed = now;
        put(entry, *hash);
    }
}

void *OpenedSessions::take_room(uint64_t hash, size_t octets)
{
    if (octets > shelf_.largest()) {
        return nullptr;
    }

    auto *memory = shelf_.take(octets);
    return memory != nullptr || !comes_again(hash) ? memory : make_room(octets);
}

void OpenedSessions::put(Entry *entry, uint64_t hash) noexcept
{
    put_into(bucket_of(hash), entry);
    octets_ += entry->octets;
    count_++;
    pieces_++;
    grow();
}

// Who comes again in its place has been here already.
void OpenedSessions::drop(Opened *opened) noexcept
{
    auto *entry = static_cast<Entry *>(opened);

    (void)comes_again(entry->hash());
    close(entry);
    if (!entry->is_held()) {
        give_back(entry);
    }
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
        put_into(bucket_of(entry->hash()), entry);
    }
    level_ = used_ == level_ * 2 ? used_ : level_;
}

void OpenedSessions::put_into(Bucket &bucket, Entry *entry) noexcept
{
    entry->next = std::exchange(bucket.first, entry);
    bucket.tag = tag_of(entry->hash());
    bucket.entries++;
}

void OpenedSessions::close(Entry *entry) noexcept
{
    auto &bucket = bucket_of(entry->hash());
    auto **link = &bucket.first;
    while (*link != entry) {
        link = &(*link)->next;
    }
    *link = entry->next;
    bucket.entries--;
    if (bucket.first != nullptr) {
        bucket.tag = tag_of(bucket.first->hash());
    }

    octets_ -= entry->octets;
    count_--;
    entry->close();
}

void OpenedSessions::give_back(Entry *entry) noexcept
{
    pieces_--;
    shelf_.give_back(*entry);
}

// Was it here a while ago, when there was no room either?
bool OpenedSessions::comes_again(uint64_t hash) noexcept
{
    auto tag = tag_of(hash);
    return std::exchange(seen_[hash % seen_.size()], tag) == tag;
}

OpenedSessions::Entry *OpenedSessions::at_hand() noexcept
{
    return static_cast<Entry *>(shelf_.at_hand());
}

bool OpenedSessions::Entry::is_in_use(Instant now) const noexcept
{
    return !is_gone && now - used < kIdle && !session->is_expired(now);
}

// Some steps, and none for a second once somebody is at the hand who was placed
// lately: so were those behind. A clock that was set back makes nobody idle.
void OpenedSessions::drop_idle(Instant now) noexcept
{
    if (now == looked_) {
        return;
    }

    for (int i = 0; i < kSteps; i++) {
        auto *entry = at_hand();
        if (entry == nullptr) {
            continue;
        }
        if (!entry->is_in_use(now)) {
            let_go(entry);
        } else if (now - entry->placed >= kIdle) {
            pass(entry);
        } else {
            looked_ = now;
            return;
        }
    }
}

// Who was used since he was placed stays for another round, but not for ever;
// who is held stays, since his memory cannot be had.
void *OpenedSessions::make_room(size_t octets)
{
    void *memory = nullptr;
    int chances = kSteps;

    for (int i = 0; i < kLooks && memory == nullptr; i++) {
        auto *entry = at_hand();
        if (entry != nullptr && (entry->session.is_shared() ||
                                 (entry->was_used() && chances-- > 0))) {
            pass(entry);
            continue;
        }
        if (entry != nullptr) {
            let_go(entry);
        }
        memory = shelf_.take(octets);
    }
    return memory;
}

// It goes, or is passed by as long as somebody holds it.
void OpenedSessions::let_go(Entry *entry) noexcept
{
    if (!entry->is_gone) {
        close(entry);
    }
    if (entry->is_held()) {
        shelf_.pass();
    } else {
        give_back(entry);
    }
}

void OpenedSessions::pass(Entry *entry) noexcept
{
    entry->placed = entry->used;
    shelf_.pass();
}

} // namespace bff::session
