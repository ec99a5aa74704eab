// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Bytes that are wiped when they go, and that have no way into a log.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace bff {

class Secret {
public:
    Secret() = default;
    explicit Secret(std::string_view bytes);
    explicit Secret(std::string &&bytes); // wipes what it took from
    Secret(const Secret &other) noexcept; // shares its bytes
    Secret(Secret &&other) noexcept
        : block_{std::exchange(other.block_, nullptr)}
    {
    }
    Secret &operator=(Secret other) noexcept
    {
        std::swap(block_, other.block_);
        return *this;
    }
    ~Secret()
    {
        if (block_ != nullptr) {
            let_go();
        }
    }

    // The only way out: one search shows every place.
    std::string_view reveal() const noexcept;
    bool empty() const noexcept { return block_ == nullptr; }
    size_t size() const noexcept;

    // One whose bytes stand in memory of somebody else, who needs this much
    // for them, aligned to four octets, and has it back once none holds it.
    static constexpr size_t place_for(size_t bytes) { return 8 + bytes; }
    static Secret placed(void *memory, std::string_view bytes);
    static bool is_held(const void *memory) noexcept;

private:
    struct Block;

    explicit Secret(Block *block) : block_{block} {}
    void let_go() noexcept;

    Block *block_ = nullptr;
};

// Compares in a time that depends on the lengths only.
bool equal_in_constant_time(std::string_view a, std::string_view b) noexcept;

// Overwrites a string that held a secret for a while, and empties it.
void wipe(std::string &bytes) noexcept;

} // namespace bff
