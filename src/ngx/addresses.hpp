// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Where a host is, without ever blocking a worker: literals, localhost and
// the system's hosts file are known when the configuration is read; all else
// asks the resolver of the configuration or the system's name servers.

#pragma once

#include <map>

#include "core/base/result.hpp"
#include "ngx/ngx.hpp"

namespace bff::ngx {

struct Address {
    sockaddr_storage sockaddr{};
    socklen_t length = 0;
};

class Addresses {
public:
    // `resolver` may be null: then the hosts file and the name servers of
    // resolv.conf are used. Errors: misconfigured.
    static Result<Addresses> make(ngx_conf_t *cf, ngx_resolver_t *resolver,
                                  ngx_msec_t timeout);

    // Literals and names known without asking; empty: ask resolver().
    std::vector<Address> known(const std::string &host) const;

    ngx_resolver_t *resolver() const { return resolver_; }
    ngx_msec_t timeout() const { return timeout_; }

private:
    std::map<std::string, std::vector<Address>> hosts_;
    ngx_resolver_t *resolver_ = nullptr;
    ngx_msec_t timeout_ = 0;
};

} // namespace bff::ngx
