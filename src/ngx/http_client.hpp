// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// One request to one server, on NGINX's own upstream machinery, in a request
// of the worker's own: nothing of any client or location is inherited.
//
// A call ends exactly once: with a complete response, or with one reason.
// The end is always told from a fresh event, never from inside start(), and
// dropping the call cancels it. One deadline covers name look-up, connect,
// TLS, sending and the whole answer.

#pragma once

#include "core/base/result.hpp"
#include "core/web/http_message.hpp"
#include "ngx/addresses.hpp"
#include "ngx/ngx.hpp"
#include "ngx/tls.hpp"

namespace bff::ngx {

class HttpCall {
public:
    // Errors: unavailable (no answer), unsupported (one that breaks HTTP, or
    // is too large), with the reason for the log.
    using Done = std::function<void(Result<web::HttpResponse>)>;

    virtual ~HttpCall() = default; // cancels
};

class HttpClient {
public:
    struct Settings {
        ngx_msec_t timeout = 10000; // one call, all in
        Addresses addresses;
        TlsClient *tls = nullptr;
    };

    explicit HttpClient(Settings settings) : settings_{std::move(settings)} {}

    // When all of the configuration was read: what NGINX needs to run a
    // request without a server. Needs one server{} at least.
    bool prepare(ngx_conf_t *cf);

    // In a worker. `request` is copied. `within` shortens the time that the
    // call may take.
    std::unique_ptr<HttpCall> start(const web::HttpRequest &request,
                                    HttpCall::Done done,
                                    std::optional<Seconds> within = {});

    // Milliseconds that one call may take.
    ngx_msec_t timeout() const { return settings_.timeout; }

private:
    friend class Exchange;

    Settings settings_;
    ngx_http_conf_ctx_t *conf_ctx_ = nullptr;
    ngx_http_upstream_conf_t upstream_{};
    ngx_http_upstream_srv_conf_t peers_{};
};

} // namespace bff::ngx
