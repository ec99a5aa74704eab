// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// That each duration is counted in its own power of two, and only once.

#include "core/base/histogram.hpp"

#include "unit.hpp"

namespace bff {
namespace {

constexpr uint64_t kUs = 1000;

// The only bucket that has anything.
size_t bucket_of(uint64_t nanoseconds)
{
    Histogram histogram;
    histogram.add(nanoseconds);

    size_t found = Histogram::kBuckets;
    for (size_t i = 0; i < Histogram::kBuckets; i++) {
        if (histogram.buckets()[i] != 0) {
            ck_assert_uint_eq(found, Histogram::kBuckets);
            ck_assert_uint_eq(histogram.buckets()[i], 1);
            found = i;
        }
    }
    return found;
}

TEST(histogram_has_a_bucket_for_each_power_of_two)
{
    ck_assert_uint_eq(bucket_of(0), 0);
    ck_assert_uint_eq(bucket_of(kUs - 1), 0);
    ck_assert_uint_eq(bucket_of(kUs), 1);
    ck_assert_uint_eq(bucket_of(2 * kUs - 1), 1);
    ck_assert_uint_eq(bucket_of(2 * kUs), 2);
    ck_assert_uint_eq(bucket_of(1023 * kUs + 999), 10);
    ck_assert_uint_eq(bucket_of(1024 * kUs), 11);
}

TEST(histogram_keeps_what_is_beyond_its_buckets_in_the_last)
{
    ck_assert_uint_eq(bucket_of(~uint64_t{0}), Histogram::kBuckets - 1);
}

TEST(histogram_knows_how_many_how_long_and_the_worst)
{
    Histogram histogram;
    ck_assert_uint_eq(histogram.count(), 0);
    ck_assert_uint_eq(histogram.worst(), 0);

    for (auto us : {3, 700, 20}) {
        histogram.add(static_cast<uint64_t>(us) * kUs);
    }

    ck_assert_uint_eq(histogram.count(), 3);
    ck_assert_uint_eq(histogram.sum(), 723 * kUs);
    ck_assert_uint_eq(histogram.worst(), 700 * kUs);
}

} // namespace
} // namespace bff
