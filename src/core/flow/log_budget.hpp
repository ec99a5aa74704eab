// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// How many lines a worker writes into the log about what others did.
//
// Whoever can send a request can have a line written. A thousand are good
// to have; who sends a million must not fill a disk with them, nor hide among
// them what is worth reading.

#pragma once

#include <cstdint>
#include <optional>

#include "core/base/instant.hpp"

namespace bff::flow {

class LogBudget {
public:
    // A thousand at once, then five a second.
    static constexpr uint64_t kLines = 1000;
    static constexpr uint64_t kLinesPerSecond = 5;

    // Nullopt: this one is left out. Else how many were, since the last one
    // that was not.
    std::optional<uint64_t> spend(Instant now);

private:
    uint64_t lines_ = kLines;
    uint64_t left_out_ = 0;
    Instant filled_{};
};

} // namespace bff::flow
