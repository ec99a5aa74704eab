// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Wakes all workers, so that who waits for another worker's work is told and
// need not look again and again.
//
// One eventfd, made by the master and inherited by all workers, watched
// edge-triggered and never read: each ring is an event in every worker.

#pragma once

#include "ngx/ngx.hpp"

namespace bff::ngx {

class Bell {
public:
    Bell() = default;
    Bell(const Bell &) = delete;
    Bell &operator=(const Bell &) = delete;
    ~Bell();

    // In the master, before workers exist: takes the previous cycle's over,
    // so that its workers go on hearing it, or makes a new one.
    bool hang(Bell *previous, ngx_log_t *log);

    // In a worker: `heard` is called whenever any worker rings.
    bool listen(ngx_cycle_t *cycle, std::function<void()> heard);

    void ring() noexcept;

    // For the event handler.
    void hear() { heard_(); }

private:
    int fd_ = -1;
    ngx_connection_t *connection_ = nullptr;
    std::function<void()> heard_;
};

} // namespace bff::ngx
