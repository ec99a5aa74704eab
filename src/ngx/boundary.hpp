// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The one place where an exception may meet C.
//
// Every function that NGINX calls is registered through a guard: a throw
// becomes one log line and an error, never std::terminate.

#pragma once

#include <exception>

#include "ngx/ngx.hpp"

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

// ngx_int_t f(ngx_http_request_t *): phase handlers, filters.
template <auto f> ngx_int_t guarded_request(ngx_http_request_t *r) noexcept
{
    try {
        return f(r);
    } catch (...) {
        log_exception(r->connection->log);
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
}

// void f(ngx_event_t *); the event may be gone when f returns.
template <auto f> void guarded_event(ngx_event_t *event) noexcept
{
    auto *log = event->log;

    try {
        f(event);
    } catch (...) {
        log_exception(log);
    }
}

// ngx_int_t f(r, v, data): variables.
template <auto f>
ngx_int_t guarded_variable(ngx_http_request_t *r, ngx_http_variable_value_t *v,
                           uintptr_t data) noexcept
{
    try {
        return f(r, v, data);
    } catch (...) {
        log_exception(r->connection->log);
        return NGX_ERROR;
    }
}

// char *f(ngx_conf_t *, ngx_command_t *, void *): directives.
template <auto f>
char *guarded_directive(ngx_conf_t *cf, ngx_command_t *cmd, void *conf) noexcept
{
    try {
        return f(cf, cmd, conf);
    } catch (...) {
        log_exception(cf->log);
        return static_cast<char *>(NGX_CONF_ERROR);
    }
}

// void *f(ngx_conf_t *): create_*_conf.
template <auto f> void *guarded_create(ngx_conf_t *cf) noexcept
{
    try {
        return f(cf);
    } catch (...) {
        log_exception(cf->log);
        return nullptr;
    }
}

// char *f(ngx_conf_t *, void *, void *): merge_*_conf.
template <auto f>
char *guarded_merge(ngx_conf_t *cf, void *parent, void *child) noexcept
{
    try {
        return f(cf, parent, child);
    } catch (...) {
        log_exception(cf->log);
        return static_cast<char *>(NGX_CONF_ERROR);
    }
}

// char *f(ngx_conf_t *, void *): init_main_conf.
template <auto f> char *guarded_init(ngx_conf_t *cf, void *conf) noexcept
{
    try {
        return f(cf, conf);
    } catch (...) {
        log_exception(cf->log);
        return static_cast<char *>(NGX_CONF_ERROR);
    }
}

// ngx_int_t f(ngx_conf_t *): pre- and postconfiguration.
template <auto f> ngx_int_t guarded_conf(ngx_conf_t *cf) noexcept
{
    try {
        return f(cf);
    } catch (...) {
        log_exception(cf->log);
        return NGX_ERROR;
    }
}

// ngx_int_t f(ngx_cycle_t *): module and process hooks.
template <auto f> ngx_int_t guarded_cycle(ngx_cycle_t *cycle) noexcept
{
    try {
        return f(cycle);
    } catch (...) {
        log_exception(cycle->log);
        return NGX_ERROR;
    }
}

} // namespace bff::ngx
