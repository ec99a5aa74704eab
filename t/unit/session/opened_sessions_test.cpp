// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Who gets a session from the cache had all of the text that was opened; it
// takes no more memory than it may; and nothing is left of what went.

#include "core/session/opened_sessions.hpp"

#include <malloc.h>

#include "base/freed_memory.hpp"
#include "session/sample_session.hpp"
#include "support/tape_entropy.hpp"
#include "unit.hpp"

namespace bff::session {
namespace {

using namespace bff::unit;

constexpr size_t kMuch = 64 << 20;
constexpr size_t kRoom = 64 << 10; // for some twenty of keep()

const CookieStyle &style()
{
    static const CookieStyle style = cookie_style();
    return style;
}

// The cookies of a browser, and what is seen in them.
struct Shown {
    explicit Shown(std::string header) : header{std::move(header)} {}

    SealedSession sealed() const { return *sealed_session(header, style()); }

    std::string header;
};

Shown cookies_of(const Session &session, uint64_t seed = 1)
{
    TapeEntropy entropy{seed};
    return Shown{cookie_header(
        *write_session(session, style(), keyring(), entropy, ""))};
}

// As long as a usual one, and quickly made.
Shown some_cookie(uint64_t seed, size_t octets = 1500)
{
    return Shown{style().name + "=1" + base64url::encode(noise(octets, seed))};
}

OpenedSessions::Opened opened(const Session &session)
{
    return {session};
}

// Each with a token of its own.
Session session_of(uint64_t seed, size_t octets = 300)
{
    static const auto sample = sample_session(1);
    auto session = sample;
    session.access_token =
        Secret{base64url::encode(noise(octets, seed)).substr(0, octets)};
    return session;
}

void keep(OpenedSessions &cache, uint64_t seed, Instant now = kNow,
          size_t octets = 300)
{
    cache.keep(some_cookie(seed).sealed(), style(),
               opened(session_of(seed, octets)), now);
}

// Where there is no room, only who comes again gets some.
void keep_all_the_same(OpenedSessions &cache, uint64_t seed, Instant now = kNow)
{
    keep(cache, seed, now);
    keep(cache, seed, now);
}

bool has(OpenedSessions &cache, uint64_t seed, Instant now = kNow)
{
    auto shown = some_cookie(seed);
    auto *found = cache.find(shown.sealed(), style(), now);
    if (found == nullptr) {
        return false;
    }

    ck_assert(found->session->access_token.reveal() ==
              session_of(seed, found->session->access_token.size())
                  .access_token.reveal());
    return true;
}

// Where it stands, not far behind what was found.
std::string_view text_in(const void *found, std::string_view text)
{
    std::string_view memory{static_cast<const char *>(found),
                            1000 + text.size()};
    auto at = memory.find(text);
    ck_assert(at != memory.npos);
    return memory.substr(at, text.size());
}

// --- who finds it ---

TEST(opened_session_is_found_by_its_text)
{
    OpenedSessions cache{kMuch};
    auto shown = cookies_of(sample_session());
    auto copy = shown;
    ck_assert(cache.find(shown.sealed(), style(), kNow) == nullptr);

    cache.keep(shown.sealed(), style(), opened(sample_session()), kNow);
    ck_assert_uint_eq(cache.count(), 1);
    auto *found = cache.find(copy.sealed(), style(), kNow);
    ck_assert(found != nullptr);
    ck_assert(found->session->access_token.reveal() == sample_access_token());
}

TEST(one_octet_that_differs_finds_nothing)
{
    OpenedSessions cache{kMuch};
    auto shown = cookies_of(sample_session());
    cache.keep(shown.sealed(), style(), opened(sample_session()), kNow);

    auto begin = shown.header.find('=') + 2; // behind the number of chunks
    for (auto at = begin; at < shown.header.size(); at++) {
        auto other = shown;
        other.header[at] = other.header[at] == 'A' ? 'B' : 'A';
        ck_assert(cache.find(other.sealed(), style(), kNow) == nullptr);
    }
    ck_assert(cache.find(shown.sealed(), style(), kNow) != nullptr);
}

TEST(each_bit_of_each_octet_counts)
{
    OpenedSessions cache{kMuch};
    auto shown = some_cookie(1, 60);
    cache.keep(shown.sealed(), style(), opened(sample_session()), kNow);

    auto begin = shown.header.find('=') + 2;
    for (auto at = begin; at < shown.header.size(); at++) {
        for (int bit = 0; bit < 8; bit++) {
            auto other = shown;
            other.header[at] = static_cast<char>(other.header[at] ^ 1 << bit);
            auto sealed = sealed_session(other.header, style());
            if (sealed) { // no separator of cookies
                ck_assert(cache.find(*sealed, style(), kNow) == nullptr);
            }
        }
    }
}

TEST(two_octets_that_differ_alike_find_nothing)
{
    OpenedSessions cache{kMuch};
    auto shown = some_cookie(1, 300);
    cache.keep(shown.sealed(), style(), opened(sample_session()), kNow);

    auto begin = shown.header.find('=') + 40; // behind the nonce
    for (size_t apart = 1; apart <= 64; apart++) {
        auto other = shown;
        other.header[begin] = static_cast<char>(other.header[begin] ^ 1);
        auto &second = other.header[begin + apart];
        second = static_cast<char>(second ^ 1);
        ck_assert(cache.find(other.sealed(), style(), kNow) == nullptr);
    }
}

TEST(shorter_and_longer_text_finds_nothing)
{
    OpenedSessions cache{kMuch};
    auto shown = cookies_of(sample_session());
    cache.keep(shown.sealed(), style(), opened(sample_session()), kNow);

    auto value = shown.header.find('=') + 1;
    for (auto end = shown.header.size() - 1; end > value; end--) {
        Shown shorter{shown.header.substr(0, end)};
        ck_assert(cache.find(shorter.sealed(), style(), kNow) == nullptr);
    }
    for (std::string_view more : {"A", "AAAAAAAAAAAAAAAA", "=", " "}) {
        Shown longer{shown.header + std::string{more}};
        ck_assert(cache.find(longer.sealed(), style(), kNow) == nullptr);
    }
}

TEST(every_length_of_a_text_is_compared_to_its_end)
{
    for (size_t octets = 24; octets < 90; octets++) {
        OpenedSessions cache{kMuch};
        auto shown = some_cookie(octets, octets);
        auto other = shown;
        auto &last = other.header.back();
        last = last == 'A' ? 'B' : 'A';

        cache.keep(shown.sealed(), style(), opened(sample_session()), kNow);
        ck_assert(cache.find(shown.sealed(), style(), kNow) != nullptr);
        ck_assert(cache.find(other.sealed(), style(), kNow) == nullptr);
    }
}

TEST(text_without_a_whole_nonce_is_neither_kept_nor_found)
{
    OpenedSessions cache{kMuch};
    for (size_t octets = 0; octets < 14; octets++) {
        auto shown = some_cookie(1, octets);
        cache.keep(shown.sealed(), style(), opened(sample_session()), kNow);
        ck_assert(cache.find(shown.sealed(), style(), kNow) == nullptr);
    }
    ck_assert_uint_eq(cache.count(), 0);
}

// --- its chunks ---

// The same characters, cut at other places.
SealedSession cut_at(std::string_view text, size_t first, size_t second)
{
    return {{text.substr(0, first), text.substr(first, second),
             text.substr(first + second)},
            3};
}

std::string text_of(const Shown &shown)
{
    auto sealed = shown.sealed();
    std::string text;
    for (auto chunk : sealed.chunks) {
        text += chunk;
    }
    return text;
}

TEST(session_of_three_chunks_is_found_however_they_are_cut)
{
    OpenedSessions cache{kMuch};
    auto shown = cookies_of(large_session());
    auto text = text_of(shown);
    ck_assert_uint_eq(shown.sealed().count, 3);
    cache.keep(shown.sealed(), style(), opened(large_session()), kNow);
    ck_assert(cache.find(shown.sealed(), style(), kNow) != nullptr);

    for (size_t first : {20, 21, 36, 3001, 3968, 4000}) {
        for (size_t second : {0, 1, 15, 16, 17, 3013, 4000}) {
            auto sealed = cut_at(text, first, second);
            ck_assert(open_session(sealed, style(), keyring(), kNow));
            ck_assert(cache.find(sealed, style(), kNow) != nullptr);
        }
    }
    // where the first one is too short for the nonce, it is opened anew
    ck_assert(cache.find(cut_at(text, 19, 4000), style(), kNow) == nullptr);
    ck_assert_uint_eq(cache.count(), 1);
}

TEST(chunks_of_two_sessions_find_neither)
{
    OpenedSessions cache{kMuch};
    auto one = cookies_of(large_session(), 1);
    auto two = cookies_of(large_session(), 2);
    for (const auto *shown : {&one, &two}) {
        cache.keep(shown->sealed(), style(), opened(large_session()), kNow);
    }

    for (int mixture = 1; mixture < 7; mixture++) {
        auto sealed = one.sealed();
        for (int i = 0; i < 3; i++) {
            if (mixture & 1 << i) {
                sealed.chunks[i] = two.sealed().chunks[i];
            }
        }
        ck_assert(cache.find(sealed, style(), kNow) == nullptr);
    }

    auto swapped = one.sealed();
    std::swap(swapped.chunks[1], swapped.chunks[2]);
    ck_assert(cache.find(swapped, style(), kNow) == nullptr);
}

TEST(what_stands_behind_an_empty_chunk_counts)
{
    OpenedSessions cache{kMuch};
    auto shown = cookies_of(large_session());
    auto text = text_of(shown);
    cache.keep(shown.sealed(), style(), opened(large_session()), kNow);

    for (size_t first : {21, 3001, 3968}) {
        ck_assert(cache.find(cut_at(text, first, 0), style(), kNow) != nullptr);

        auto other = text;
        other.back() = other.back() == 'A' ? 'B' : 'A';
        ck_assert(cache.find(cut_at(other, first, 0), style(), kNow) ==
                  nullptr);
    }
}

TEST(session_is_found_only_under_its_own_style)
{
    OpenedSessions cache{kMuch};
    auto shown = cookies_of(sample_session());
    CookieStyle other = style(); // of another provider, with the same name
    cache.keep(shown.sealed(), style(), opened(sample_session()), kNow);

    ck_assert(cache.find(shown.sealed(), other, kNow) == nullptr);

    auto session = session_of(77);
    cache.keep(shown.sealed(), other, opened(session), kNow);
    ck_assert_uint_eq(cache.count(), 2);
    ck_assert(cache.find(shown.sealed(), style(), kNow)
                  ->session->access_token.reveal() == sample_access_token());
    ck_assert(cache.find(shown.sealed(), other, kNow)
                  ->session->access_token.reveal() ==
              session.access_token.reveal());
}

// --- what is kept ---

TEST(what_is_kept_is_brief_and_has_all_else)
{
    OpenedSessions cache{kMuch};
    auto session = sample_session();
    session.handle = Secret{std::string(32, 'h')};
    session.idle = Seconds{600};
    session.has_old_key = true;
    auto shown = cookies_of(sample_session());
    cache.keep(shown.sealed(), style(), {session, {7, 8}, 9}, kNow);

    const auto *found = cache.find(shown.sealed(), style(), kNow);
    const auto &kept = *found->session;
    ck_assert(kept.is_brief && kept.packed_details.empty());
    ck_assert(!session.is_brief && !session.packed_details.empty());

    // it lacks nothing else that a session has
    auto whole = kept;
    whole.packed_details = session.packed_details;
    ck_assert(encode(whole) == encode(session));
    ck_assert(kept.handle.reveal() == session.handle.reveal());
    ck_assert(kept.idle == session.idle);
    ck_assert(kept.has_old_key);
    ck_assert(found->ticket.slot == 7 && found->ticket.version == 8);
    ck_assert(found->unrevoked_at == 9);
}

TEST(what_is_kept_shares_nothing_with_what_was_opened)
{
    OpenedSessions cache{kMuch};
    auto shown = cookies_of(sample_session());
    SharedSession session{sample_session()};
    cache.keep(shown.sealed(), style(), {session}, kNow);

    auto *found = cache.find(shown.sealed(), style(), kNow);
    ck_assert(&*found->session != &*session);
    ck_assert(found->session->access_token.reveal().data() !=
              session->access_token.reveal().data());
}

TEST(what_was_found_lives_on_with_who_shares_it)
{
    OpenedSessions cache{kMuch};
    auto shown = cookies_of(sample_session());
    cache.keep(shown.sealed(), style(), opened(sample_session()), kNow);

    auto *found = cache.find(shown.sealed(), style(), kNow);
    auto session = found->session;
    cache.drop(found);
    ck_assert(session->access_token.reveal() == sample_access_token());
}

TEST(text_that_is_kept_twice_is_kept_once)
{
    OpenedSessions cache{kMuch};
    auto shown = some_cookie(1);
    auto sealed = shown.sealed();
    (void)session_of(1); // what it begins with is made once
    auto before = held_pieces();

    for (uint64_t seed = 1; seed <= 3; seed++) {
        cache.keep(sealed, style(), opened(session_of(seed)), kNow);
        ck_assert_uint_eq(cache.count(), 1);
        ck_assert(
            cache.find(sealed, style(), kNow)->session->access_token.reveal() ==
            session_of(seed).access_token.reveal());
    }

    cache.drop(cache.find(sealed, style(), kNow));
    ck_assert(cache.find(sealed, style(), kNow) == nullptr);
    ck_assert_uint_eq(cache.octets(), 0);
    ck_assert_uint_le(held_pieces(), before + 2); // for those to come
}

// As of a session whose tokens were renewed where it is stored.
TEST(who_comes_again_in_place_of_what_was_dropped_is_kept)
{
    OpenedSessions cache{kRoom};
    for (uint64_t seed = 1; cache.count() + 1 == seed; seed++) {
        keep(cache, seed);
    }

    cache.drop(cache.find(some_cookie(5).sealed(), style(), kNow));
    keep(cache, 5);
    ck_assert(has(cache, 5));
}

TEST(session_that_was_dropped_is_gone_and_others_stay)
{
    OpenedSessions cache{kMuch};
    for (uint64_t seed = 1; seed <= 100; seed++) {
        keep(cache, seed);
    }

    for (uint64_t seed = 1; seed <= 100; seed += 2) {
        cache.drop(cache.find(some_cookie(seed).sealed(), style(), kNow));
    }
    ck_assert_uint_eq(cache.count(), 50);
    for (uint64_t seed = 1; seed <= 100; seed++) {
        ck_assert(has(cache, seed) == (seed % 2 == 0));
    }
}

// --- how many ---

TEST(thousands_of_sessions_are_all_found_again)
{
    OpenedSessions cache{kMuch};
    constexpr uint64_t kMany = 2000;

    for (uint64_t seed = 1; seed <= kMany; seed++) {
        keep(cache, seed);
        ck_assert_uint_eq(cache.count(), seed);
        ck_assert(has(cache, seed) && has(cache, (seed + 1) / 2));
        ck_assert(!has(cache, seed + 1));
    }
    for (uint64_t seed = 1; seed <= kMany; seed++) {
        ck_assert(has(cache, seed));
    }

    for (uint64_t seed = 1; seed <= kMany; seed++) {
        cache.drop(cache.find(some_cookie(seed).sealed(), style(), kNow));
        ck_assert(!has(cache, seed));
    }
    ck_assert_uint_eq(cache.count(), 0);
    ck_assert_uint_eq(cache.octets(), 0);
}

// More of them than there are buckets, in the smallest one.
TEST(small_sessions_fill_it_to_its_limit)
{
    constexpr size_t limit = 64 << 10;
    OpenedSessions cache{limit};
    uint64_t all = 0;

    do {
        all++;
        cache.keep(some_cookie(all, 30).sealed(), style(),
                   opened(session_of(all, 1)), kNow);
    } while (cache.count() == all);
    ck_assert(cache.octets() <= limit && cache.octets() > limit * 9 / 10);

    uint64_t found = 0;
    for (uint64_t seed = 1; seed <= all; seed++) {
        auto shown = some_cookie(seed, 30);
        found += cache.find(shown.sealed(), style(), kNow) != nullptr ? 1 : 0;
    }
    ck_assert_uint_eq(found, cache.count());
}

TEST(it_never_takes_more_than_its_limit)
{
    for (size_t limit : {64 << 10, 100'000, 1 << 20}) {
        OpenedSessions cache{limit};
        auto now = kNow;

        for (uint64_t seed = 1; seed <= 2000; seed++) {
            auto octets = seed * 2654435761 % 4000;
            auto shown = some_cookie(seed, 24 + octets / 2);
            auto session = opened(session_of(seed, 1 + octets));
            for (int i = 0; i < 2; i++) {
                cache.keep(shown.sealed(), style(), session, now);
                ck_assert(cache.octets() <= limit);
            }
            ck_assert(cache.find(shown.sealed(), style(), now) != nullptr);
            now += Seconds{seed % 7 == 0 ? 1 : 0};
        }
        ck_assert(cache.octets() > limit / 2);
    }
}

TEST(it_counts_what_it_takes)
{
    constexpr size_t session = 2001 + 900;
    auto taken = [] { return mallinfo2().uordblks + mallinfo2().hblkhd; };
    OpenedSessions cache{kMuch};
    auto before = taken();
    for (uint64_t seed = 1; seed <= 1000; seed++) {
        keep(cache, seed, kNow, 900);
    }

    // 0, where malloc is another; it has memory in advance
    ck_assert_uint_le(taken() - before, cache.octets() + (512 << 10));
    ck_assert_uint_le(cache.octets(), 1000 * (session + 290));
}

TEST(session_that_is_too_large_is_not_kept_and_nobody_goes_for_it)
{
    constexpr size_t limit = 64 << 10;
    OpenedSessions cache{limit};
    for (uint64_t seed = 1; seed <= 15; seed++) {
        keep(cache, seed);
    }
    auto before = held_pieces();

    for (int i = 0; i < 3; i++) {
        keep(cache, 99, kNow, limit);
        ck_assert(!has(cache, 99));
    }
    ck_assert_uint_eq(cache.count(), 15);
    ck_assert_uint_eq(held_pieces(), before);
}

TEST(of_nothing_nothing_is_kept)
{
    OpenedSessions cache{0};
    auto shown = cookies_of(sample_session());
    auto before = held_pieces();

    ck_assert(cache.find(shown.sealed(), style(), kNow) == nullptr);
    cache.keep(shown.sealed(), style(), opened(sample_session()), kNow);
    ck_assert(cache.find(shown.sealed(), style(), kNow) == nullptr);
    ck_assert_uint_eq(cache.count(), 0);
    ck_assert_uint_eq(held_pieces(), before);
}

// --- who goes ---

TEST(sessions_that_are_used_stay_when_others_come)
{
    OpenedSessions cache{kRoom};
    auto now = kNow;
    keep(cache, 1, now);
    keep(cache, 2, now);

    for (uint64_t seed = 10; seed <= 500; seed++) {
        now += Seconds{1};
        ck_assert(has(cache, 1, now) && has(cache, 2, now));
        keep_all_the_same(cache, seed, now);
        ck_assert(has(cache, seed, now));
    }
    ck_assert(!has(cache, 10, now));
}

TEST(who_comes_once_pushes_nobody_out)
{
    OpenedSessions cache{kRoom};
    for (uint64_t seed = 1; cache.count() + 1 == seed; seed++) {
        keep(cache, seed);
    }
    auto count = cache.count();

    for (uint64_t seed = 100; seed <= 1000; seed++) {
        keep(cache, seed);
        ck_assert(!has(cache, seed));
    }
    for (uint64_t seed = 1; seed <= count; seed++) {
        ck_assert(has(cache, seed));
    }
}

TEST(who_comes_again_after_some_others_is_kept)
{
    OpenedSessions cache{kRoom};
    for (uint64_t round = 0; round < 2; round++) {
        for (uint64_t seed = 1; seed <= 100; seed++) {
            keep(cache, seed);
        }
    }
    ck_assert(has(cache, 99) && has(cache, 100));
    ck_assert(cache.octets() <= kRoom);
}

TEST(session_that_nobody_used_for_a_minute_goes)
{
    OpenedSessions cache{kMuch};
    keep(cache, 1);
    keep(cache, 2);
    ck_assert(has(cache, 2, kNow + Seconds{30}));

    keep(cache, 3, kNow + Seconds{59});
    ck_assert(has(cache, 1, kNow));
    keep(cache, 4, kNow + Seconds{60});
    ck_assert(!has(cache, 1, kNow + Seconds{60}));
    ck_assert(has(cache, 2, kNow + Seconds{60}));

    keep(cache, 5, kNow + Seconds{300});
    ck_assert_uint_eq(cache.count(), 1);
}

TEST(many_that_nobody_uses_go_some_at_a_time)
{
    OpenedSessions cache{kMuch};
    for (uint64_t seed = 1; seed <= 1000; seed++) {
        keep(cache, seed);
    }

    auto later = kNow + Seconds{3600};
    for (uint64_t seed = 2001; seed <= 2400; seed++) {
        auto before = cache.count();
        keep(cache, seed, later);
        ck_assert(cache.count() + 8 >= before); // so nobody waits for them
    }
    ck_assert_uint_eq(cache.count(), 400);
    for (uint64_t seed = 2001; seed <= 2400; seed++) {
        ck_assert(has(cache, seed, later));
    }
}

TEST(session_that_has_ended_goes_first)
{
    OpenedSessions cache{kMuch};
    auto session = session_of(1);
    session.expires = kNow + Seconds{5};
    cache.keep(some_cookie(1).sealed(), style(), opened(session), kNow);
    keep(cache, 2);

    keep(cache, 3, kNow + Seconds{5});
    ck_assert_uint_eq(cache.count(), 2);
    ck_assert(!has(cache, 1, kNow));
}

TEST(clock_that_is_set_back_makes_nobody_idle_and_the_limit_stays)
{
    OpenedSessions cache{kRoom};
    for (uint64_t seed = 1; seed <= 10; seed++) {
        keep(cache, seed);
    }

    auto now = kNow - Seconds{86400};
    keep(cache, 11, now);
    ck_assert_uint_eq(cache.count(), 11);
    for (uint64_t seed = 1; seed <= 11; seed++) {
        ck_assert(has(cache, seed, now));
    }

    for (uint64_t seed = 100; seed <= 1000; seed++) {
        keep_all_the_same(cache, seed, now);
        ck_assert(cache.octets() <= kRoom);
        ck_assert(has(cache, seed, now));
        now -= Seconds{1};
    }
    ck_assert(!has(cache, 1, now) && !has(cache, 11, now));
}

TEST(clock_that_jumps_about_breaks_nothing)
{
    OpenedSessions cache{kRoom};
    for (uint64_t seed = 1; seed <= 2000; seed++) {
        auto jump = static_cast<int64_t>(seed * 2654435761 % 400) - 200;
        auto now = kNow + Seconds{jump};
        has(cache, seed * 7 % (seed + 1), now);
        keep_all_the_same(cache, seed, now);
        ck_assert(cache.octets() <= kRoom);
        ck_assert(has(cache, seed, now));
    }
}

// --- what is left of it ---

bool is_zero(std::string_view bytes)
{
    return bytes == std::string(bytes.size(), '\0');
}

TEST(secrets_and_text_are_wiped_when_a_session_goes)
{
    OpenedSessions cache{kMuch};
    auto shown = cookies_of(sample_session());
    auto session = sample_session();
    session.handle = Secret{std::string(32, 'h')};
    cache.keep(shown.sealed(), style(), opened(session), kNow);

    auto *found = cache.find(shown.sealed(), style(), kNow);
    auto token = found->session->access_token.reveal();
    auto handle = found->session->handle.reveal();
    auto text = text_in(found, text_of(shown));
    cache.drop(found);
    ck_assert(is_zero(token) && is_zero(handle) && is_zero(text));
}

TEST(who_holds_a_session_that_went_keeps_it_until_he_lets_go)
{
    OpenedSessions cache{kRoom};
    auto shown = some_cookie(1);
    keep(cache, 1);
    auto *found = cache.find(shown.sealed(), style(), kNow);
    auto session = found->session;
    auto text = text_in(found, text_of(shown));
    cache.drop(found);
    ck_assert(is_zero(text)); // nobody needs that

    for (uint64_t seed = 10; seed <= 100; seed++) {
        keep_all_the_same(cache, seed);
    }
    auto token = session->access_token.reveal();
    ck_assert(token == session_of(1).access_token.reveal());

    session = std::nullopt;
    ck_assert(is_zero(token));
}

TEST(who_holds_a_secret_of_a_session_that_went_keeps_it_until_he_lets_go)
{
    for (bool is_token : {true, false}) {
        OpenedSessions cache{kRoom};
        auto kept = session_of(1);
        kept.handle = Secret{std::string(32, 'h')};
        cache.keep(some_cookie(1).sealed(), style(), opened(kept), kNow);
        auto *found = cache.find(some_cookie(1).sealed(), style(), kNow);
        auto held =
            is_token ? found->session->access_token : found->session->handle;
        cache.drop(found);

        for (uint64_t seed = 10; seed <= 100; seed++) {
            keep_all_the_same(cache, seed);
        }
        auto bytes = held.reveal();
        ck_assert(bytes ==
                  (is_token ? kept.access_token : kept.handle).reveal());

        held = {};
        ck_assert(is_zero(bytes));
    }
}

TEST(memory_that_was_held_is_used_again_afterwards)
{
    OpenedSessions cache{kRoom};
    std::vector<SharedSession> held;
    uint64_t seed = 0;
    do {
        keep(cache, ++seed);
        if (auto *found =
                cache.find(some_cookie(seed).sealed(), style(), kNow)) {
            held.push_back(found->session);
        }
    } while (held.size() == seed);

    // nobody's place can be had, so nobody goes
    keep_all_the_same(cache, 1000);
    ck_assert(!has(cache, 1000));
    for (uint64_t i = 1; i <= held.size(); i++) {
        ck_assert(has(cache, i));
    }

    auto most = held.size();
    held.clear();
    for (uint64_t i = 2000; i < 2000 + 4 * most; i++) {
        keep_all_the_same(cache, i);
        ck_assert(has(cache, i));
    }
    ck_assert_uint_eq(cache.count(), most);
}

TEST(who_is_held_stays_although_his_activity_was_set)
{
    OpenedSessions cache{kRoom};
    keep(cache, 1);
    auto held = cache.find(some_cookie(1).sealed(), style(), kNow)->session;
    auto *found = cache.find(some_cookie(1).sealed(), style(), kNow);
    found->session.set_active(kNow + Seconds{5});
    auto again = found->session;

    for (uint64_t seed = 10; seed <= 100; seed++) {
        keep_all_the_same(cache, seed);
    }
    ck_assert(has(cache, 1));
    ck_assert(again->active == kNow + Seconds{5});
    ck_assert(held->access_token.reveal() ==
              session_of(1).access_token.reveal());
}

// As of thousands that have expired, or are lost in their store.
TEST(many_that_were_dropped_are_found_some_at_a_time)
{
    OpenedSessions cache{kMuch};
    for (uint64_t seed = 1; seed <= 2000; seed++) {
        keep(cache, seed);
    }
    for (uint64_t seed = 1; seed <= 2000; seed++) {
        cache.drop(cache.find(some_cookie(seed).sealed(), style(), kNow));
    }

    auto later = kNow + Seconds{1};
    for (uint64_t seed = 3001; seed <= 3200; seed++) {
        auto before = held_pieces();
        keep(cache, seed, later);
        ck_assert(held_pieces() + 8 >= before);
        ck_assert(has(cache, seed, later));
    }
    ck_assert_uint_eq(cache.count(), 200);
}

TEST(what_is_held_when_the_cache_goes_stays)
{
    static SharedSession session; // its memory is still somebody's
    {
        OpenedSessions cache{kRoom};
        keep(cache, 1);
        keep(cache, 2);
        session = cache.find(some_cookie(2).sealed(), style(), kNow)->session;
    }
    ck_assert(session->access_token.reveal() ==
              session_of(2).access_token.reveal());
}

TEST(token_is_wiped_when_the_cache_goes)
{
    auto shown = cookies_of(sample_session());
    auto cache = std::make_unique<OpenedSessions>(kMuch);
    keep(*cache, 1);
    cache->keep(shown.sealed(), style(), opened(sample_session()), kNow);
    auto *found = cache->find(shown.sealed(), style(), kNow);

    Freed freed{found->session->access_token.reveal()};
    cache.reset();
    ck_assert(freed.is_freed() && freed.is_zero());
}

TEST(nothing_is_left_when_the_cache_goes)
{
    (void)style(); // these are made once
    (void)session_of(1);
    auto before = held_pieces();
    {
        OpenedSessions cache{kMuch};
        for (uint64_t seed = 1; seed <= 100; seed++) {
            keep(cache, seed);
        }
        ck_assert(held_pieces() > before);
    }
    ck_assert_uint_eq(held_pieces(), before);
}

// It is had for many at once.
TEST(no_memory_for_a_session_loses_none_and_leaks_nothing)
{
    (void)style(); // these are made once
    (void)session_of(1);
    OpenedSessions cache{kMuch};
    auto before = held_pieces();
    size_t failed = 0;

    for (uint64_t seed = 1; seed <= 300; seed++) {
        auto shown = some_cookie(seed);
        auto sealed = shown.sealed();
        auto session = opened(session_of(seed));
        auto held = held_pieces();
        try {
            OutOfMemory none{0};
            cache.keep(sealed, style(), session, kNow);
        } catch (const std::bad_alloc &) {
            failed++;
            ck_assert_uint_eq(held_pieces(), held);
            ck_assert(cache.find(sealed, style(), kNow) == nullptr);
            cache.keep(sealed, style(), session, kNow);
        }
        ck_assert_uint_eq(cache.count(), seed);
    }
    ck_assert_uint_ge(failed, 2);
    ck_assert_uint_le(held_pieces(), before + failed + 1); // their list
    for (uint64_t seed = 1; seed <= 300; seed++) {
        ck_assert(has(cache, seed));
    }
}

} // namespace
} // namespace bff::session
