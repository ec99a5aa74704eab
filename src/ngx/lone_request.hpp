// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// A request of the worker's own: no client, no socket, no location.
//
// A connection without a socket carries a main request that does nothing; a
// background subrequest of it does the work. Nothing of it reaches an access
// log, and what NGINX would write into the error log is kept for the owner.

#pragma once

#include "ngx/ngx.hpp"

namespace bff::ngx {

class LoneRequest {
public:
    LoneRequest() = default;
    LoneRequest(const LoneRequest &) = delete;
    LoneRequest &operator=(const LoneRequest &) = delete;
    ~LoneRequest() { end(); }

    // `ended` is called with `data` when the subrequest is over; of() finds
    // `data` again. False: no memory, or no free connection.
    bool make(ngx_http_conf_ctx_t *conf, void (*ended)(void *data), void *data);

    // The subrequest begins with `begin`. May have ended when this returns.
    void run(void (*begin)(ngx_http_request_t *subrequest));

    // Cancels what still runs, and frees everything.
    void end();

    ngx_pool_t *pool() { return pool_; }

    // The last thing that NGINX complained of, fit for a log line.
    const std::string &complaint() const { return complaint_; }

    template <class T> static T &of(ngx_http_request_t *subrequest)
    {
        auto *lone =
            static_cast<LoneRequest *>(subrequest->post_subrequest->data);
        return *static_cast<T *>(lone->data_);
    }

private:
    bool make_connection();
    bool make_main(ngx_http_conf_ctx_t *conf);
    bool make_subrequest();
    void keep_log_to_ourselves();

    static ngx_int_t on_end(ngx_http_request_t *r, void *data, ngx_int_t rc);
    static void on_main_write(ngx_http_request_t *r);
    static void write_log(ngx_log_t *log, ngx_uint_t level, u_char *buf,
                          size_t len);

    void (*ended_)(void *data) = nullptr;
    void *data_ = nullptr;

    ngx_log_t log_{};
    ngx_http_log_ctx_t log_ctx_{};
    ngx_http_connection_t http_{};
    ngx_connection_t *connection_ = nullptr;
    ngx_pool_t *pool_ = nullptr;
    ngx_http_request_t *main_ = nullptr;
    ngx_http_request_t *sub_ = nullptr;
    ngx_http_post_subrequest_t post_{};
    sockaddr_in nowhere_{};
    std::string complaint_;
};

} // namespace bff::ngx
