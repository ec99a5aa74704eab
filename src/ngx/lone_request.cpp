// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// As NGINX's own background work does it: see nginx's ngx_http_subrequest()
// and ngx_http_free_request(), which this leans on.

#include "ngx/lone_request.hpp"

#include <algorithm>
#include <utility>

#include "core/base/text.hpp"
#include "ngx/text.hpp"

namespace bff::ngx {
namespace {

constexpr std::string_view kNobody = "127.0.0.1";

// "date time [level] pid#tid: *n message" without what is before it.
std::string_view message_of(std::string_view line)
{
    auto at = line.find('#');
    at = at == line.npos ? at : line.find(": ", at);
    if (at == line.npos) {
        return {};
    }

    line.remove_prefix(at + 2);
    if (line.starts_with('*')) {
        line.remove_prefix(std::min(line.find(' ') + 1, line.size()));
    }
    while (!line.empty() && (line.back() == '\n' || line.back() == ' ')) {
        line.remove_suffix(1);
    }
    return line;
}

} // namespace

bool LoneRequest::make(ngx_http_conf_ctx_t *conf, void (*ended)(void *data),
                       void *data)
{
    ended_ = ended;
    data_ = data;

    return make_connection() && make_main(conf) && make_subrequest();
}

bool LoneRequest::make_connection()
{
    log_ = *ngx_cycle->log;
    log_.data = &log_ctx_;

    connection_ = ngx_get_connection(0, &log_);
    pool_ = ngx_create_pool(1024, &log_);
    if (connection_ == nullptr || pool_ == nullptr) {
        return false;
    }

    // Never spoken to, but variables of other modules may look at it.
    nowhere_.sin_family = AF_INET;
    nowhere_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);

    auto *c = connection_;
    c->fd = static_cast<ngx_socket_t>(-1);
    c->pool = pool_;
    c->log = &log_;
    c->read->log = &log_;
    c->write->log = &log_;
    c->log_error = NGX_ERROR_INFO;
    c->sockaddr = reinterpret_cast<sockaddr *>(&nowhere_);
    c->socklen = sizeof(nowhere_);
    c->local_sockaddr = c->sockaddr;
    c->local_socklen = c->socklen;
    c->addr_text = borrow(kNobody);

    // Ready and active: upstream must not add "its client" to epoll.
    c->write->active = 1;
    c->write->ready = 1;

    return true;
}

bool LoneRequest::make_main(ngx_http_conf_ctx_t *conf)
{
    log_ctx_.connection = connection_;
    http_.conf_ctx = conf;
    connection_->data = &http_;

    main_ = ngx_http_create_request(connection_);
    if (main_ == nullptr) {
        return false;
    }
    connection_->data = main_;
    keep_log_to_ourselves();

    main_->logged = 1; // no access log
    main_->method = NGX_HTTP_GET;
    main_->http_version = NGX_HTTP_VERSION_11;
    main_->uri = borrow("/");
    main_->write_event_handler = on_main_write;
    main_->read_event_handler = ngx_http_block_reading;

    return ngx_list_init(&main_->headers_in.headers, main_->pool, 1,
                         sizeof(ngx_table_elt_t)) == NGX_OK;
}

// NGINX has given the log its server's settings by now.
void LoneRequest::keep_log_to_ourselves()
{
    bool debugs = ngx_cycle->log->log_level & NGX_LOG_DEBUG_ALL;

    log_.next = nullptr;
    log_.handler = nullptr;
    log_.writer = write_log;
    log_.wdata = this;
    log_.log_level = debugs ? ngx_cycle->log->log_level : NGX_LOG_INFO;
}

bool LoneRequest::make_subrequest()
{
    post_.handler = on_end;
    post_.data = this;

    return ngx_http_subrequest(main_, &main_->uri, nullptr, &sub_, &post_,
                               NGX_HTTP_SUBREQUEST_BACKGROUND |
                                   NGX_HTTP_SUBREQUEST_IN_MEMORY) == NGX_OK;
}

void LoneRequest::run(void (*begin)(ngx_http_request_t *subrequest))
{
    sub_->write_event_handler = begin;
    ngx_http_run_posted_requests(connection_);
}

void LoneRequest::end()
{
    if (main_ != nullptr) {
        // Runs the upstream's cleanup, which closes its connection.
        ngx_http_free_request(std::exchange(main_, nullptr), 0);
    }
    if (connection_ != nullptr) {
        connection_->destroyed = 1;
        ngx_free_connection(std::exchange(connection_, nullptr));
    }
    if (pool_ != nullptr) {
        ngx_destroy_pool(std::exchange(pool_, nullptr));
    }
}

// NGX_OK whatever the result: an error would be answered to the "client".
ngx_int_t LoneRequest::on_end(ngx_http_request_t *, void *data, ngx_int_t)
{
    auto *lone = static_cast<LoneRequest *>(data);
    lone->ended_(lone->data_);
    return NGX_OK;
}

void LoneRequest::on_main_write(ngx_http_request_t *) {}

void LoneRequest::write_log(ngx_log_t *log, ngx_uint_t level, u_char *buf,
                            size_t len)
{
    auto *lone = static_cast<LoneRequest *>(log->wdata);
    auto message = message_of({reinterpret_cast<char *>(buf), len});

    if (level <= NGX_LOG_ERR && !message.empty()) {
        lone->complaint_ = text::for_log(message);
    }
}

} // namespace bff::ngx
