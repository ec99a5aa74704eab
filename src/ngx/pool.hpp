// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Objects that die with their pool.

#pragma once

#include <new>
#include <utility>

#include "ngx/ngx.hpp"
#include "ngx/stalls.hpp"

namespace bff::ngx {

// Constructs a T that is destroyed with the pool; the destructor is
// registered only after construction succeeded. Throws bad_alloc.
template <class T, class... Args>
T *make_in_pool(ngx_pool_t *pool, Args &&...args)
{
    static_assert(alignof(T) <= NGX_ALIGNMENT);

    auto *cln = ngx_pool_cleanup_add(pool, sizeof(T));
    if (cln == nullptr) {
        throw std::bad_alloc{};
    }

    auto *object = new (cln->data) T(std::forward<Args>(args)...);
    cln->handler = [](void *data) {
        BFF_STALL(tally_of_end<T>());
        static_cast<T *>(data)->~T();
    };

    return object;
}

// The T that make_in_pool<T> put there, or null: for what must be found again
// after an internal redirect has cleared the request's contexts.
template <class T> T *find_in_pool(ngx_pool_t *pool, void (*mark)(void *))
{
    for (auto *cln = pool->cleanup; cln != nullptr; cln = cln->next) {
        if (cln->handler == mark) {
            return static_cast<T *>(cln->data);
        }
    }

    return nullptr;
}

} // namespace bff::ngx
