// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// A private key of this client: what it signs, and its public half.
//
// cjose and OpenSSL get the numbers, no file and no JSON. Whether they are a
// key at all is found out by signing something and verifying it with what
// would be published.

#include "core/oidc/private_key.hpp"

#include <algorithm>

#include <openssl/err.h>

#include "core/base/apart.hpp"
#include "core/base/base64url.hpp"
#include "core/base/text.hpp"
#include "core/oidc/jwks.hpp"
#include "core/oidc/jws.hpp"
#include "core/oidc/key_material.hpp"

namespace bff::oidc {
namespace {

constexpr size_t kLeastModulusBits = 2048; // RFC 7518, 3.3
constexpr size_t kMostModulusBits = 4096;  // 8192 sign for 86 ms
constexpr size_t kMostKidOctets = 256;

Result<std::string> kid_of(const KeyMaterial &material,
                           const WrittenKey &written);
Result<Algorithm> algorithm_of(const KeyMaterial &material,
                               const WrittenKey &written);
Handle<cjose_jwk_t> cjose_key(const KeyMaterial &material);
Handle<EVP_PKEY> openssl_key(const KeyMaterial &material);
Result<Done> check_size(const KeyMaterial &material);
Result<Done> check_halves(const PrivateKey &key);

Result<std::string> signed_by_cjose(const cjose_jwk_t *key, json_t *header,
                                    std::string_view payload);
Result<std::string> signed_by_openssl(EVP_PKEY *key, const json_t *header,
                                      std::string_view payload);

Error unusable(std::string detail);

} // namespace

Result<PrivateKey> PrivateKey::parse(std::string_view file,
                                     const WrittenKey &written)
{
    auto material = KeyMaterial::parse(file);
    if (!material) {
        return std::move(material).error();
    }

    auto sized = check_size(*material);
    if (!sized) {
        return std::move(sized).error();
    }

    auto kid = kid_of(*material, written);
    if (!kid) {
        return std::move(kid).error();
    }

    auto alg = algorithm_of(*material, written);
    if (!alg) {
        return std::move(alg).error();
    }

    PrivateKey key;
    key.kid_ = std::move(*kid);
    key.alg_ = *alg;
    key.public_jwk_ = material->public_jwk();
    key.jwk_ = cjose_key(*material);
    key.pkey_ = openssl_key(*material);

    auto good = check_halves(key);
    if (!good) {
        return std::move(good).error();
    }

    return key;
}

json::Value PrivateKey::public_jwk() const
{
    json::Value jwk{json_deep_copy(public_jwk_.get())};
    json::put(jwk.get(), "kid", std::string_view{kid_});
    json::put(jwk.get(), "use", std::string_view{"sig"});
    json::put(jwk.get(), "alg", name_of(alg_));

    return jwk;
}

json::Value PrivateKey::header(std::string_view typ) const
{
    auto header = json::object();
    json::put(header.get(), "alg", name_of(alg_));
    json::put(header.get(), "kid", std::string_view{kid_});
    json::put(header.get(), "typ", typ);

    return header;
}

Result<std::string> PrivateKey::sign(json::Value header,
                                     std::string_view payload) const
{
    MeasuredApart apart{Apart::signature};
    auto token = jwk_ ? signed_by_cjose(jwk_.get(), header.get(), payload)
                      : signed_by_openssl(pkey_.get(), header.get(), payload);

    // OpenSSL's queue of errors is NGINX's too: leave nothing in it.
    ERR_clear_error();
    return token;
}

namespace {

Error unusable(std::string detail)
{
    return Error{Code::misconfigured, std::move(detail)};
}

// --- what the key is called, and what it signs with ---

Result<std::string> kid_of(const KeyMaterial &material,
                           const WrittenKey &written)
{
    auto kid = !written.kid.empty()    ? written.kid
               : !material.kid.empty() ? material.kid
                                       : material.thumbprint();

    if (kid.size() > kMostKidOctets || !text::is_printable(kid)) {
        return unusable("its \"kid\" is too long or holds a control "
                        "character; write another one with \"kid=\"");
    }

    return kid;
}

bool fits(Algorithm alg, const KeyMaterial &material)
{
    auto type = key_type(alg);
    return !type.kty.empty() && type.kty == material.kty &&
           type.crv == material.crv;
}

// The usual one for this type and curve.
Algorithm usual_algorithm(const KeyMaterial &material)
{
    for (auto alg : {Algorithm::es256, Algorithm::es384, Algorithm::es512,
                     Algorithm::eddsa}) {
        if (fits(alg, material)) {
            return alg;
        }
    }
    return Algorithm::rs256;
}

Result<Algorithm> algorithm_of(const KeyMaterial &material,
                               const WrittenKey &written)
{
    auto alg = written.alg ? written.alg : algorithm(material.alg);
    if (!alg && material.alg.empty()) {
        alg = usual_algorithm(material);
    }

    if (!alg || !fits(*alg, material)) {
        std::string name{written.alg ? name_of(*written.alg)
                                     : std::string_view{material.alg}};
        auto type =
            material.crv.empty() ? material.kty : "key on " + material.crv;
        return unusable("its key (" + type + ") cannot sign with \"" +
                        text::for_log(name, 20) +
                        "\"; write \"alg=\" with an algorithm that it "
                        "can, such as \"alg=" +
                        std::string{name_of(usual_algorithm(material))} + '"');
    }

    return *alg;
}

// --- cjose and OpenSSL ---

// cjose only reads them, though its types do not say so.
uint8_t *octets(std::string_view number)
{
    return const_cast<uint8_t *>(
        reinterpret_cast<const uint8_t *>(number.data()));
}

Handle<cjose_jwk_t> cjose_rsa(const KeyMaterial &material)
{
    cjose_jwk_rsa_keyspec spec{};
    auto set = [&](std::string_view name, uint8_t *&bytes, size_t &length) {
        auto number = material.number(name);
        bytes = number.empty() ? nullptr : octets(number);
        length = number.size();
    };
    set("n", spec.n, spec.nlen);
    set("e", spec.e, spec.elen);
    set("d", spec.d, spec.dlen);
    set("p", spec.p, spec.plen);
    set("q", spec.q, spec.qlen);
    set("dp", spec.dp, spec.dplen);
    set("dq", spec.dq, spec.dqlen);
    set("qi", spec.qi, spec.qilen);

    cjose_err ignored{};
    return Handle<cjose_jwk_t>{cjose_jwk_create_RSA_spec(&spec, &ignored)};
}

Handle<cjose_jwk_t> cjose_ec(const KeyMaterial &material)
{
    auto x = material.number("x");
    auto y = material.number("y");
    auto d = material.number("d");

    cjose_jwk_ec_keyspec spec{};
    spec.crv = material.crv == "P-256"   ? CJOSE_JWK_EC_P_256
               : material.crv == "P-384" ? CJOSE_JWK_EC_P_384
                                         : CJOSE_JWK_EC_P_521;
    spec.x = octets(x);
    spec.xlen = x.size();
    spec.y = octets(y);
    spec.ylen = y.size();
    spec.d = octets(d);
    spec.dlen = d.size();

    cjose_err ignored{};
    return Handle<cjose_jwk_t>{cjose_jwk_create_EC_spec(&spec, &ignored)};
}

Handle<cjose_jwk_t> cjose_key(const KeyMaterial &material)
{
    return material.kty == "RSA"  ? cjose_rsa(material)
           : material.kty == "EC" ? cjose_ec(material)
                                  : nullptr;
}

// RFC 8037. cjose does not know OKP.
Handle<EVP_PKEY> openssl_key(const KeyMaterial &material)
{
    if (material.kty != "OKP") {
        return nullptr;
    }

    auto d = material.number("d");
    return Handle<EVP_PKEY>{EVP_PKEY_new_raw_private_key(
        EVP_PKEY_ED25519, nullptr, octets(d), d.size())};
}

// --- is it a good one ---

size_t bits_of(std::string_view number)
{
    size_t bits = number.size() * 8;
    for (int first = number.empty() ? 128 : number[0] & 255; first < 128;
         first = first * 2 + 1) {
        bits--;
    }
    return bits;
}

// Longer numbers than those of a real key would keep OpenSSL busy for long.
Result<Done> check_size(const KeyMaterial &material)
{
    if (material.kty != "RSA") {
        return Done{};
    }

    auto bits = bits_of(material.number("n"));
    if (bits < kLeastModulusBits || bits > kMostModulusBits) {
        return unusable("its RSA key has " + std::to_string(bits) +
                        " bits; use one of 2048 to 4096 (RFC 7518, 3.3)");
    }

    auto is_too_long = [&](const auto &number) {
        return number.second.size() > kMostModulusBits / 8;
    };
    if (std::ranges::any_of(material.numbers, is_too_long)) {
        return unusable("its RSA key has a number that is too long");
    }

    return Done{};
}

Result<Done> check_halves(const PrivateKey &key)
{
    auto set = json::array();
    json::append(set.get(), key.public_jwk());
    auto document = json::object();
    json::put(document.get(), "keys", std::move(set));

    auto keys = Jwks::parse(json::print(document.get()));
    auto token = key.sign(key.header("JWT"), "{}");
    auto jws = token ? Jws::parse(*token, {key.alg()})
                     : Result<Jws>{std::move(token).error()};

    if (!keys || !jws || verify(*jws, &*keys, Secret{}) != Verdict::good) {
        return unusable("its key is no good: what its private half signs, "
                        "its public half does not verify");
    }

    return Done{};
}

// --- signing ---

Error failed()
{
    return Error{Code::unavailable, "OpenSSL could not sign with client_key"};
}

Result<std::string> signed_by_cjose(const cjose_jwk_t *key, json_t *header,
                                    std::string_view payload)
{
    cjose_err ignored{};
    Handle<cjose_jws_t> jws{
        cjose_jws_sign(key, header, octets(payload), payload.size(), &ignored)};
    const char *compact = nullptr; // belongs to jws
    if (!jws || !cjose_jws_export(jws.get(), &compact, &ignored)) {
        return failed();
    }

    return std::string{compact};
}

Result<std::string> signed_by_openssl(EVP_PKEY *key, const json_t *header,
                                      std::string_view payload)
{
    auto input = base64url::encode(json::print(header)) + "." +
                 base64url::encode(payload);

    Handle<EVP_MD_CTX> ctx{EVP_MD_CTX_new()};
    std::string signature(64, '\0'); // RFC 8032, 5.1.6
    size_t length = signature.size();
    if (key == nullptr || !ctx ||
        EVP_DigestSignInit(ctx.get(), nullptr, nullptr, nullptr, key) != 1 ||
        EVP_DigestSign(ctx.get(), octets(signature), &length, octets(input),
                       input.size()) != 1) {
        return failed();
    }

    return input + "." + base64url::encode(signature);
}

} // namespace
} // namespace bff::oidc
