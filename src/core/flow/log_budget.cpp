// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// A token bucket, by a clock that may be set back.

#include "core/flow/log_budget.hpp"

#include <algorithm>
#include <utility>

namespace bff::flow {

std::optional<uint64_t> LogBudget::spend(Instant now)
{
    auto passed = std::clamp(now - filled_, Seconds{0}, Seconds{kLines});
    auto more = static_cast<uint64_t>(passed.count()) * kLinesPerSecond;
    lines_ = std::min(lines_ + more, kLines);
    filled_ = now;

    if (lines_ == 0) {
        left_out_++;
        return std::nullopt;
    }

    lines_--;
    return std::exchange(left_out_, 0);
}

} // namespace bff::flow
