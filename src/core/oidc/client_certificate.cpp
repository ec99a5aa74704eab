// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The certificate that this client shows in TLS (RFC 8705).
//
// NGINX reads both files as well. We do so before, because of an encrypted
// key it would ask at the terminal.

#include "core/oidc/client_certificate.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>

#include "core/base/base64url.hpp"
#include "core/oidc/key_material.hpp"

namespace bff::oidc {
namespace {

Handle<X509> certificate_of_pem(std::string_view pem);
std::string jwk_of(X509 *certificate);

} // namespace

Result<ClientCertificate> ClientCertificate::parse(std::string_view certificate,
                                                   std::string_view key)
{
    auto x509 = certificate_of_pem(certificate);
    if (!x509) {
        return Error{Code::misconfigured,
                     "\"client_certificate\": the file holds no certificate "
                     "in PEM"};
    }

    auto pkey = private_key_of_pem(key);
    if (!pkey) {
        return Error{Code::misconfigured,
                     "\"client_certificate_key\": cannot use the file: " +
                         std::move(pkey).error().detail};
    }

    bool belongs = X509_check_private_key(x509.get(), pkey->get()) == 1;
    ERR_clear_error();
    if (!belongs) {
        return Error{Code::misconfigured,
                     "\"client_certificate_key\" is not the key of "
                     "\"client_certificate\"; write the one that the "
                     "certificate was made for, and the client's certificate "
                     "first in its file"};
    }

    return ClientCertificate{.jwk = jwk_of(x509.get())};
}

namespace {

int no_password(char *, int, int, void *)
{
    return -1;
}

Handle<X509> certificate_of_pem(std::string_view pem)
{
    if (pem.size() > kMostKeyOctets) {
        return nullptr;
    }

    Handle<BIO> bio{BIO_new_mem_buf(pem.data() != nullptr ? pem.data() : "",
                                    static_cast<int>(pem.size()))};
    Handle<X509> x509{
        bio ? PEM_read_bio_X509(bio.get(), nullptr, no_password, nullptr)
            : nullptr};
    ERR_clear_error();

    return x509;
}

std::string der_of(X509 *certificate)
{
    unsigned char *der = nullptr;
    int octets = i2d_X509(certificate, &der);
    if (octets <= 0) {
        return "";
    }

    std::string bytes{reinterpret_cast<char *>(der),
                      static_cast<size_t>(octets)};
    OPENSSL_free(der);

    return bytes;
}

// RFC 7517, 4.7: base64 and not base64url.
std::string jwk_of(X509 *certificate)
{
    auto material = KeyMaterial::of(X509_get0_pubkey(certificate));
    if (!material) {
        return "";
    }

    auto jwk = material->public_jwk();
    json::put(jwk.get(), "kid", std::string_view{material->thumbprint()});
    json::put(jwk.get(), "use", std::string_view{"sig"});

    auto chain = json::array();
    auto encoded = base64url::encode_standard(der_of(certificate));
    json::append(chain.get(),
                 json::Value{json_stringn(encoded.data(), encoded.size())});
    json::put(jwk.get(), "x5c", std::move(chain));

    return json::print(jwk.get());
}

} // namespace
} // namespace bff::oidc
