// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// An eventfd as a bell for all workers; see the header.

#include "ngx/wakeup.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <utility>

#include "ngx/boundary.hpp"

namespace bff::ngx {
namespace {

void on_ring(ngx_event_t *event)
{
    auto *connection = static_cast<ngx_connection_t *>(event->data);
    static_cast<Bell *>(connection->data)->hear();
}

} // namespace

Bell::~Bell()
{
    // A worker that exits closes everything anyway; a single process that
    // reloads must not be called back by an event of the past.
    if (connection_ != nullptr && ngx_process == NGX_PROCESS_SINGLE &&
        !ngx_quit && !ngx_terminate) {
        ngx_del_event(connection_->read, NGX_READ_EVENT, 0);
        ngx_free_connection(connection_);
        connection_->fd = static_cast<ngx_socket_t>(-1);
    }

    if (fd_ != -1) {
        close(fd_);
    }
}

bool Bell::hang(Bell *previous, ngx_log_t *log)
{
    if (previous != nullptr && previous->fd_ != -1) {
        fd_ = std::exchange(previous->fd_, -1);
        return true;
    }

    fd_ = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (fd_ == -1) {
        ngx_log_error(NGX_LOG_EMERG, log, ngx_errno, "eventfd() failed");
        return false;
    }

    return true;
}

bool Bell::listen(ngx_cycle_t *cycle, std::function<void()> heard)
{
    heard_ = std::move(heard);

    // Never read, so always ready where readiness is told again and again;
    // who waits there looks again by a timer.
    if (!(ngx_event_flags & NGX_USE_CLEAR_EVENT)) {
        return true;
    }

    connection_ = ngx_get_connection(fd_, cycle->log);
    if (connection_ == nullptr) {
        return false;
    }

    auto *event = connection_->read;
    connection_->data = this;
    event->log = cycle->log;
    event->channel = 1; // not a socket that a worker forgot to close
    event->handler = guarded<on_ring>;

    return ngx_add_event(event, NGX_READ_EVENT, NGX_CLEAR_EVENT) == NGX_OK;
}

void Bell::ring() noexcept
{
    uint64_t one = 1;

    // A full counter still wakes nobody less: it takes 2^64 - 1 rings.
    [[maybe_unused]] auto n = write(fd_, &one, sizeof(one));
}

} // namespace bff::ngx
