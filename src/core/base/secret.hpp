// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Bytes that are wiped when they go, and that have no way into a log.

#pragma once

#include <string>
#include <string_view>

namespace bff {

class Secret {
public:
    Secret() = default;
    explicit Secret(std::string_view bytes) : bytes_{bytes} {}
    explicit Secret(std::string &&bytes) noexcept; // wipes what it took from
    Secret(const Secret &) = default;
    Secret(Secret &&other) noexcept;
    Secret &operator=(const Secret &other);
    Secret &operator=(Secret &&other) noexcept;
    ~Secret();

    // The only way out: one search shows every place.
    std::string_view reveal() const noexcept { return bytes_; }
    bool empty() const noexcept { return bytes_.empty(); }
    size_t size() const noexcept { return bytes_.size(); }

private:
    void wipe() noexcept;

    std::string bytes_;
};

// Compares in a time that depends on the lengths only.
bool equal_in_constant_time(std::string_view a, std::string_view b) noexcept;

// Overwrites a string that held a secret for a while, and empties it.
void wipe(std::string &bytes) noexcept;

} // namespace bff
