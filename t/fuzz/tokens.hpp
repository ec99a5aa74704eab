// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Mutations by what addresses are made of: a target that lists such pieces
// gets further than by octets alone.

#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <iterator>
#include <random>
#include <string>
#include <string_view>

// libFuzzer's own; not there when a corpus is replayed.
extern "C" __attribute__((weak)) size_t
LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

namespace bff::fuzz {

inline void escape_one(std::string &text, size_t at)
{
    char escape[4];
    std::snprintf(escape, sizeof escape, "%%%02x",
                  static_cast<unsigned char>(text[at]));
    text.replace(at, 1, escape);
}

// Two times of three a token is put in, or an octet escaped or taken away;
// else as libFuzzer likes.
template <class Tokens>
size_t mutate(uint8_t *data, size_t size, size_t max_size, unsigned seed,
              const Tokens &tokens)
{
    std::minstd_rand dice{seed};
    auto throw_of = [&](size_t sides) { return dice() / 7 % sides; };
    if (throw_of(3) == 0) {
        return LLVMFuzzerMutate(data, size, max_size);
    }

    std::string text{reinterpret_cast<char *>(data), size};
    for (auto times = throw_of(3) + 1; times > 0; times--) {
        auto at = throw_of(text.size() + 1);
        auto what = throw_of(6);
        if (what == 0 && at < text.size()) {
            escape_one(text, at);
        } else if (what == 1 && at < text.size()) {
            text.erase(at, throw_of(4) + 1);
        } else {
            std::string_view token = tokens[throw_of(std::size(tokens))];
            text.replace(at, what == 2 ? token.size() : 0, token);
        }
    }

    size = std::min(text.size(), max_size);
    std::memcpy(data, text.data(), size);
    return size;
}

} // namespace bff::fuzz
