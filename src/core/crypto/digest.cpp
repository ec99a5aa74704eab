// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// SHA-2, HMAC-SHA-256 and HKDF-SHA-256 (RFC 5869), on OpenSSL.
//
// With the algorithms in OpenSSL's default provider these calls fail only
// for want of memory, and that is how a failure is told: a digest that is
// not one never leaves this file.

#include "core/crypto/digest.hpp"

#include <algorithm>
#include <array>
#include <new>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include "core/base/handle.hpp"

namespace bff::crypto {
namespace {

// An algorithm and its context, made once: finding the one and making the
// other cost more than a short text's digest. What was digested is not kept in
// the context, which OpenSSL wipes.
class Hash {
public:
    explicit Hash(const char *name);
    std::string operator()(std::string_view data);

private:
    Handle<EVP_MD> algorithm_;
    Handle<EVP_MD_CTX> ctx_;
};

EVP_KDF *hkdf();
OSSL_PARAM octets_param(const char *name, std::string_view octets);
void must_succeed(bool succeeded);
unsigned char *octets_of(std::string &bytes);
const unsigned char *octets_of(std::string_view bytes);

} // namespace

std::string sha256(std::string_view data)
{
    static Hash hash{"SHA2-256"};
    return hash(data);
}

std::string sha384(std::string_view data)
{
    static Hash hash{"SHA2-384"};
    return hash(data);
}

std::string sha512(std::string_view data)
{
    static Hash hash{"SHA2-512"};
    return hash(data);
}

std::string hmac_sha256(std::string_view key, std::string_view data)
{
    std::string mac(32, '\0');
    must_succeed(HMAC(EVP_sha256(), octets_of(key),
                      static_cast<int>(key.size()), octets_of(data),
                      data.size(), octets_of(mac), nullptr) != nullptr);
    return mac;
}

Secret hkdf_sha256(std::string_view key, std::string_view salt,
                   std::string_view info, size_t octets)
{
    if (octets == 0) {
        return Secret{};
    }

    char sha256_name[] = "SHA256";
    const std::array params{
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, sha256_name, 0),
        octets_param(OSSL_KDF_PARAM_KEY, key),
        octets_param(OSSL_KDF_PARAM_SALT, salt),
        octets_param(OSSL_KDF_PARAM_INFO, info),
        OSSL_PARAM_construct_end(),
    };

    Handle<EVP_KDF_CTX> ctx{EVP_KDF_CTX_new(hkdf())};
    std::string derived(octets, '\0');
    must_succeed(ctx && EVP_KDF_derive(ctx.get(), octets_of(derived), octets,
                                       params.data()) == 1);
    return Secret{std::move(derived)};
}

namespace {

Hash::Hash(const char *name)
    : algorithm_{EVP_MD_fetch(nullptr, name, nullptr)}, ctx_{EVP_MD_CTX_new()}
{
    must_succeed(algorithm_ && ctx_);
}

std::string Hash::operator()(std::string_view data)
{
    std::string hash(static_cast<size_t>(EVP_MD_get_size(algorithm_.get())),
                     '\0');
    must_succeed(
        EVP_DigestInit_ex2(ctx_.get(), algorithm_.get(), nullptr) == 1 &&
        EVP_DigestUpdate(ctx_.get(), octets_of(data), data.size()) == 1 &&
        EVP_DigestFinal_ex(ctx_.get(), octets_of(hash), nullptr) == 1);
    return hash;
}

// Fetched once, as finding an algorithm costs more than using it.
EVP_KDF *hkdf()
{
    static const Handle<EVP_KDF> fetched{
        EVP_KDF_fetch(nullptr, "HKDF", nullptr)};
    return fetched.get();
}

OSSL_PARAM octets_param(const char *name, std::string_view octets)
{
    // OpenSSL only reads it, though its type does not say so.
    return OSSL_PARAM_construct_octet_string(
        name, const_cast<unsigned char *>(octets_of(octets)), octets.size());
}

void must_succeed(bool succeeded)
{
    if (!succeeded) {
        ERR_clear_error();
        throw std::bad_alloc{};
    }
}

unsigned char *octets_of(std::string &bytes)
{
    return reinterpret_cast<unsigned char *>(bytes.data());
}

// Never null, because to OpenSSL null means "absent" and not "empty".
const unsigned char *octets_of(std::string_view bytes)
{
    const char *data = bytes.empty() ? "" : bytes.data();
    return reinterpret_cast<const unsigned char *>(data);
}

} // namespace
} // namespace bff::crypto
