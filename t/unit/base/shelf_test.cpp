// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// That no two pieces share an octet, that there is never more memory than was
// allowed, and that what was given back is found again.

#include "core/base/shelf.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "base/freed_memory.hpp"
#include "unit.hpp"

namespace bff {
namespace {

using namespace bff::unit;

constexpr size_t kSegment = 256 << 10;

Shelf::Piece *take(Shelf &shelf, size_t octets)
{
    return static_cast<Shelf::Piece *>(shelf.take(octets));
}

// Of his own number, behind what stands at its beginning.
void fill(Shelf::Piece *piece, unsigned char number)
{
    auto *octets = reinterpret_cast<unsigned char *>(piece + 1);
    std::fill_n(octets, piece->octets - sizeof(*piece), number);
}

bool has_all(Shelf::Piece *piece, unsigned char number)
{
    auto *octets = reinterpret_cast<unsigned char *>(piece + 1);
    for (size_t i = 0; i < piece->octets - sizeof(*piece); i++) {
        if (octets[i] != number) {
            return false;
        }
    }
    return true;
}

// It goes a few steps at once.
Shelf::Piece *next(Shelf &shelf)
{
    Shelf::Piece *piece = nullptr;
    for (int i = 0; i < 1000 && piece == nullptr; i++) {
        piece = shelf.at_hand();
    }
    return piece;
}

// The one after the other, as often as there are pieces.
std::set<Shelf::Piece *> all_of(Shelf &shelf)
{
    std::set<Shelf::Piece *> found;
    while (auto *piece = next(shelf)) {
        if (!found.insert(piece).second) {
            break;
        }
        shelf.pass();
    }
    return found;
}

TEST(pieces_of_a_shelf_have_what_was_asked_for)
{
    Shelf shelf{1 << 20};
    for (size_t octets : {1, 15, 16, 17, 3000, 262144}) {
        auto *piece = take(shelf, octets);
        ck_assert(piece->octets >= octets && piece->octets < octets + 16);
        ck_assert_uint_eq(reinterpret_cast<uintptr_t>(piece) % 16, 0);
        ck_assert(!piece->is_free);
    }
}

TEST(too_large_a_piece_is_not_had)
{
    Shelf shelf{1 << 20};
    ck_assert_uint_eq(shelf.largest(), kSegment);
    ck_assert(take(shelf, kSegment + 1) == nullptr);
    ck_assert(take(shelf, kSegment) != nullptr);
}

TEST(shelf_of_nothing_has_nothing)
{
    for (size_t octets : {0, 1, 20}) {
        Shelf shelf{octets};
        ck_assert(take(shelf, 1) == nullptr);
        ck_assert(next(shelf) == nullptr);
    }
}

TEST(shelf_has_no_more_than_it_may)
{
    for (size_t most : {64 << 10, 100'000, 1 << 20, 1'000'000}) {
        Shelf shelf{most};
        size_t all = 0;
        while (auto *piece = take(shelf, 1000)) {
            all += piece->octets;
            ck_assert_uint_le(all, most);
        }
        ck_assert_uint_ge(all, most / 4 * 3);
    }
}

TEST(memory_is_had_when_it_is_needed)
{
    auto before = held_pieces();
    {
        Shelf shelf{64 << 20};
        ck_assert_uint_eq(held_pieces(), before);
        (void)take(shelf, kSegment / 2);
        auto made = held_pieces();
        (void)take(shelf, kSegment / 2);
        ck_assert_uint_eq(held_pieces(), made);
        (void)take(shelf, 1);
        ck_assert_uint_eq(held_pieces(), made + 1);
    }
    ck_assert_uint_eq(held_pieces(), before);
}

TEST(hand_finds_everybody_once_a_round)
{
    Shelf shelf{1 << 20};
    std::set<Shelf::Piece *> taken;
    for (int i = 0; i < 500; i++) {
        taken.insert(take(shelf, 1000));
    }

    ck_assert(all_of(shelf) == taken);
    for (int i = 0; i < 250; i++) {
        auto *piece = *taken.begin();
        taken.erase(piece);
        shelf.give_back(*piece);
    }
    ck_assert(all_of(shelf) == taken);
}

TEST(neighbours_that_went_make_room_for_a_larger_one)
{
    Shelf shelf{2 * kSegment};
    std::vector<Shelf::Piece *> pieces;
    while (auto *piece = take(shelf, 1024)) {
        pieces.push_back(piece);
    }

    for (size_t i = 100; i < 104; i++) {
        shelf.give_back(*pieces[i]);
    }
    ck_assert(take(shelf, 4096) == nullptr); // nobody has seen that yet
    for (size_t i = 0; i < 100; i++) {
        ck_assert(next(shelf) == pieces[i]);
        shelf.pass();
    }
    ck_assert(next(shelf) == pieces[104]);
    ck_assert(take(shelf, 4096) == pieces[100]);
    ck_assert(take(shelf, 1) == nullptr);
}

TEST(who_goes_at_the_hand_makes_room_at_once)
{
    Shelf shelf{2 * kSegment};
    while (take(shelf, 1024) != nullptr) {
    }

    for (int i = 0; i < 600; i++) {
        auto *first = next(shelf);
        shelf.give_back(*first);
        ck_assert(take(shelf, 1024) == first);
        ck_assert(take(shelf, 16) == nullptr);
    }
}

TEST(hand_goes_no_further_than_some_steps_at_once)
{
    Shelf shelf{4 << 20};
    std::vector<Shelf::Piece *> pieces;
    while (auto *piece = take(shelf, 1024)) {
        pieces.push_back(piece);
    }
    for (size_t i = 1; i + 1 < pieces.size(); i++) {
        shelf.give_back(*pieces[i]);
    }

    shelf.pass();
    size_t calls = 1;
    while (shelf.at_hand() == nullptr) {
        calls++;
    }
    ck_assert(shelf.at_hand() == pieces.back());
    ck_assert_uint_ge(calls, pieces.size() / 32);
    ck_assert_uint_le(calls, pieces.size() / 32 + 20);
}

TEST(one_segment_goes_back_at_once)
{
    Shelf shelf{64 * kSegment};
    std::vector<Shelf::Piece *> pieces;
    for (int i = 0; i < 20; i++) {
        pieces.push_back(take(shelf, kSegment));
    }
    for (auto *piece : pieces) {
        shelf.give_back(*piece);
    }

    for (int i = 0; i < 40; i++) {
        auto before = held_pieces();
        ck_assert(shelf.at_hand() == nullptr);
        ck_assert_uint_ge(held_pieces() + 1, before);
    }
    ck_assert(take(shelf, kSegment) != nullptr);
}

TEST(memory_that_nobody_needs_goes_back)
{
    Shelf shelf{64 * kSegment};
    std::vector<Shelf::Piece *> pieces;
    pieces.reserve(40);
    auto *last = take(shelf, kSegment);
    auto before = held_pieces();
    for (int i = 0; i < 40; i++) {
        pieces.push_back(take(shelf, kSegment / 4));
    }
    ck_assert_uint_eq(held_pieces(), before + 10);

    for (auto *piece : pieces) {
        shelf.give_back(*piece);
    }
    ck_assert(next(shelf) == last);
    shelf.pass();
    ck_assert(next(shelf) == last); // all others were passed by
    ck_assert_uint_le(held_pieces(), before + 1);

    shelf.give_back(*last);
    ck_assert(next(shelf) == nullptr);
    ck_assert(take(shelf, kSegment) != nullptr);
    ck_assert_uint_le(held_pieces(), before + 1);
}

TEST(what_is_left_behind_stays)
{
    static Shelf::Piece *piece; // still somebody's
    {
        Shelf shelf{1 << 20};
        piece = take(shelf, 1000);
        fill(piece, 7);
        shelf.leave_behind();
    }
    ck_assert(has_all(piece, 7));
}

TEST(no_memory_changes_nothing)
{
    Shelf shelf{1 << 20};
    auto *piece = take(shelf, 200'000);
    for (int i = 0; i < 2; i++) {
        bool has_failed = false;
        try {
            OutOfMemory none{0};
            (void)shelf.take(100'000);
        } catch (const std::bad_alloc &) {
            has_failed = true;
        }
        ck_assert(has_failed);
    }
    ck_assert(all_of(shelf) == std::set{piece});
    ck_assert(take(shelf, 100'000) != nullptr);
}

// As a model of it would have it: whoever is there has his own octets.
TEST(pieces_of_any_size_in_any_order_never_overlap)
{
    Shelf shelf{5 * kSegment};
    std::map<Shelf::Piece *, unsigned char> there;
    uint64_t random = 1;
    auto any = [&](uint64_t below) {
        random = random * 6364136223846793005 + 1442695040888963407;
        return (random >> 33) % below;
    };

    for (int round = 0; round < 20'000; round++) {
        size_t octets = 1 + any(any(20) == 0 ? 60'000 : 5000);
        auto *piece = take(shelf, octets + sizeof(Shelf::Piece));
        if (piece != nullptr) {
            auto number = static_cast<unsigned char>(round);
            ck_assert(there.emplace(piece, number).second);
            fill(piece, number);
        }

        for (auto i = any(4); i > 0 && !there.empty(); i--) {
            auto one = any(2) == 0 ? there.find(next(shelf))
                                   : there.lower_bound(piece);
            if (one == there.end()) {
                if (next(shelf) != nullptr) {
                    shelf.pass();
                }
                continue;
            }
            ck_assert(has_all(one->first, one->second));
            shelf.give_back(*one->first);
            there.erase(one);
        }
    }

    for (const auto &[piece, number] : there) {
        ck_assert(has_all(piece, number));
    }
    ck_assert_uint_eq(all_of(shelf).size(), there.size());
}

} // namespace
} // namespace bff
