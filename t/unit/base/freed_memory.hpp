// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What stands in a piece of memory at the moment when it is freed.
//
// All of new and delete in these tests goes through here.

#pragma once

#include <string_view>

namespace bff::unit {

// Watches for the memory around these bytes; one at a time.
class Freed {
public:
    explicit Freed(std::string_view bytes);
    ~Freed();
    Freed(const Freed &) = delete;
    Freed &operator=(const Freed &) = delete;

    bool is_freed() const;
    bool is_zero() const;
};

// How many pieces are held right now.
size_t held_pieces();

// The next so many succeed, and then none does, until it goes.
class OutOfMemory {
public:
    explicit OutOfMemory(int after);
    ~OutOfMemory();
    OutOfMemory(const OutOfMemory &) = delete;
    OutOfMemory &operator=(const OutOfMemory &) = delete;
};

} // namespace bff::unit
