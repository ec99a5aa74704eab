// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Verification is OpenSSL's own, set up for each connection, since NGINX's
// check of the host knows names only and no addresses.

#include "ngx/tls.hpp"

#include "ngx/pool.hpp"
#include "ngx/text.hpp"

namespace bff::ngx {
namespace {

constexpr size_t kRememberedSessions = 64;

// Where a connection's verify callback finds its failure text.
int failure_index()
{
    static const int index =
        SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
    return index;
}

int on_verify(int ok, X509_STORE_CTX *store)
{
    if (ok) {
        return 1;
    }

    auto *ssl = static_cast<SSL *>(X509_STORE_CTX_get_ex_data(
        store, SSL_get_ex_data_X509_STORE_CTX_idx()));
    auto *failure =
        static_cast<std::string *>(SSL_get_ex_data(ssl, failure_index()));
    if (failure != nullptr && failure->empty()) {
        *failure = "certificate verify failed: ";
        *failure +=
            X509_verify_cert_error_string(X509_STORE_CTX_get_error(store));
    }

    return 0;
}

bool expect_host(SSL *ssl, const std::string &host)
{
    auto bare = host.starts_with('[') ? host.substr(1, host.size() - 2) : host;

    if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), bare.c_str()) == 1) {
        return true;
    }
    ERR_clear_error(); // it was no address

    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return SSL_set1_host(ssl, bare.c_str()) == 1;
}

bool trust(ngx_conf_t *cf, ngx_ssl_t *ssl, const TlsSettings &settings)
{
    if (settings.trusted_certificate.len == 0) {
        return SSL_CTX_set_default_verify_paths(ssl->ctx) == 1;
    }

    auto file = settings.trusted_certificate;
    return ngx_ssl_trusted_certificate(cf, ssl, &file, 10) == NGX_OK;
}

// The server asks for it; without a certificate of ours it gets none. The
// empty password is for a key that is encrypted after all: without any,
// OpenSSL would ask at the terminal.
bool identify(ngx_conf_t *cf, ngx_ssl_t *ssl, const TlsSettings &settings)
{
    if (settings.certificate.len == 0) {
        return true;
    }

    ngx_str_t empty = ngx_string("");
    ngx_array_t passwords{};
    passwords.elts = &empty;
    passwords.nelts = 1;

    auto certificate = settings.certificate;
    auto key = settings.certificate_key;
    return ngx_ssl_certificate(cf, ssl, &certificate, &key, &passwords) ==
           NGX_OK;
}

bool set_up(ngx_conf_t *cf, ngx_ssl_t *ssl, const TlsSettings &settings)
{
    if (ngx_ssl_create(ssl, NGX_SSL_TLSv1_2 | NGX_SSL_TLSv1_3, nullptr) !=
            NGX_OK ||
        !trust(cf, ssl, settings) || !identify(cf, ssl, settings)) {
        return false;
    }

    // Each connection says it again, with the host (see prepare); this is for
    // one that would not ask.
    if (settings.verify) {
        SSL_CTX_set_verify(ssl->ctx, SSL_VERIFY_PEER, nullptr);
    }

    auto crl = settings.crl;
    return ngx_ssl_crl(cf, ssl, &crl) == NGX_OK &&
           ngx_ssl_client_session_cache(cf, ssl, 1) == NGX_OK;
}

std::string key_of(const std::string &host, uint16_t port)
{
    return host + ":" + std::to_string(port);
}

} // namespace

TlsClient *TlsClient::make(ngx_conf_t *cf, const TlsSettings &settings)
{
    auto *client = make_in_pool<TlsClient>(cf->pool, settings.verify);

    client->ssl_.log = cf->log;
    failure_index();

    return set_up(cf, &client->ssl_, settings) ? client : nullptr;
}

TlsClient::~TlsClient()
{
    for (auto &[key, session] : sessions_) {
        ngx_ssl_free_session(session);
    }

    if (ssl_.ctx != nullptr) {
        ngx_ssl_cleanup_ctx(&ssl_);
    }
}

bool TlsClient::prepare(ngx_connection_t *c, const std::string &host,
                        uint16_t port, std::string *failure)
{
    auto *ssl = c->ssl->connection;

    if (verify_) {
        SSL_set_ex_data(ssl, failure_index(), failure);
        SSL_set_verify(ssl, SSL_VERIFY_PEER, on_verify);
        if (!expect_host(ssl, host)) {
            return false;
        }
    } else {
        SSL_set_verify(ssl, SSL_VERIFY_NONE, nullptr);
    }

    auto found = sessions_.find(key_of(host, port));
    return found == sessions_.end() ||
           ngx_ssl_set_session(c, found->second) == NGX_OK;
}

void TlsClient::remember(ngx_connection_t *c, const std::string &host,
                         uint16_t port)
{
    if (sessions_.size() >= kRememberedSessions &&
        !sessions_.contains(key_of(host, port))) {
        return;
    }

    auto *session = ngx_ssl_get_session(c);
    if (session == nullptr) {
        return;
    }

    auto &slot = sessions_[key_of(host, port)];
    if (slot != nullptr) {
        ngx_ssl_free_session(slot);
    }
    slot = session;
}

} // namespace bff::ngx
