// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The one place where an exception may meet C.
//
// Every function that NGINX calls is registered through a guard: a throw
// becomes one log line and an error, never std::terminate.

#pragma once

#include <exception>
#include <type_traits>

#include "ngx/ngx.hpp"
#include "ngx/stalls.hpp"

namespace bff::ngx {

inline void log_exception(ngx_log_t *log) noexcept
{
    try {
        throw;
    } catch (const std::exception &e) {
        ngx_log_error(NGX_LOG_CRIT, log, 0, "bff: %s", e.what());
    } catch (...) {
        ngx_log_error(NGX_LOG_CRIT, log, 0, "bff: unknown exception");
    }
}

// What tells NGINX that a function has failed.
template <class T> T failure() noexcept
{
    if constexpr (std::is_same_v<T, char *>) {
        return static_cast<char *>(NGX_CONF_ERROR);
    } else if constexpr (std::is_pointer_v<T>) {
        return nullptr;
    } else if constexpr (!std::is_void_v<T>) {
        return NGX_ERROR;
    }
}

// The log is taken beforehand: what the arguments point to may be gone when
// the function returns.
template <auto f> struct Guard;

template <class T, class... Args, T (*f)(Args...)> struct Guard<f> {
    static T call(Args... args) noexcept
    {
        BFF_STALL(tally_of<f, kIsStart<Args...>>(), args...);
        auto *log = ngx_cycle->log;

        try {
            return f(args...);
        } catch (...) {
            log_exception(log);
            return failure<T>();
        }
    }
};

// Callbacks of every kind: configuration, events, variables, upstream.
template <auto f> inline constexpr auto guarded = &Guard<f>::call;

// Phase handlers: the client gets an answer.
template <auto f> ngx_int_t guarded_phase(ngx_http_request_t *r) noexcept
{
    BFF_STALL(tally_of<f>(), r);
    auto *log = r->connection->log;

    try {
        return f(r);
    } catch (...) {
        log_exception(log);
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
}

// Told when a request's body was read: likewise.
template <auto f> void guarded_body(ngx_http_request_t *r) noexcept
{
    BFF_STALL(tally_of<f>(), r);
    auto *log = r->connection->log;

    try {
        f(r);
    } catch (...) {
        log_exception(log);
        ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
    }
}

} // namespace bff::ngx
