// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Memory is had in segments, so that what nobody needs any more goes back.

#include "core/base/shelf.hpp"

#include <algorithm>
#include <new>
#include <utility>

namespace bff {
namespace {

constexpr size_t kSegmentOctets = size_t{256} << 10;
constexpr size_t kAlign = 16;
constexpr int kSteps = 32; // of the hand, at once

} // namespace

Shelf::Shelf(size_t octets)
    : most_{std::max<size_t>(octets / kSegmentOctets, octets > 0 ? 2 : 0)}
{
    if (most_ > 0) {
        auto each = std::min(octets / most_, kSegmentOctets);
        segment_ = static_cast<uint32_t>(each / kAlign * kAlign);
    }
}

void *Shelf::take(size_t octets)
{
    if (octets > segment_) {
        return nullptr;
    }

    auto needed =
        static_cast<uint32_t>((octets + kAlign - 1) / kAlign * kAlign);
    for (auto **from : {&gap_, &rest_}) {
        if (*from != nullptr && (*from)->octets >= needed) {
            return cut(*from, needed);
        }
    }
    return add_segment() ? cut(rest_, needed) : nullptr;
}

void Shelf::give_back(Piece &piece) noexcept
{
    piece.is_free = true;
    if (&piece == piece_at_hand()) {
        join(piece);
    }
}

// A segment that goes back takes as long as hundreds of steps.
Shelf::Piece *Shelf::at_hand() noexcept
{
    for (int i = 0; i < kSteps && !segments_.empty(); i++) {
        if (at_ == segment_) {
            if (!next_segment()) {
                break;
            }
            continue;
        }

        auto *piece = piece_at_hand();
        if (!piece->is_free) {
            return piece;
        }
        join(*piece);
    }
    return nullptr;
}

void Shelf::pass() noexcept
{
    at_ += piece_at_hand()->octets;
    leave_gap();
}

void Shelf::leave_behind() noexcept
{
    for (auto &segment : segments_) {
        (void)segment.release();
    }
    segments_.clear();
    rest_ = gap_ = nullptr;
}

Shelf::Piece *Shelf::cut(Piece *&from, uint32_t octets) noexcept
{
    auto *piece = from;
    auto left = piece->octets - octets;

    from = nullptr;
    if (left > 0) {
        auto *memory = reinterpret_cast<char *>(piece) + octets;
        from = new (memory) Piece{left, true};
    }
    *piece = {octets, false};
    return piece;
}

bool Shelf::add_segment()
{
    if (segments_.size() == most_) {
        return false;
    }

    Segment segment{static_cast<char *>(::operator new(segment_))};
    segments_.push_back(std::move(segment));
    rest_ = new (segments_.back().get()) Piece{segment_, true};
    return true;
}

// One that is free as a whole goes, when there is room elsewhere; then false.
bool Shelf::next_segment() noexcept
{
    bool is_empty = gap_ != nullptr && gap_->octets == segment_;
    bool goes = is_empty && rest_ != nullptr;

    at_ = 0;
    if (goes) {
        segments_.erase(segments_.begin() + static_cast<ptrdiff_t>(hand_));
        gap_ = nullptr;
    } else {
        leave_gap();
        hand_++;
    }
    hand_ = hand_ < segments_.size() ? hand_ : 0;
    return !goes;
}

// The smaller one is found again when the hand comes round.
void Shelf::leave_gap() noexcept
{
    auto *gap = std::exchange(gap_, nullptr);
    if (gap != nullptr && (rest_ == nullptr || rest_->octets < gap->octets)) {
        rest_ = gap;
    }
}

void Shelf::join(Piece &piece) noexcept
{
    rest_ = &piece == rest_ ? nullptr : rest_;
    at_ += piece.octets;
    if (gap_ == nullptr) {
        gap_ = &piece;
    } else {
        gap_->octets += piece.octets;
    }
}

Shelf::Piece *Shelf::piece_at_hand() const noexcept
{
    return at_ == segment_ || segments_.empty()
               ? nullptr
               : reinterpret_cast<Piece *>(segments_[hand_].get() + at_);
}

void Shelf::Freed::operator()(char *memory) const noexcept
{
    ::operator delete(memory);
}

} // namespace bff
