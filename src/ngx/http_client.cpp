// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// How a call runs: a connection without a socket carries a main request that
// does nothing; a background subrequest of it runs the upstream. All octets
// of the answer go to core's HttpReader from within "reading the header", so
// that no filter of any other module ever sees them; when the reader is
// satisfied, or has given up, the upstream is told to end.

#include "ngx/http_client.hpp"

#include "core/base/text.hpp"
#include "core/web/http_reader.hpp"
#include "core/web/url.hpp"
#include "ngx/boundary.hpp"
#include "ngx/pool.hpp"
#include "ngx/text.hpp"

namespace bff::ngx {

// One HttpCall under way. Lives on the heap; its NGINX memory is the pool of
// its own connection and request.
class Exchange final : public HttpCall {
public:
    Exchange(HttpClient &client, web::HttpRequest request, Done done);
    ~Exchange() override;

    void start();

private:
    bool make_connection();
    bool make_request();
    void begin_resolving();
    void resolved(ngx_resolver_ctx_t *context);
    void connect_to(std::vector<Address> addresses);
    void tear_down();

    void settle(Result<web::HttpResponse> result);
    void fail(std::string reason);
    void finish_upstream();

    ngx_int_t init_peers(ngx_http_request_t *r);
    ngx_int_t create_request(ngx_http_request_t *r);
    ngx_int_t read_octets(ngx_http_request_t *r);

    static Exchange &of(ngx_http_request_t *r);
    static void run_upstream(ngx_http_request_t *r);
    static void on_main_write(ngx_http_request_t *r);
    static ngx_int_t on_subrequest_end(ngx_http_request_t *r, void *data,
                                       ngx_int_t rc);
    static void write_log(ngx_log_t *log, ngx_uint_t level, u_char *buf,
                          size_t len);
    static void on_settled(ngx_event_t *event);
    static void on_deadline(ngx_event_t *event);
    static void on_resolved(ngx_resolver_ctx_t *context);
    static ngx_int_t set_session(ngx_peer_connection_t *pc, void *data);
    static void save_session(ngx_peer_connection_t *pc, void *data);

    friend class HttpClient;

    HttpClient &client_;
    web::HttpRequest request_;
    Done done_;
    web::Url url_;

    ngx_log_t log_{};
    ngx_http_log_ctx_t log_ctx_{};
    ngx_http_connection_t http_{};
    ngx_connection_t *connection_ = nullptr;
    ngx_pool_t *pool_ = nullptr;
    ngx_http_request_t *main_ = nullptr;
    ngx_http_request_t *sub_ = nullptr;
    ngx_http_post_subrequest_t post_{};
    ngx_http_upstream_conf_t upstream_{};
    ngx_http_upstream_resolved_t peers_{};
    std::vector<Address> addresses_;
    std::vector<ngx_resolver_addr_t> resolver_addrs_;
    ngx_resolver_ctx_t *resolving_ = nullptr;
    sockaddr_in nowhere_{};

    ngx_event_t settled_{};
    ngx_event_t deadline_{};
    ngx_msec_t ends_at_ = 0;

    web::HttpReader reader_;
    std::string malformed_;   // what the reader said
    std::string tls_failure_; // what verification said
    std::string last_log_;    // what NGINX would have logged
    std::optional<Result<web::HttpResponse>> result_;
};

namespace {

ngx_int_t peer_init(ngx_http_request_t *r, ngx_http_upstream_srv_conf_t *)
{
    return HttpClient::init_peers_of(r);
}

bool is_idempotent(const web::HttpRequest &request)
{
    return request.method == "GET" || request.method == "HEAD";
}

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

// --- the client ---

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
    peers_.peer.init = peer_init;
    upstream_.upstream = &peers_;

