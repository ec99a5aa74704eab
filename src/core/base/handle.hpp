// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// OpenSSL, Jansson and cjose objects that free themselves.

#pragma once

#include <memory>

#include <cjose/cjose.h>
#include <jansson.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/x509.h>

namespace bff {

struct Release {
    void operator()(EVP_CIPHER_CTX *p) const noexcept
    {
        EVP_CIPHER_CTX_free(p);
    }
    void operator()(EVP_CIPHER *p) const noexcept { EVP_CIPHER_free(p); }
    void operator()(EVP_MD *p) const noexcept { EVP_MD_free(p); }
    void operator()(EVP_MD_CTX *p) const noexcept { EVP_MD_CTX_free(p); }
    void operator()(EVP_PKEY *p) const noexcept { EVP_PKEY_free(p); }
    void operator()(EVP_PKEY_CTX *p) const noexcept { EVP_PKEY_CTX_free(p); }
    void operator()(EVP_KDF *p) const noexcept { EVP_KDF_free(p); }
    void operator()(EVP_KDF_CTX *p) const noexcept { EVP_KDF_CTX_free(p); }
    void operator()(BIGNUM *p) const noexcept { BN_free(p); }
    void operator()(X509 *p) const noexcept { X509_free(p); }
    void operator()(BIO *p) const noexcept { BIO_free(p); }
    void operator()(json_t *p) const noexcept { json_decref(p); }
    void operator()(cjose_jwk_t *p) const noexcept { cjose_jwk_release(p); }
    void operator()(cjose_jws_t *p) const noexcept { cjose_jws_release(p); }
};

template <class T> using Handle = std::unique_ptr<T, Release>;

} // namespace bff
