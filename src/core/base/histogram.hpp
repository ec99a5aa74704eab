// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// How often something took how long, by powers of two of microseconds: bucket
// 0 has what took less than 1, bucket n what took at least 2^(n-1) and less
// than 2^n. What is longer than all of them is in the last.

#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace bff {

class Histogram {
public:
    static constexpr size_t kBuckets = 24; // the last begins at 4 s

    void add(uint64_t nanoseconds)
    {
        auto width = std::bit_width(nanoseconds / 1000);
        buckets_[std::min<size_t>(width, kBuckets - 1)]++;
        count_++;
        sum_ += nanoseconds;
        worst_ = std::max(worst_, nanoseconds);
    }

    uint64_t count() const { return count_; }
    uint64_t sum() const { return sum_; }
    uint64_t worst() const { return worst_; }
    const std::array<uint64_t, kBuckets> &buckets() const { return buckets_; }

private:
    std::array<uint64_t, kBuckets> buckets_{};
    uint64_t count_ = 0;
    uint64_t sum_ = 0;
    uint64_t worst_ = 0;
};

} // namespace bff