    return true;
}

std::unique_ptr<HttpCall> HttpClient::start(const web::HttpRequest &request,
                                            HttpCall::Done done)
{
    auto call = std::make_unique<Exchange>(*this, request, std::move(done));
    call->start();
    return call;
}

// --- beginning ---

Exchange::Exchange(HttpClient &client, web::HttpRequest request, Done done)
    : client_{client}, request_{std::move(request)}, done_{std::move(done)}
{
    settled_.data = this;
    settled_.log = ngx_cycle->log;
    settled_.handler = guarded_event<on_settled>;

    deadline_.data = this;
    deadline_.log = ngx_cycle->log;
    deadline_.handler = guarded_event<on_deadline>;
}

void Exchange::start()
{
    auto timeout = client_.settings_.timeout;
    ends_at_ = ngx_current_msec + timeout;
    ngx_add_timer(&deadline_, timeout);

    auto url = web::Url::parse(request_.url);
    if (!url) {
        return fail("URL is not usable: " + url.error().detail);
    }
    url_ = std::move(*url);

    if (!make_connection() || !make_request()) {
        return fail("no memory or no free connection");
    }

    begin_resolving();
}

bool Exchange::make_connection()
{
    log_ = *ngx_cycle->log;
    log_.data = &log_ctx_;

    connection_ = ngx_get_connection(0, &log_);
    if (connection_ == nullptr) {
        return false;
    }
    connection_->fd = static_cast<ngx_socket_t>(-1);

    pool_ = ngx_create_pool(1024, &log_);
    if (pool_ == nullptr) {
        return false;
    }

    // Never looked at, but other modules' log and variable code may.
    nowhere_.sin_family = AF_INET;
    nowhere_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connection_->sockaddr = reinterpret_cast<sockaddr *>(&nowhere_);
    connection_->socklen = sizeof(nowhere_);
    connection_->local_sockaddr = connection_->sockaddr;
    connection_->local_socklen = connection_->socklen;
    connection_->addr_text = borrow("127.0.0.1");

    connection_->pool = pool_;
    connection_->log = &log_;
    connection_->read->log = &log_;
    connection_->write->log = &log_;
    connection_->log_error = NGX_ERROR_INFO;

    // Ready and active: upstream must not add "its client" to epoll.
    connection_->write->active = 1;
    connection_->write->ready = 1;

    log_ctx_.connection = connection_;
    http_.conf_ctx = client_.conf_ctx_;
    connection_->data = &http_;

    return true;
}

bool Exchange::make_request()
{
    main_ = ngx_http_create_request(connection_);
    if (main_ == nullptr) {
        return false;
    }

    // NGINX has given the log its server's settings: ours is for us alone.
    log_.next = nullptr;
    log_.handler = nullptr;
    log_.writer = write_log;
    log_.wdata = this;
    log_.log_level = (ngx_cycle->log->log_level & NGX_LOG_DEBUG_ALL)
                         ? ngx_cycle->log->log_level
                         : NGX_LOG_INFO;

    connection_->data = main_;
    main_->logged = 1; // no access log
    main_->method = NGX_HTTP_GET;
    main_->http_version = NGX_HTTP_VERSION_11;
    main_->uri = borrow("/");
    main_->write_event_handler = on_main_write;
    main_->read_event_handler = ngx_http_block_reading;
    if (ngx_list_init(&main_->headers_in.headers, main_->pool, 1,
                      sizeof(ngx_table_elt_t)) != NGX_OK) {
        return false;
    }

    post_.handler = on_subrequest_end;
    post_.data = this;

    return ngx_http_subrequest(main_, &main_->uri, nullptr, &sub_, &post_,
                               NGX_HTTP_SUBREQUEST_BACKGROUND |
                                   NGX_HTTP_SUBREQUEST_IN_MEMORY) == NGX_OK;
}

void Exchange::on_main_write(ngx_http_request_t *) {}

Exchange &Exchange::of(ngx_http_request_t *r)
{
    return *static_cast<Exchange *>(r->post_subrequest->data);
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

    resolving_->name = in_pool(pool_, url_.host);
    resolving_->handler = on_resolved;
    resolving_->data = this;
    resolving_->timeout = client_.settings_.addresses.timeout();

    if (ngx_resolve_name(resolving_) != NGX_OK) {
        resolving_ = nullptr;
        fail("\"" + url_.host + "\" could not be resolved");
    }
}

void Exchange::on_resolved(ngx_resolver_ctx_t *context)
{
    auto *call = static_cast<Exchange *>(context->data);

    try {
        call->resolved(context);
    } catch (...) {
        log_exception(ngx_cycle->log);
    }
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

    sub_->write_event_handler = run_upstream;
    ngx_http_run_posted_requests(connection_);
}

// --- the upstream ---

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

    auto left = call.ends_at_ - ngx_current_msec;
    call.upstream_ = call.client_.upstream_;
    call.upstream_.connect_timeout = left;
    call.upstream_.send_timeout = left;
    call.upstream_.read_timeout = left;

    // Several addresses: no single one may use up the whole time.
    if (call.addresses_.size() > 1) {
        call.upstream_.connect_timeout = left / call.addresses_.size();
    }

    auto *u = r->upstream;
    u->conf = &call.upstream_;
    u->schema = call.url_.is_https() ? borrow("https://") : borrow("http://");
    u->ssl = call.url_.is_https();
    u->output.tag = reinterpret_cast<ngx_buf_tag_t>(&run_upstream);
    u->create_request = [](ngx_http_request_t *sr) -> ngx_int_t {
        return of(sr).create_request(sr);
    };
    u->reinit_request = [](ngx_http_request_t *) -> ngx_int_t {
        return NGX_OK;
    };
    u->process_header = [](ngx_http_request_t *sr) -> ngx_int_t {
        return of(sr).read_octets(sr);
    };
    u->abort_request = [](ngx_http_request_t *) {};
    u->finalize_request = [](ngx_http_request_t *, ngx_int_t) {};

