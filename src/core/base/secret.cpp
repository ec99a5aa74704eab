// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Bytes that are wiped when they go, and that have no way into a log.
//
// Whoever copies a secret shares its bytes, which never change: so they lie
// in memory once, and are wiped when the last one goes. The count is for one
// thread, as an NGINX worker is.

#include "core/base/secret.hpp"

#include <cstring>
#include <new>

#include <openssl/crypto.h>

namespace bff {

struct Secret::Block {
    uint32_t holders;
    uint32_t size : 31;
    uint32_t is_placed : 1;

    char *bytes() { return reinterpret_cast<char *>(this + 1); }
};

namespace {

constexpr size_t kMostBytes = (uint32_t{1} << 31) - 1;

} // namespace

Secret::Secret(std::string_view bytes)
{
    if (bytes.empty()) {
        return;
    }
    if (bytes.size() > kMostBytes) {
        throw std::bad_alloc{};
    }

    *this = placed(::operator new(place_for(bytes.size())), bytes);
    block_->is_placed = 0;
}

// Its octets are wiped all the same.
Secret Secret::placed(void *memory, std::string_view bytes)
{
    static_assert(sizeof(Block) == place_for(0));
    auto size = static_cast<uint32_t>(bytes.size() & kMostBytes);
    auto *block = new (memory) Block{1, size, 1};
    std::memcpy(block->bytes(), bytes.data(), size);

    return Secret{block};
}

bool Secret::is_held(const void *memory) noexcept
{
    return static_cast<const Block *>(memory)->holders != 0;
}

Secret::Secret(std::string &&bytes) : Secret{std::string_view{bytes}}
{
    bff::wipe(bytes);
}

Secret::Secret(const Secret &other) noexcept : block_{other.block_}
{
    if (block_ != nullptr) {
        block_->holders++;
    }
}

std::string_view Secret::reveal() const noexcept
{
    return block_ == nullptr ? std::string_view{}
                             : std::string_view{block_->bytes(), block_->size};
}

size_t Secret::size() const noexcept
{
    return block_ == nullptr ? 0 : block_->size;
}

void Secret::let_go() noexcept
{
    if (--block_->holders == 0) {
        explicit_bzero(block_->bytes(), block_->size);
        if (!block_->is_placed) {
            ::operator delete(block_);
        }
    }
}

bool equal_in_constant_time(std::string_view a, std::string_view b) noexcept
{
    return a.size() == b.size() &&
           CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

void wipe(std::string &bytes) noexcept
{
    // Within the capacity: moves nothing. A string that was moved from is
    // wiped as well, since a short one leaves its octets behind.
    bytes.resize(bytes.capacity()); // NOLINT(clang-analyzer-cplusplus.Move)
    explicit_bzero(bytes.data(), bytes.size());
    bytes.clear();
}

} // namespace bff
