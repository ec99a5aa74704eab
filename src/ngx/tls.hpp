// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// TLS towards one provider: which certificates are trusted, the verification
// of chain and host (names and addresses), our own certificate, and sessions
// to resume.

#pragma once

#include <map>

#include "core/base/result.hpp"
#include "ngx/ngx.hpp"

namespace bff::ngx {

struct TlsSettings {
    ngx_str_t trusted_certificate{}; // empty: the system's CA bundle
    ngx_str_t crl{};
    ngx_str_t certificate{};     // our own, for mutual TLS; empty: none
    ngx_str_t certificate_key{}; // not encrypted
    bool verify = true;
};

class TlsClient {
public:
    // On failure NGINX has said why. The context dies with cf->pool.
    static TlsClient *make(ngx_conf_t *cf, const TlsSettings &settings);

    explicit TlsClient(bool verify) : verify_{verify} {}
    ~TlsClient();
    TlsClient(const TlsClient &) = delete;
    TlsClient &operator=(const TlsClient &) = delete;

    ngx_ssl_t *context() { return &ssl_; }

    // Before the handshake: whom we expect, and a session to resume. `host`
    // is a name or an address, IPv6 in brackets. `failure` is told why
    // verification failed; it must outlive the handshake.
    bool prepare(ngx_connection_t *c, const std::string &host, uint16_t port,
                 std::string *failure);

    // Whenever the server has sent a session.
    void remember(ngx_connection_t *c, const std::string &host, uint16_t port);

private:
    ngx_ssl_t ssl_{};
    bool verify_;
    std::map<std::string, ngx_ssl_session_t *> sessions_; // by host:port
};

} // namespace bff::ngx
