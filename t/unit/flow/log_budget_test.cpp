// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Which lines are written, and what is told of those that are not.

#include "core/flow/log_budget.hpp"

#include "unit.hpp"

using namespace bff;
using flow::LogBudget;

namespace {

const Instant kStart = instant(1'700'000'000);

uint64_t written(LogBudget &budget, uint64_t lines, Instant now)
{
    uint64_t count = 0;
    for (uint64_t i = 0; i < lines; i++) {
        count += budget.spend(now) ? 1 : 0;
    }
    return count;
}

} // namespace

TEST(writes_what_is_usual)
{
    LogBudget budget;
    for (uint64_t i = 0; i < LogBudget::kLines; i++) {
        ck_assert(budget.spend(kStart) == 0U);
    }
}

TEST(writes_a_flood_no_faster_than_some_lines_a_second)
{
    LogBudget budget;
    ck_assert(written(budget, 100000, kStart) == LogBudget::kLines);

    for (int second = 1; second <= 10; second++) {
        ck_assert(written(budget, 1000, kStart + Seconds{second}) ==
                  LogBudget::kLinesPerSecond);
    }
}

TEST(tells_once_how_many_lines_were_left_out)
{
    LogBudget budget;
    written(budget, LogBudget::kLines + 7, kStart);

    ck_assert(budget.spend(kStart + Seconds{1}) == 7U);
    ck_assert(budget.spend(kStart + Seconds{1}) == 0U);
}

TEST(writes_all_again_after_a_quiet_time)
{
    LogBudget budget;
    written(budget, 100000, kStart);

    auto later = kStart + Seconds{24 * 3600};
    ck_assert(written(budget, 100000, later) == LogBudget::kLines);
}

TEST(goes_on_when_the_clock_is_set_back)
{
    LogBudget budget;
    written(budget, 100000, kStart);

    auto earlier = kStart - Seconds{3600};
    ck_assert(written(budget, 1000, earlier) == 0);
    ck_assert(written(budget, 1000, earlier + Seconds{1}) ==
              LogBudget::kLinesPerSecond);
}
