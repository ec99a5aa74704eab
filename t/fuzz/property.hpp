// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What a fuzz target promises: a property that holds for every input. Where
// one does not, the run ends with its place, and libFuzzer keeps the input.

#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

// libFuzzer's entry; replay.cpp calls it without libFuzzer.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

namespace bff::fuzz {

inline std::string_view view(const uint8_t *data, size_t size)
{
    return {reinterpret_cast<const char *>(data), size};
}

// clang 14 has no std::source_location, but what it is made of.
inline void must(bool holds, const char *property = "a property",
                 const char *file = __builtin_FILE(),
                 int line = __builtin_LINE())
{
    if (!holds) {
        std::fprintf(stderr, "%s:%d: does not hold: %s\n", file, line,
                     property);
        std::abort();
    }
}

} // namespace bff::fuzz