    ngx_http_upstream_init(r);
}

ngx_int_t Exchange::create_request(ngx_http_request_t *r)
{
    std::string head = request_.method + " " + url_.target() + " HTTP/1.1\r\n";
    head += "Host: " + url_.authority() + "\r\n";
    head += "Connection: close\r\nUser-Agent: ngx_http_bff_module\r\n";
    for (const auto &header : request_.headers) {
        head += header.name + ": " + header.value + "\r\n";
    }
    if (!is_idempotent(request_)) {
        head += "Content-Length: " + std::to_string(request_.body.size());
        head += "\r\n";
    }
    head += "\r\n" + request_.body;

    auto *b = ngx_create_temp_buf(r->pool, head.size());
    auto *cl = ngx_alloc_chain_link(r->pool);
    if (b == nullptr || cl == nullptr) {
        return NGX_ERROR;
    }

    b->last = ngx_cpymem(b->last, head.data(), head.size());
    b->last_in_chain = 1;
    cl->buf = b;
    cl->next = nullptr;
    r->upstream->request_bufs = cl;

    return NGX_OK;
}

// In place of "process header": takes every octet there is, and says ERROR
// as soon as the answer is complete or cannot become so, which ends the
// upstream; whether it is an error is for on_subrequest_end to say.
ngx_int_t Exchange::read_octets(ngx_http_request_t *r)
{
    auto *u = r->upstream;
    auto *b = &u->buffer;

    // No other address once this one has begun to answer.
    u->peer.tries = 0;

    auto octets = std::string_view{reinterpret_cast<char *>(b->pos),
                                   static_cast<size_t>(b->last - b->pos)};
    auto fed = reader_.feed(octets);
    b->pos = b->start;
    b->last = b->start;

    if (!fed) {
        malformed_ = fed.error().detail;
        return NGX_ERROR;
    }

    return reader_.is_complete() ? NGX_ERROR : NGX_AGAIN;
}

// Called by NGINX once the upstream has ended, for whatever reason. The
// reader knows whether the answer is whole.
ngx_int_t Exchange::on_subrequest_end(ngx_http_request_t *, void *data,
                                      ngx_int_t)
{
    static_cast<Exchange *>(data)->finish_upstream();
    return NGX_OK;
}

void Exchange::finish_upstream()
{
    if (malformed_.empty() && reader_.has_begun() && !reader_.is_complete()) {
        if (auto end = reader_.finish(); !end) {
            malformed_ = end.error().detail;
        }
    }

    if (reader_.is_complete()) {
        settle(reader_.take());
    } else if (!malformed_.empty()) {
        fail("answer is not usable: " + malformed_);
    } else if (!tls_failure_.empty()) {
        fail(tls_failure_);
    } else {
        fail(last_log_.empty() ? "no answer" : last_log_);
    }
}

// --- peers and TLS ---

ngx_int_t Exchange::init_peers(ngx_http_request_t *r)
{
    if (ngx_http_upstream_create_round_robin_peer(r, &peers_) != NGX_OK) {
        return NGX_ERROR;
    }

    auto *u = r->upstream;
    u->ssl_name = borrow(url_.host);
    u->peer.set_session = set_session;
    u->peer.save_session = save_session;

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

void Exchange::write_log(ngx_log_t *log, ngx_uint_t level, u_char *buf,
                         size_t len)
{
    auto *call = static_cast<Exchange *>(log->wdata);

    if (level > NGX_LOG_ERR) {
        return;
    }

    // "date time [level] pid#tid: *n message"
    std::string_view line{reinterpret_cast<char *>(buf), len};
    auto at = line.find("#");
    at = at == line.npos ? at : line.find(": ", at);
    if (at == line.npos) {
        return;
    }
    line.remove_prefix(at + 2);
    if (line.starts_with('*')) {
        line.remove_prefix(std::min(line.find(' ') + 1, line.size()));
    }

    while (!line.empty() && (line.back() == '\n' || line.back() == ' ')) {
        line.remove_suffix(1);
    }
    call->last_log_ = text::for_log(line);
}

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
    auto timeout = call->client_.settings_.timeout;

    call->fail("no complete answer within " + std::to_string(timeout) + " ms");
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

Exchange::~Exchange()
{
    result_.emplace(Error{Code::unavailable, "cancelled"}); // settles nobody
    tear_down();
}

ngx_int_t HttpClient::init_peers_of(ngx_http_request_t *r)
{
    return Exchange::of(r).init_peers(r);
}

} // namespace bff::ngx
