// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

#include "support/key_files.hpp"

#include <cstdlib>

#include <openssl/core_names.h>
#include <openssl/pem.h>

#include "core/base/base64url.hpp"
#include "core/base/json.hpp"

namespace bff::unit {
namespace {

void must(bool good)
{
    if (!good) {
        std::abort();
    }
}

std::string content_of(BIO *bio)
{
    char *data = nullptr;
    auto octets = BIO_get_mem_data(bio, &data);
    return {data, static_cast<size_t>(octets)};
}

int write(BIO *bio, EVP_PKEY *key, Pem form)
{
    switch (form) {
    case Pem::pkcs8:
        return PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr,
                                        nullptr);
    case Pem::traditional:
        return PEM_write_bio_PrivateKey_traditional(bio, key, nullptr, nullptr,
                                                    0, nullptr, nullptr);
    case Pem::encrypted:
        return PEM_write_bio_PKCS8PrivateKey(bio, key, EVP_aes_128_cbc(),
                                             "secret", 6, nullptr, nullptr);
    case Pem::legacy:
        return PEM_write_bio_PrivateKey_traditional(
            bio, key, EVP_aes_128_cbc(),
            reinterpret_cast<const unsigned char *>("secret"), 6, nullptr,
            nullptr);
    case Pem::only_public:
        return PEM_write_bio_PUBKEY(bio, key);
    }
    return 0;
}

// As long as the curve's order, for an EC key (RFC 7518, 6.2.2.1).
void put_number(json_t *jwk, std::string_view name, EVP_PKEY *key,
                const char *openssl_name)
{
    BIGNUM *taken = nullptr;
    must(EVP_PKEY_get_bn_param(key, openssl_name, &taken) == 1);
    Handle<BIGNUM> number{taken};

    int octets = EVP_PKEY_is_a(key, "EC") ? (EVP_PKEY_get_bits(key) + 7) / 8
                                          : BN_num_bytes(taken);
    std::string bytes(octets, '\0');
    must(BN_bn2binpad(taken, reinterpret_cast<unsigned char *>(bytes.data()),
                      octets) == octets);
    json::put(jwk, name, std::string_view{base64url::encode(bytes)});
}

void put_private(json_t *jwk, EVP_PKEY *key)
{
    if (EVP_PKEY_is_a(key, "RSA")) {
        put_number(jwk, "d", key, OSSL_PKEY_PARAM_RSA_D);
        put_number(jwk, "p", key, OSSL_PKEY_PARAM_RSA_FACTOR1);
        put_number(jwk, "q", key, OSSL_PKEY_PARAM_RSA_FACTOR2);
        put_number(jwk, "dp", key, OSSL_PKEY_PARAM_RSA_EXPONENT1);
        put_number(jwk, "dq", key, OSSL_PKEY_PARAM_RSA_EXPONENT2);
        put_number(jwk, "qi", key, OSSL_PKEY_PARAM_RSA_COEFFICIENT1);
    } else if (EVP_PKEY_is_a(key, "EC")) {
        put_number(jwk, "d", key, OSSL_PKEY_PARAM_PRIV_KEY);
    } else {
        std::string d(32, '\0');
        size_t octets = d.size();
        auto *bytes = reinterpret_cast<unsigned char *>(d.data());
        must(EVP_PKEY_get_raw_private_key(key, bytes, &octets) == 1);
        json::put(jwk, "d", std::string_view{base64url::encode(d)});
    }
}

} // namespace

std::string pem(EVP_PKEY *key, Pem form)
{
    Handle<BIO> bio{BIO_new(BIO_s_mem())};
    must(write(bio.get(), key, form) == 1);
    return content_of(bio.get());
}

std::string private_jwk(const MintedKey &key, std::string_view members)
{
    auto jwk = json::parse_object(key.jwk());
    must(static_cast<bool>(jwk));
    put_private(jwk->get(), key.pkey());

    auto changes = json::parse_object(members);
    must(static_cast<bool>(changes));
    const char *name;
    json_t *value;
    json_object_foreach(changes->get(), name, value)
    {
        if (json_is_null(value)) {
            json_object_del(jwk->get(), name);
        } else {
            json_object_set(jwk->get(), name, value);
        }
    }

    return json::print(jwk->get());
}

std::string certificate(const MintedKey &key, const MintedKey &issuer)
{
    Handle<X509> x509{X509_new()};
    X509_set_version(x509.get(), X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x509.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(x509.get()), 0);
    X509_gmtime_adj(X509_getm_notAfter(x509.get()), 3600);
    X509_set_pubkey(x509.get(), key.pkey());

    const auto *digest =
        EVP_PKEY_is_a(issuer.pkey(), "ED25519") ? nullptr : EVP_sha256();
    must(X509_sign(x509.get(), issuer.pkey(), digest) > 0);

    Handle<BIO> bio{BIO_new(BIO_s_mem())};
    must(PEM_write_bio_X509(bio.get(), x509.get()) == 1);
    return content_of(bio.get());
}

} // namespace bff::unit
