// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What all calls of a client have in common; each call is an Exchange.

#include "ngx/http_client.hpp"

#include "ngx/boundary.hpp"
#include "ngx/exchange.hpp"
#include "ngx/text.hpp"

namespace bff::ngx {
namespace {

// A server's settings, without what the user may have added to them.
ngx_http_core_loc_conf_t *neutral_core_conf(ngx_conf_t *cf, void *like)
{
    auto *copy = static_cast<ngx_http_core_loc_conf_t *>(
        ngx_palloc(cf->pool, sizeof(ngx_http_core_loc_conf_t)));
    if (copy == nullptr) {
        throw std::bad_alloc{};
    }

    *copy = *static_cast<ngx_http_core_loc_conf_t *>(like);
    copy->error_pages = nullptr;
    copy->post_action = {};
    copy->log_subrequest = 0;
    copy->tcp_nodelay = 0;
    copy->handler = nullptr;

    return copy;
}

void **copy_vector(ngx_conf_t *cf, void **vector)
{
    auto size = sizeof(void *) * ngx_http_max_module;
    auto *copy = static_cast<void **>(ngx_palloc(cf->pool, size));
    if (copy == nullptr) {
        throw std::bad_alloc{};
    }

    ngx_memcpy(copy, vector, size);
    return copy;
}

void set_upstream_defaults(ngx_http_upstream_conf_t &conf)
{
    conf.buffer_size = 16 * 1024;
    conf.next_upstream =
        NGX_HTTP_UPSTREAM_FT_ERROR | NGX_HTTP_UPSTREAM_FT_TIMEOUT;
    conf.ignore_client_abort = 1;
    conf.pass_request_headers = 1;
    conf.pass_request_body = 1;
    conf.ssl_session_reuse = 1;
    conf.ssl_server_name = 1;
    ngx_str_set(&conf.module, "bff");
}

} // namespace

bool HttpClient::prepare(ngx_conf_t *cf)
{
    auto *cmcf = static_cast<ngx_http_core_main_conf_t *>(
        ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module));
    if (cmcf->servers.nelts == 0) {
        return true; // nobody will ever ask
    }

    auto *server =
        *static_cast<ngx_http_core_srv_conf_t **>(cmcf->servers.elts);
    conf_ctx_ = static_cast<ngx_http_conf_ctx_t *>(
        ngx_palloc(cf->pool, sizeof(ngx_http_conf_ctx_t)));
    if (conf_ctx_ == nullptr) {
        return false;
    }

    *conf_ctx_ = *server->ctx;
    conf_ctx_->loc_conf = copy_vector(cf, server->ctx->loc_conf);
    auto &core = conf_ctx_->loc_conf[ngx_http_core_module.ctx_index];
    core = neutral_core_conf(cf, core);

    set_upstream_defaults(upstream_);
    upstream_.ssl = settings_.tls->context();
    peers_.peer.init = guarded<Exchange::init_peers>;
    upstream_.upstream = &peers_;

    return true;
}

std::unique_ptr<HttpCall> HttpClient::start(const web::HttpRequest &request,
                                            HttpCall::Done done,
                                            std::optional<Seconds> within)
{
    auto most = within ? static_cast<ngx_msec_t>(within->count()) * 1000
                       : settings_.timeout;
    auto call = std::make_unique<Exchange>(*this, request, std::move(done),
                                           std::min(most, settings_.timeout));
    call->start();
    return call;
}

} // namespace bff::ngx
