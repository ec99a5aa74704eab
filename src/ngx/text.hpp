// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// ngx_str_t and string_view: the only casts between them.

#pragma once

#include "ngx/ngx.hpp"

namespace bff::ngx {

inline std::string_view view(const ngx_str_t &s)
{
    return {reinterpret_cast<const char *>(s.data), s.len};
}

// For NGINX functions that take an ngx_str_t and do not write to it.
inline ngx_str_t borrow(std::string_view text)
{
    return {text.size(),
            reinterpret_cast<u_char *>(const_cast<char *>(text.data()))};
}

// A copy of one text, or of two, the second behind the first; it lives as
// long as the pool, with a zero behind it. Throws bad_alloc.
inline ngx_str_t in_pool(ngx_pool_t *pool, std::string_view first,
                         std::string_view second)
{
    auto size = first.size() + second.size();
    auto *data = static_cast<u_char *>(ngx_pnalloc(pool, size + 1));
    if (data == nullptr) {
        throw std::bad_alloc{};
    }

    auto *text = reinterpret_cast<char *>(data);
    first.copy(text, first.size());
    second.copy(text + first.size(), second.size());
    text[size] = '\0';

    return {size, data};
}

inline ngx_str_t in_pool(ngx_pool_t *pool, std::string_view text)
{
    return in_pool(pool, text, {});
}

ngx_str_t in_pool(ngx_pool_t *pool, const char *text) = delete;

} // namespace bff::ngx
