// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

#include "base/freed_memory.hpp"

#include <cstdlib>
#include <new>
#include <string>
#include <utility>

#include <malloc.h>

namespace {

const char *watched = nullptr;
size_t watched_octets = 0;
std::string what_was_there;

size_t pieces = 0;
int left = -1; // before there is no memory; less than 0: for ever

void look_at(void *memory)
{
    auto *begin = static_cast<const char *>(memory);
    if (watched == nullptr || watched < begin ||
        watched >= begin + malloc_usable_size(memory)) {
        return;
    }

    what_was_there.assign(std::exchange(watched, nullptr), watched_octets);
}

} // namespace

void *operator new(size_t octets)
{
    void *memory = left == 0 ? nullptr : std::malloc(octets);
    if (memory == nullptr) {
        throw std::bad_alloc{};
    }

    left -= left > 0 ? 1 : 0;
    pieces++;
    return memory;
}

void *operator new(size_t octets, const std::nothrow_t &) noexcept
{
    try {
        return operator new(octets);
    } catch (const std::bad_alloc &) {
        return nullptr;
    }
}

void operator delete(void *memory) noexcept
{
    look_at(memory);
    pieces -= memory != nullptr ? 1 : 0;
    std::free(memory);
}

void operator delete(void *memory, size_t) noexcept
{
    operator delete(memory);
}

namespace bff::unit {

Freed::Freed(std::string_view bytes)
{
    what_was_there.assign(bytes.size(), '?'); // no memory is needed later
    watched_octets = bytes.size();
    watched = bytes.data();
}

Freed::~Freed()
{
    watched = nullptr;
}

bool Freed::is_freed() const
{
    return watched == nullptr;
}

bool Freed::is_zero() const
{
    return what_was_there == std::string(watched_octets, '\0');
}

size_t held_pieces()
{
    return pieces;
}

OutOfMemory::OutOfMemory(int after)
{
    left = after;
}

OutOfMemory::~OutOfMemory()
{
    left = -1;
}

} // namespace bff::unit
