// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Memory that outlives the binary: what a master that was executed by another
// one (SIGUSR2) takes over from it.
//
// Each piece is a memfd that the master leaves open, and that the new binary
// finds by its name among its own descriptors. It is believed only when nobody
// can cut it and it was laid out likewise. Instances of NGINX that were started
// apart inherit nothing from each other. Workers close all of them: they have
// the mappings, and no program that they might run has a use for more.
//
// Where the system has no such memory, or does not give it, zones are as NGINX
// has made them, and an upgrade begins with empty ones.

#pragma once

#include "core/base/secret.hpp"
#include "ngx/ngx.hpp"

namespace bff::ngx {

// What one cycle holds.
class InheritedMemory {
public:
    InheritedMemory() = default;
    InheritedMemory(const InheritedMemory &) = delete;
    InheritedMemory &operator=(const InheritedMemory &) = delete;
    ~InheritedMemory();

    // In a zone's init callback, before anything is laid out in it; `before`
    // is of the cycle whose zone was kept over a reload, else null. True: the
    // zone holds what was there before, laid out as `layout` says.
    bool open(ngx_shm_zone_t *zone, uint32_t layout,
              const InheritedMemory *before);

    // What leave() has left, in the running cycle or, where there is none, in
    // the binary before. Empty: nothing.
    Secret find(const char *name, size_t octets, const InheritedMemory *before);
    void leave(const char *name, const Secret &secret, ngx_log_t *log);

    // Once a configuration works: what else was inherited is of no use. None
    // of `current` is closed; it may be null.
    static void close_others(const InheritedMemory *current);

    // In a worker.
    void close();

private:
    struct Piece {
        std::string name;
        int fd;
    };

    int add(const std::string &name, int fd);
    int share(const InheritedMemory &before, const std::string &name);
    bool take_over(ngx_shm_zone_t *zone, uint32_t layout,
                   const std::string &name);
    void back(ngx_shm_zone_t *zone, uint32_t layout, const std::string &name);

    std::vector<Piece> pieces_;
};

} // namespace bff::ngx
