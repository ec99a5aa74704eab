// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// One call of an HttpClient under way: find the host, connect, send, read.

#pragma once

#include "core/web/http_reader.hpp"
#include "core/web/url.hpp"
#include "ngx/http_client.hpp"
#include "ngx/lone_request.hpp"

namespace bff::ngx {

class Exchange final : public HttpCall {
public:
    Exchange(HttpClient &client, web::HttpRequest request, Done done,
             ngx_msec_t timeout);
    ~Exchange() override;

    void start();

    // The upstream's peers, when NGINX is about to connect.
    static ngx_int_t init_peers(ngx_http_request_t *r,
                                ngx_http_upstream_srv_conf_t *);

private:
    void begin_resolving();
    void resolved(ngx_resolver_ctx_t *context);
    void connect_to(std::vector<Address> addresses);

    void set_timeouts();

    void settle(Result<web::HttpResponse> result);
    void fail(std::string reason);
    void finish();
    void end_of_connection();
    void tear_down();

    static Exchange &of(ngx_http_request_t *r);
    static void run_upstream(ngx_http_request_t *r);
    static ngx_int_t write_request(ngx_http_request_t *r);
    static ngx_int_t read_octets(ngx_http_request_t *r);
    static void on_ended(void *data);
    static void on_settled(ngx_event_t *event);
    static void on_deadline(ngx_event_t *event);
    static void on_resolved(ngx_resolver_ctx_t *context);
    static ngx_int_t set_session(ngx_peer_connection_t *pc, void *data);
    static void save_session(ngx_peer_connection_t *pc, void *data);

    HttpClient &client_;
    web::HttpRequest request_;
    Done done_;
    web::Url url_;

    LoneRequest lone_;
    ngx_resolver_ctx_t *resolving_ = nullptr;
    std::vector<Address> addresses_;
    std::vector<ngx_resolver_addr_t> resolver_addrs_;
    ngx_http_upstream_conf_t upstream_{};
    ngx_http_upstream_resolved_t peers_{};

    ngx_event_t settled_{};
    ngx_event_t deadline_{};
    ngx_msec_t timeout_;
    ngx_msec_t ends_at_ = 0;

    web::HttpReader reader_;
    std::optional<Error> broken_; // what the reader said
    std::string tls_failure_;     // what verification said
    std::optional<Result<web::HttpResponse>> result_;
};

} // namespace bff::ngx
