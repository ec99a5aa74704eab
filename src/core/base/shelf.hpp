// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// At most so much memory, cut into pieces as they are wanted.
//
// Nothing ever moves. A hand goes round over all pieces; the free ones that it
// passes join, so that there is room for a larger one. Who is asked to go is
// for whoever uses the shelf to say: he looks at who is at the hand.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace bff {

class Shelf {
public:
    // What stands at the beginning of each piece.
    struct Piece {
        uint32_t octets = 0; // with itself; a multiple of 16
        bool is_free = true;
    };

    explicit Shelf(size_t octets);

    size_t largest() const noexcept { return segment_; }

    // Aligned to 16 octets, its Piece is set; null: there is no room. Throws
    // where memory cannot be had.
    void *take(size_t octets);
    void give_back(Piece &piece) noexcept;

    // Who is at the hand. Null: it has passed some free ones, and is at nobody
    // so far; it goes on with the next call.
    Piece *at_hand() noexcept;
    void pass() noexcept;

    // The memory stays as it is when the shelf goes.
    void leave_behind() noexcept;

private:
    struct Freed {
        void operator()(char *memory) const noexcept;
    };
    using Segment = std::unique_ptr<char, Freed>;

    Piece *cut(Piece *&from, uint32_t octets) noexcept;
    bool add_segment();
    bool next_segment() noexcept;
    void leave_gap() noexcept;
    void join(Piece &piece) noexcept;
    Piece *piece_at_hand() const noexcept;

    size_t most_;          // segments
    uint32_t segment_ = 0; // octets
    std::vector<Segment> segments_;

    // Where there is room: what was never cut, and what lies before the hand.
    Piece *rest_ = nullptr;
    Piece *gap_ = nullptr;
    size_t hand_ = 0; // the segment
    uint32_t at_ = 0; // octets into it
};

} // namespace bff
