// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Shared memory: a lock that cannot be forgotten, and allocation under it.
//
// Only the slab pool's own mutex is used: it is the one that the master
// releases when a worker dies with it. Under it there is memcpy and slab
// calls, nothing else: no logging, no exceptions, no other library.

#pragma once

#include <optional>
#include <string_view>

#include "ngx/text.hpp"

namespace bff::ngx {

// NAME:SIZE, as it is written in a configuration.
struct NamedSize {
    std::string_view name;
    size_t size;
};

inline std::optional<NamedSize> named_size(std::string_view text)
{
    auto colon = text.find(':');
    if (colon == text.npos || colon == 0) {
        return std::nullopt;
    }

    auto size_text = borrow(text.substr(colon + 1));
    auto size = ngx_parse_size(&size_text);
    if (size == NGX_ERROR) {
        return std::nullopt;
    }

    return NamedSize{text.substr(0, colon), static_cast<size_t>(size)};
}

class ZoneLock {
public:
    explicit ZoneLock(ngx_slab_pool_t *pool) noexcept : pool_{pool}
    {
        ngx_shmtx_lock(&pool_->mutex);
    }

    ~ZoneLock() { ngx_shmtx_unlock(&pool_->mutex); }

    ZoneLock(const ZoneLock &) = delete;
    ZoneLock &operator=(const ZoneLock &) = delete;

    // Zeroed; nullptr when the zone is full.
    template <class T> T *make(size_t octets = sizeof(T)) noexcept
    {
        static_assert(std::is_trivially_copyable_v<T>);
        return static_cast<T *>(ngx_slab_calloc_locked(pool_, octets));
    }

    // As it is: what is never touched costs no memory.
    void *take(size_t octets) noexcept
    {
        return ngx_slab_alloc_locked(pool_, octets);
    }

    void free(void *memory) noexcept
    {
        if (memory != nullptr) {
            ngx_slab_free_locked(pool_, memory);
        }
    }

private:
    ngx_slab_pool_t *pool_;
};

inline ngx_slab_pool_t *slab(ngx_shm_zone_t *zone) noexcept
{
    return reinterpret_cast<ngx_slab_pool_t *>(zone->shm.addr);
}

} // namespace bff::ngx
