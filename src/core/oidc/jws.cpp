// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// A compact JWS (RFC 7515): read strictly, verified with an allow-list.
//
// Nothing in the token chooses how it is verified. cjose is asked only after
// algorithm, key type, curve and the signature's length were found to fit;
// what it lacks (EdDSA) is OpenSSL's.

#include "core/oidc/jws.hpp"

#include <algorithm>

#include <openssl/err.h>
#include <openssl/hmac.h>

#include "core/base/apart.hpp"
#include "core/base/base64url.hpp"
#include "core/base/text.hpp"

namespace bff::oidc {
namespace {

constexpr size_t kMostOctets = 128 * 1024;
constexpr size_t kMostHeaderOctets = 16 * 1024;

Result<Done> read_header(std::string_view json,
                         const std::vector<Algorithm> &allowed, Jws &jws);
bool has_good_mac(const Jws &jws, const Secret &key);
bool is_signed_by(const Jws &jws, const PublicKey &key);
Error forged(std::string_view detail);

} // namespace

std::string_view Jws::signing_input() const
{
    return std::string_view{compact}.substr(0, compact.rfind('.'));
}

Result<Jws> Jws::parse(std::string_view compact,
                       const std::vector<Algorithm> &allowed)
{
    if (compact.size() > kMostOctets) {
        return forged("it is too long");
    }

    auto segments = text::split(compact, '.');
    if (segments.size() != 3) {
        return forged("it does not have three segments");
    }

    auto header = base64url::decode(segments[0]);
    auto payload = base64url::decode(segments[1]);
    auto signature = base64url::decode(segments[2]);
    if (!header || !payload || !signature) {
        return forged("a segment is not base64url");
    }

    Jws jws;
    auto read = read_header(*header, allowed, jws);
    if (!read) {
        return std::move(read).error();
    }
    if (payload->empty() || signature->empty()) {
        return forged(payload->empty() ? "it has no payload"
                                       : "it has no signature");
    }

    jws.compact = compact;
    jws.payload = std::move(*payload);
    jws.signature = std::move(*signature);
    return jws;
}

Verdict verify(const Jws &jws, const Jwks *keys, const Secret &client_secret)
{
    if (is_symmetric(jws.alg)) {
        return has_good_mac(jws, client_secret) ? Verdict::good : Verdict::bad;
    }

    if (keys == nullptr) {
        return Verdict::unknown_key;
    }

    auto candidates = keys->candidates(jws.alg, jws.kid);
    bool good = std::ranges::any_of(candidates, [&](const PublicKey *key) {
        return is_signed_by(jws, *key);
    });

    // OpenSSL's queue of errors is NGINX's too: leave nothing in it.
    ERR_clear_error();

    if (good) {
        return Verdict::good;
    }

    // KEY-6: a known kid whose signature is bad is worth no second question.
    return candidates.empty() || !jws.kid ? Verdict::unknown_key : Verdict::bad;
}

namespace {

Error forged(std::string_view detail)
{
    return Error{Code::forged, "signed token refused: " + std::string{detail}};
}

// A member that is absent (nullopt) or a string; an error when neither.
Result<std::optional<std::string>> optional_text(const json_t *header,
                                                 std::string_view name)
{
    if (!json::has(header, name)) {
        return std::optional<std::string>{};
    }

    auto value = json::string_at(header, name);
    if (!value) {
        return forged("\"" + std::string{name} + "\" is not a string");
    }

    return std::optional{std::string{*value}};
}

// We know no extension, so every critical one is unknown (RFC 7515, 4.1.11;
// RFC 7797, 6). jku, jwk, x5u and x5c are not even looked at (KEY-9).
Result<Done> check_extensions(const json_t *header)
{
    if (json::has(header, "crit")) {
        return forged("\"crit\" names an extension we do not know");
    }

    if (json::has(header, "b64") && json::boolean_at(header, "b64") != true) {
        return forged("\"b64\" is not true");
    }

    return Done{};
}

Result<Algorithm> allowed_algorithm(const json_t *header,
                                    const std::vector<Algorithm> &allowed)
{
    auto name = json::string_at(header, "alg");
    if (!name) {
        return forged("\"alg\" is missing");
    }

    auto known = algorithm(*name);
    if (!known || std::ranges::find(allowed, *known) == allowed.end()) {
        return forged("its \"alg\" is \"" + text::for_log(*name, 40) +
                      "\", which \"id_token_alg\" does not allow");
    }

    return *known;
}

Result<Done> read_header(std::string_view json,
                         const std::vector<Algorithm> &allowed, Jws &jws)
{
    auto header = json::parse_object(json, {.octets = kMostHeaderOctets});
    if (!header) {
        return forged("its header: " + std::move(header).error().detail);
    }

    auto known = check_extensions(header->get());
    if (!known) {
        return known;
    }

    auto alg = allowed_algorithm(header->get(), allowed);
    if (!alg) {
        return std::move(alg).error();
    }

    auto kid = optional_text(header->get(), "kid");
    if (!kid) {
        return std::move(kid).error();
    }

    auto typ = optional_text(header->get(), "typ");
    if (!typ) {
        return std::move(typ).error();
    }

    jws.alg = *alg;
    jws.kid = std::move(*kid);
    jws.typ = std::move(*typ);
    return Done{};
}

const unsigned char *bytes(std::string_view text)
{
    return reinterpret_cast<const unsigned char *>(text.data());
}

const EVP_MD *mac_digest(Algorithm algorithm)
{
    switch (algorithm) {
    case Algorithm::hs384:
        return EVP_sha384();
    case Algorithm::hs512:
        return EVP_sha512();
    default:
        return EVP_sha256();
    }
}

bool has_good_mac(const Jws &jws, const Secret &key)
{
    if (key.empty()) {
        return false;
    }

    auto input = jws.signing_input();
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned int octets = 0;
    auto made = HMAC(mac_digest(jws.alg), key.reveal().data(),
                     static_cast<int>(key.size()), bytes(input), input.size(),
                     mac, &octets);

    ERR_clear_error();
    return made != nullptr &&
           equal_in_constant_time({reinterpret_cast<const char *>(mac), octets},
                                  jws.signature);
}

// The only length that a signature by this key has: r and s of an ECDSA one
// are as long as the curve's order, else one signature has many spellings
// (KEY-9).
size_t signature_octets(Algorithm algorithm, const PublicKey &key)
{
    switch (algorithm) {
    case Algorithm::es256:
    case Algorithm::eddsa:
        return 64;
    case Algorithm::es384:
        return 96;
    case Algorithm::es512:
        return 132;
    default:
        cjose_err ignored{};
        return cjose_jwk_get_keysize(key.jwk.get(), &ignored) / 8;
    }
}

bool verified_by_openssl(const Jws &jws, EVP_PKEY *key)
{
    Handle<EVP_MD_CTX> ctx{EVP_MD_CTX_new()};
    auto input = jws.signing_input();

    return ctx &&
           EVP_DigestVerifyInit(ctx.get(), nullptr, nullptr, nullptr, key) ==
               1 &&
           EVP_DigestVerify(ctx.get(), bytes(jws.signature),
                            jws.signature.size(), bytes(input),
                            input.size()) == 1;
}

// cjose takes the algorithm from the header once more; header and key were
// found to fit above. Its PSS salt is as long as the hash, as it must be.
bool verified_by_cjose(const Jws &jws, const cjose_jwk_t *key)
{
    cjose_err ignored{};
    Handle<cjose_jws_t> read{
        cjose_jws_import(jws.compact.data(), jws.compact.size(), &ignored)};

    return read && cjose_jws_verify(read.get(), key, &ignored);
}

bool is_signed_by(const Jws &jws, const PublicKey &key)
{
    if (jws.signature.size() != signature_octets(jws.alg, key)) {
        return false;
    }

    MeasuredApart apart{Apart::signature};
    return key.pkey ? verified_by_openssl(jws, key.pkey.get())
                    : verified_by_cjose(jws, key.jwk.get());
}

} // namespace
} // namespace bff::oidc
