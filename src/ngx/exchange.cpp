// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// All octets of the answer go to core's HttpReader from within "reading the
// header", so that no filter of any other module ever sees them; when the
// reader is satisfied, or has given up, the upstream is told to end.

#include "ngx/exchange.hpp"

#include <utility>

#include "core/base/secret.hpp"
#include "ngx/boundary.hpp"
#include "ngx/text.hpp"

namespace bff::ngx {
namespace {

bool is_idempotent(const web::HttpRequest &request)
{
    return request.method == "GET" || request.method == "HEAD";
}

std::string text_of(const web::HttpRequest &request, const web::Url &url)
{
    std::string text = request.method + " " + url.target() + " HTTP/1.1\r\n";

    text += "Host: " + url.authority() + "\r\n";
    text += "Connection: close\r\nUser-Agent: ngx_http_bff_module\r\n";
    text += "Accept-Encoding: identity\r\n";
    for (const auto &header : request.headers) {
        text += header.name + ": " + header.value + "\r\n";
    }
    if (!is_idempotent(request)) {
        text += "Content-Length: " + std::to_string(request.body.size());
        text += "\r\n";
    }
    text += "\r\n" + request.body;

    return text;
}

// "recv() failed (104: ...)" or "upstream timed out (110: ...)", where the
// peer's own end is neither.
bool is_failure(std::string_view complaint)
{
    return complaint.find("() failed (") != complaint.npos ||
           complaint.find(" timed out (") != complaint.npos;
}

} // namespace

// --- beginning ---

Exchange::Exchange(HttpClient &client, web::HttpRequest request, Done done,
                   ngx_msec_t timeout)
    : client_{client}, request_{std::move(request)}, done_{std::move(done)},
      timeout_{timeout}
{
    settled_.data = this;
    settled_.log = ngx_cycle->log;
    settled_.handler = guarded<on_settled>;

    deadline_.data = this;
    deadline_.log = ngx_cycle->log;
    deadline_.handler = guarded<on_deadline>;
}

void Exchange::start()
{
    ends_at_ = ngx_current_msec + timeout_;
    ngx_add_timer(&deadline_, timeout_);

    auto url = web::Url::parse(request_.url);
    if (!url) {
        return fail("URL is not usable: " + url.error().detail);
    }
    url_ = std::move(*url);

    if (!lone_.make(client_.conf_ctx_, guarded<on_ended>, this)) {
        return fail("no memory or no free connection");
    }

    begin_resolving();
}

Exchange &Exchange::of(ngx_http_request_t *r)
{
    return LoneRequest::of<Exchange>(r);
}

// --- where to ---

void Exchange::begin_resolving()
{
    auto known = client_.settings_.addresses.known(url_.host);
    if (!known.empty()) {
        return connect_to(std::move(known));
    }

    ngx_resolver_ctx_t temp{};
    temp.name = borrow(url_.host);

    resolving_ =
        ngx_resolve_start(client_.settings_.addresses.resolver(), &temp);
    if (resolving_ == nullptr || resolving_ == NGX_NO_RESOLVER) {
        resolving_ = nullptr;
        return fail("no name server to resolve \"" + url_.host + "\"");
    }

    resolving_->name = in_pool(lone_.pool(), url_.host);
    resolving_->handler = guarded<on_resolved>;
    resolving_->data = this;
    resolving_->timeout = client_.settings_.addresses.timeout();

    if (ngx_resolve_name(resolving_) != NGX_OK) {
        resolving_ = nullptr;
        fail("\"" + url_.host + "\" could not be resolved");
    }
}

void Exchange::on_resolved(ngx_resolver_ctx_t *context)
{
    static_cast<Exchange *>(context->data)->resolved(context);
}

void Exchange::resolved(ngx_resolver_ctx_t *context)
{
    resolving_ = nullptr;

    std::vector<Address> addresses;
    for (ngx_uint_t i = 0; i < context->naddrs && i < 16; i++) {
        Address address;
        address.length = context->addrs[i].socklen;
        ngx_memcpy(&address.sockaddr, context->addrs[i].sockaddr,
                   address.length);
        addresses.push_back(address);
    }

    std::string why = context->state != 0
                          ? ngx_resolver_strerror(context->state)
                          : "no address";
    ngx_resolve_name_done(context);

    if (addresses.empty()) {
        return fail("\"" + url_.host + "\" could not be resolved: " + why);
    }
    connect_to(std::move(addresses));
}

void Exchange::connect_to(std::vector<Address> addresses)
{
    addresses_ = std::move(addresses);
    for (auto &address : addresses_) {
        ngx_resolver_addr_t entry{};
        entry.sockaddr = reinterpret_cast<sockaddr *>(&address.sockaddr);
        entry.socklen = address.length;
        resolver_addrs_.push_back(entry);
    }

    peers_.host = borrow(url_.host);
    peers_.port = url_.port;
    peers_.naddrs = resolver_addrs_.size();
    peers_.addrs = resolver_addrs_.data();

    lone_.run(guarded<run_upstream>);
}

// --- the upstream ---

void Exchange::set_timeouts()
{
    auto left = ends_at_ - ngx_current_msec;

    upstream_ = client_.upstream_;
    upstream_.send_timeout = left;
    upstream_.read_timeout = left;

    // Several addresses: no single one may use up the whole time.
    upstream_.connect_timeout = left / addresses_.size();
}

void Exchange::run_upstream(ngx_http_request_t *r)
{
    auto &call = of(r);

    r->write_event_handler = ngx_http_request_empty_handler;
    r->method = is_idempotent(call.request_) ? NGX_HTTP_GET : NGX_HTTP_POST;
    r->method_name = borrow(call.request_.method);
    r->request_body = nullptr;

    if (ngx_http_upstream_create(r) != NGX_OK) {
        ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return;
    }
    call.set_timeouts();

    auto *u = r->upstream;
    u->conf = &call.upstream_;
    u->ssl = call.url_.is_https();
    u->schema = u->ssl ? borrow("https://") : borrow("http://");
    u->output.tag = reinterpret_cast<ngx_buf_tag_t>(&run_upstream);
    u->create_request = guarded<write_request>;
    u->process_header = guarded<read_octets>;
    u->reinit_request = [](ngx_http_request_t *) -> ngx_int_t {
        return NGX_OK;
    };
    u->abort_request = [](ngx_http_request_t *) {};
    u->finalize_request = [](ngx_http_request_t *, ngx_int_t) {};

    ngx_http_upstream_init(r);
}

ngx_int_t Exchange::write_request(ngx_http_request_t *r)
{
    auto text = text_of(of(r).request_, of(r).url_);

    auto *b = ngx_create_temp_buf(r->pool, text.size());
    auto *cl = ngx_alloc_chain_link(r->pool);
    if (b == nullptr || cl == nullptr) {
        return NGX_ERROR;
    }

    b->last = ngx_cpymem(b->last, text.data(), text.size());
    b->last_in_chain = 1;
    cl->buf = b;
    cl->next = nullptr;
    r->upstream->request_bufs = cl;
    wipe(text);

    return NGX_OK;
}

// In place of "process header": takes every octet there is, and says ERROR
// as soon as the answer is complete or cannot become so, which ends the
// upstream; whether it is an error is for finish() to say.
ngx_int_t Exchange::read_octets(ngx_http_request_t *r)
{
    auto &call = of(r);
    auto *u = r->upstream;
    auto *b = &u->buffer;

    // No other address once this one has begun to answer.
    u->peer.tries = 0;

    auto octets = std::string_view{reinterpret_cast<char *>(b->pos),
                                   static_cast<size_t>(b->last - b->pos)};
    auto fed = call.reader_.feed(octets);
    b->pos = b->start;
    b->last = b->start;

    if (!fed) {
        call.broken_ = fed.error();
        return NGX_ERROR;
    }

    return call.reader_.is_complete() ? NGX_ERROR : NGX_AGAIN;
}

// The upstream has ended, for whatever reason. The reader knows whether the
// answer is whole.
void Exchange::on_ended(void *data)
{
    static_cast<Exchange *>(data)->finish();
}

void Exchange::finish()
{
    if (!broken_ && reader_.has_begun() && !reader_.is_complete()) {
        end_of_connection();
    }

    if (reader_.is_complete()) {
        settle(reader_.take());
    } else if (broken_) {
        settle(Error{broken_->code,
                     "answer is not usable: " + std::move(broken_->detail)});
    } else if (!tls_failure_.empty()) {
        fail(tls_failure_);
    } else {
        fail(lone_.complaint().empty() ? "no answer" : lone_.complaint());
    }
}

// A reset and a time-out end no answer, not even one that ends with the
// connection.
void Exchange::end_of_connection()
{
    if (is_failure(lone_.complaint())) {
        broken_ = Error{Code::unavailable, lone_.complaint()};
    } else if (auto end = reader_.finish(); !end) {
        broken_ = std::move(end).error();
    }
}

// --- peers and TLS ---

ngx_int_t Exchange::init_peers(ngx_http_request_t *r,
                               ngx_http_upstream_srv_conf_t *)
{
    auto &call = of(r);
    if (ngx_http_upstream_create_round_robin_peer(r, &call.peers_) != NGX_OK) {
        return NGX_ERROR;
    }

    auto *u = r->upstream;
    u->ssl_name = borrow(call.url_.host);
    u->peer.set_session = guarded<set_session>;
    u->peer.save_session = guarded<save_session>;

    return NGX_OK;
}

// NGINX calls this just before the handshake.
ngx_int_t Exchange::set_session(ngx_peer_connection_t *pc, void *)
{
    auto &call = of(static_cast<ngx_http_request_t *>(pc->connection->data));
    bool prepared = call.client_.settings_.tls->prepare(
        pc->connection, call.url_.host, call.url_.port, &call.tls_failure_);

    return prepared ? NGX_OK : NGX_ERROR;
}

void Exchange::save_session(ngx_peer_connection_t *pc, void *)
{
    auto &call = of(static_cast<ngx_http_request_t *>(pc->connection->data));
    call.client_.settings_.tls->remember(pc->connection, call.url_.host,
                                         call.url_.port);
}

// --- the end ---

void Exchange::fail(std::string reason)
{
    settle(Error{Code::unavailable, std::move(reason)});
}

void Exchange::settle(Result<web::HttpResponse> result)
{
    if (!result_) {
        result_.emplace(std::move(result));
        ngx_post_event(&settled_, &ngx_posted_events);
    }
}

void Exchange::on_settled(ngx_event_t *event)
{
    auto *call = static_cast<Exchange *>(event->data);

    call->tear_down();

    // The call may be destroyed by whoever is told: nothing after this.
    auto done = std::move(call->done_);
    auto result = std::move(*call->result_);
    done(std::move(result));
}

void Exchange::on_deadline(ngx_event_t *event)
{
    auto *call = static_cast<Exchange *>(event->data);

    call->fail("no complete answer within " + std::to_string(call->timeout_) +
               " ms");
}

void Exchange::tear_down()
{
    if (deadline_.timer_set) {
        ngx_del_timer(&deadline_);
    }
    if (settled_.posted) {
        ngx_delete_posted_event(&settled_);
    }
    if (resolving_ != nullptr) {
        ngx_resolve_name_done(std::exchange(resolving_, nullptr));
    }

    lone_.end();
}

Exchange::~Exchange()
{
    result_.emplace(Error{Code::unavailable, "cancelled"}); // settles nobody
    tear_down();
}

} // namespace bff::ngx
