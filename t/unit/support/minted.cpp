// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Keys, key sets and signed tokens as a provider would make them, on
// OpenSSL alone: what cjose verifies was not made by cjose. A mistake here
// stops the program.

#include "support/minted.hpp"

#include <cstdlib>

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include "core/base/base64url.hpp"
#include "core/base/json.hpp"
#include "core/base/secret.hpp"

namespace bff::unit {
namespace {

struct FreeMore {
    void operator()(ECDSA_SIG *p) const noexcept { ECDSA_SIG_free(p); }
    void operator()(OSSL_PARAM *p) const noexcept { OSSL_PARAM_free(p); }
    void operator()(OSSL_PARAM_BLD *p) const noexcept
    {
        OSSL_PARAM_BLD_free(p);
    }
};

template <class T> using Own = std::unique_ptr<T, FreeMore>;

void must(bool good)
{
    if (!good) {
        std::abort();
    }
}

const unsigned char *bytes(std::string_view text)
{
    return reinterpret_cast<const unsigned char *>(text.data());
}

unsigned char *bytes(std::string &text)
{
    return reinterpret_cast<unsigned char *>(text.data());
}

std::string decoded(std::string_view text)
{
    auto octets = base64url::decode(text);
    must(octets.has_value());
    return *octets;
}

Handle<BIGNUM> number(std::string_view base64url)
{
    auto octets = decoded(base64url);
    return Handle<BIGNUM>{
        BN_bin2bn(bytes(octets), static_cast<int>(octets.size()), nullptr)};
}

std::string number_text(EVP_PKEY *pkey, const char *name, int octets)
{
    BIGNUM *taken = nullptr;
    must(EVP_PKEY_get_bn_param(pkey, name, &taken) == 1);
    Handle<BIGNUM> number{taken};

    std::string out(octets > 0 ? octets : BN_num_bytes(taken), '\0');
    must(BN_bn2binpad(taken, bytes(out), static_cast<int>(out.size())) >= 0);
    return base64url::encode(out);
}

Handle<EVP_PKEY> key_from(const char *type, OSSL_PARAM_BLD *parts)
{
    Own<OSSL_PARAM> params{OSSL_PARAM_BLD_to_param(parts)};
    Handle<EVP_PKEY_CTX> ctx{
        EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr)};

    EVP_PKEY *pkey = nullptr;
    must(params && EVP_PKEY_fromdata_init(ctx.get()) == 1 &&
         EVP_PKEY_fromdata(ctx.get(), &pkey, EVP_PKEY_KEYPAIR, params.get()) ==
             1);
    return Handle<EVP_PKEY>{pkey};
}

struct RsaNumber {
    const char *name;
    std::string_view base64url;
};

Handle<EVP_PKEY> rsa_from(const std::vector<RsaNumber> &numbers)
{
    Own<OSSL_PARAM_BLD> parts{OSSL_PARAM_BLD_new()};
    std::vector<Handle<BIGNUM>> kept; // until the key is made

    for (const auto &[name, text] : numbers) {
        kept.push_back(number(text));
        OSSL_PARAM_BLD_push_BN(parts.get(), name, kept.back().get());
    }
    return key_from("RSA", parts.get());
}

Handle<EVP_PKEY> ec_from(const char *group, std::string_view x,
                         std::string_view y, std::string_view d)
{
    auto point = "\4" + decoded(x) + decoded(y);
    auto secret = number(d);

    Own<OSSL_PARAM_BLD> parts{OSSL_PARAM_BLD_new()};
    OSSL_PARAM_BLD_push_utf8_string(parts.get(), OSSL_PKEY_PARAM_GROUP_NAME,
                                    group, 0);
    OSSL_PARAM_BLD_push_octet_string(parts.get(), OSSL_PKEY_PARAM_PUB_KEY,
                                     point.data(), point.size());
    OSSL_PARAM_BLD_push_BN(parts.get(), OSSL_PKEY_PARAM_PRIV_KEY, secret.get());
    return key_from("EC", parts.get());
}

Handle<EVP_PKEY> ed_from(std::string_view d)
{
    auto secret = decoded(d);
    return Handle<EVP_PKEY>{EVP_PKEY_new_raw_private_key(
        EVP_PKEY_ED25519, nullptr, bytes(secret), secret.size())};
}

struct Curve {
    std::string_view crv;
    int octets;
};

Curve curve_of(EVP_PKEY *pkey)
{
    switch (EVP_PKEY_get_bits(pkey)) {
    case 256:
        return {"P-256", 32};
    case 384:
        return {"P-384", 48};
    default:
        return {"P-521", 66};
    }
}

const EVP_MD *digest_of(Algorithm algorithm)
{
    auto name = oidc::name_of(algorithm);
    return name.ends_with("256")   ? EVP_sha256()
           : name.ends_with("384") ? EVP_sha384()
           : name.ends_with("512") ? EVP_sha512()
                                   : nullptr;
}

// DER to r and s, each as long as the curve's order.
std::string raw_signature(std::string_view der, int octets)
{
    auto begin = bytes(der);
    Own<ECDSA_SIG> read{
        d2i_ECDSA_SIG(nullptr, &begin, static_cast<long>(der.size()))};
    must(read != nullptr);

    std::string raw(static_cast<size_t>(octets) * 2, '\0');
    BN_bn2binpad(ECDSA_SIG_get0_r(read.get()), bytes(raw), octets);
    BN_bn2binpad(ECDSA_SIG_get0_s(read.get()), bytes(raw) + octets, octets);
    return raw;
}

json::Value object_of(std::string_view text)
{
    auto object = json::parse_object(text);
    must(static_cast<bool>(object));
    return std::move(*object);
}

std::string header_text(Algorithm algorithm, std::string_view kid,
                        std::string_view members)
{
    auto header = json::object();
    json::put(header.get(), "alg", oidc::name_of(algorithm));
    json::put(header.get(), "typ", std::string_view{"JWT"});
    if (!kid.empty()) {
        json::put(header.get(), "kid", kid);
    }
    json_object_update(header.get(), object_of(members).get());
    return json::print(header.get());
}

} // namespace

oidc::ClientSettings shop_client()
{
    oidc::ClientSettings client;
    client.name = "corp";
    client.issuer = kIssuer;
    client.client_id = kClientId;
    client.client_secret = Secret{kClientSecret};
    must(static_cast<bool>(client.check()));
    return client;
}

MintedKey::MintedKey(std::string kid, Handle<EVP_PKEY> pkey)
    : kid_{std::move(kid)}, pkey_{std::move(pkey)}
{
    must(pkey_ != nullptr);
}

std::string MintedKey::jwk(std::string_view members) const
{
    auto jwk = json::object();
    auto put = [&](std::string_view name, std::string_view value) {
        json::put(jwk.get(), name, value);
    };

    put("kid", kid_);
    put("use", "sig");
    if (EVP_PKEY_is_a(pkey(), "RSA")) {
        put("kty", "RSA");
        put("n", number_text(pkey(), OSSL_PKEY_PARAM_RSA_N, 0));
        put("e", number_text(pkey(), OSSL_PKEY_PARAM_RSA_E, 0));
    } else if (EVP_PKEY_is_a(pkey(), "EC")) {
        auto [crv, octets] = curve_of(pkey());
        put("kty", "EC");
        put("crv", crv);
        put("x", number_text(pkey(), OSSL_PKEY_PARAM_EC_PUB_X, octets));
        put("y", number_text(pkey(), OSSL_PKEY_PARAM_EC_PUB_Y, octets));
    } else {
        std::string x(32, '\0');
        size_t octets = x.size();
        must(EVP_PKEY_get_raw_public_key(pkey(), bytes(x), &octets) == 1);
        put("kty", "OKP");
        put("crv", "Ed25519");
        put("x", base64url::encode(x));
    }

    json_object_update(jwk.get(), object_of(members).get());
    return json::print(jwk.get());
}

std::string MintedKey::sign(Algorithm algorithm, std::string_view input) const
{
    Handle<EVP_MD_CTX> ctx{EVP_MD_CTX_new()};
    EVP_PKEY_CTX *options = nullptr; // belongs to ctx
    must(EVP_DigestSignInit(ctx.get(), &options, digest_of(algorithm), nullptr,
                            pkey()) == 1);
    if (oidc::name_of(algorithm).starts_with("PS")) {
        EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING);
        EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST);
    }

    size_t octets = 0;
    must(EVP_DigestSign(ctx.get(), nullptr, &octets, bytes(input),
                        input.size()) == 1);
    std::string signature(octets, '\0');
    must(EVP_DigestSign(ctx.get(), bytes(signature), &octets, bytes(input),
                        input.size()) == 1);
    signature.resize(octets);

    return EVP_PKEY_is_a(pkey(), "EC")
               ? raw_signature(signature, curve_of(pkey()).octets)
               : signature;
}

const MintedKey &rsa_key()
{
    static const MintedKey key{
        "rsa",
        rsa_from(
            {{OSSL_PKEY_PARAM_RSA_N,
              "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfH"
              "Qp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRP"
              "EwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexM"
              "dbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qC"
              "o5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethF"
              "kMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"},
             {OSSL_PKEY_PARAM_RSA_E, "AQAB"},
             {OSSL_PKEY_PARAM_RSA_D,
              "Eq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97IjlA7"
              "_GQ5sLKMgvfTeXZx9SE-7YwVol2NXOoAJe46sui395IW_GO-pWJ1O0BkTGoVEn"
              "2bKVRUCgu-GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzjkn439X0M_V51gf"
              "pRLI9JYanrC4D4qAdGcopV_0ZHHzQlBjudU2QvXt4ehNYTCBr6XCLQUShb1juU"
              "O1ZdiYoFaFQT5Tw8bGUl_x_jTj3ccPDVZFD9pIuhLhBOneufuBiB4cS98l2SR_"
              "RQyGWSeWjnczT0QU91p1DhOVRuOopznQ"},
             {OSSL_PKEY_PARAM_RSA_FACTOR1,
              "4BzEEOtIpmVdVEZNCqS7baC4crd0pqnRH_5IB3jw3bcxGn6QLvnEtfdUdiYrqB"
              "dss1l58BQ3KhooKeQTa9AB0Hw_Py5PJdTJNPY8cQn7ouZ2KKDcmnPGBY5t7yLc"
              "1QlQ5xHdwW1VhvKn-nXqhJTBgIPgtldC-KDV5z-y2XDwGUc"},
             {OSSL_PKEY_PARAM_RSA_FACTOR2,
              "uQPEfgmVtjL0Uyyx88GZFF1fOunH3-7cepKmtH4pxhtCoHqpWmT8YAmZxaewHg"
              "HAjLYsp1ZSe7zFYHj7C6ul7TjeLQeZD_YwD66t62wDmpe_HlB-TnBA-njbglfI"
              "sRLtXlnDzQkv5dTltRJ11BKBBypeeF6689rjcJIDEz9RWdc"},
             {OSSL_PKEY_PARAM_RSA_EXPONENT1,
              "BwKfV3Akq5_MFZDFZCnW-wzl-CCo83WoZvnLQwCTeDv8uzluRSnm71I3QCLdhr"
              "qE2e9YkxvuxdBfpT_PI7Yz-FOKnu1R6HsJeDCjn12Sk3vmAktV2zb34MCdy7cp"
              "dTh_YVr7tss2u6vneTwrA86rZtu5Mbr1C1XsmvkxHQAdYo0"},
             {OSSL_PKEY_PARAM_RSA_EXPONENT2,
              "h_96-mK1R_7glhsum81dZxjTnYynPbZpHziZjeeHcXYsXaaMwkOlODsWa7I9xX"
              "DoRwbKgB719rrmI2oKr6N3Do9U0ajaHF-NKJnwgjMd2w9cjz3_-kyNlxAr2v4I"
              "KhGNpmM5iIgOS1VZnOZ68m6_pbLBSp3nssTdlqvd0tIiTHU"},
             {OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
              "IYd7DHOhrWvxkwPQsRM2tOgrjbcrfvtQJipd-DlcxyVuuM9sQLdgjVk2oy26F0"
              "EmpScGLq2MowX7fhd_QJQ3ydy5cY7YIBi87w93IKLEdfnbJtoOPLUW0ITrJReO"
              "go1cq9SbsxYawBgfp_gh6A5603k2-ZQwVK0JKSHuLFkuQ3U"}})};
    return key;
}

const MintedKey &p256_key()
{
    static const MintedKey key{
        "p256", ec_from("P-256", "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
                        "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
                        "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI")};
    return key;
}

const MintedKey &p521_key()
{
    static const MintedKey key{
        "p521",
        ec_from("P-521",
                "AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ"
                "6OvLFV1jSfS9tsz4qUxcWceqwQGk",
                "ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79a"
                "jL4Kkd0AZMaZmh9ubmf63e3kyMj2",
                "AY5pb7A0UFiB3RELSD64fTLOSV_jazdF7fLYyuTw8lOfRhWg6Y6rUrPAxerE"
                "zgdRhajnu0ferB0d53vM9mE15j2C")};
    return key;
}

const MintedKey &ed_key()
{
    static const MintedKey key{
        "ed", ed_from("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A")};
    return key;
}

const MintedKey &p384_key()
{
    static const MintedKey key{"p384", Handle<EVP_PKEY>{EVP_EC_gen("P-384")}};
    return key;
}

const MintedKey &other_rsa()
{
    static const MintedKey key = fresh_rsa("other", 2048);
    return key;
}

MintedKey fresh_rsa(std::string kid, unsigned bits)
{
    return MintedKey{std::move(kid), Handle<EVP_PKEY>{EVP_RSA_gen(bits)}};
}

std::string jwks(const std::vector<std::string> &entries)
{
    std::string set;
    for (const auto &entry : entries) {
        set += set.empty() ? "" : ",";
        set += entry;
    }
    return "{\"keys\":[" + set + "]}";
}

std::string all_jwks()
{
    return jwks({rsa_key().jwk(), p256_key().jwk(), p384_key().jwk(),
                 p521_key().jwk(), ed_key().jwk()});
}

std::string claims_with(std::string_view members)
{
    auto claims = json::object();
    json::put(claims.get(), "iss", kIssuer);
    json::put(claims.get(), "sub", std::string_view{"alice"});
    json::put(claims.get(), "aud", kClientId);
    json::put(claims.get(), "nonce", kNonce);
    json::put_number(claims.get(), "iat", to_number(kNow));
    json::put_number(claims.get(), "exp", to_number(kNow) + 300);
    json_object_update(claims.get(), object_of(members).get());
    return json::print(claims.get());
}

std::string claims_without(std::string_view name)
{
    auto claims = object_of(claims_with());
    json_object_deln(claims.get(), name.data(), name.size());
    return json::print(claims.get());
}

std::string logout_claims_with(std::string_view members)
{
    auto claims = json::object();
    json::put(claims.get(), "iss", kIssuer);
    json::put(claims.get(), "sub", std::string_view{"alice"});
    json::put(claims.get(), "sid", std::string_view{"s-1"});
    json::put(claims.get(), "aud", kClientId);
    json::put(claims.get(), "jti", std::string_view{"logout-1"});
    json::put_number(claims.get(), "iat", to_number(kNow));
    json::put_number(claims.get(), "exp", to_number(kNow) + 120);
    json::put(
        claims.get(), "events",
        object_of(
            R"({"http://schemas.openid.net/event/backchannel-logout":{}})"));
    json_object_update(claims.get(), object_of(members).get());
    return json::print(claims.get());
}

std::string logout_claims_without(std::string_view name)
{
    auto claims = object_of(logout_claims_with());
    json_object_deln(claims.get(), name.data(), name.size());
    return json::print(claims.get());
}

std::string mint(const MintedKey &key, Algorithm algorithm,
                 std::string_view claims, std::string_view header)
{
    return mint_raw(key, algorithm, header_text(algorithm, key.kid(), header),
                    claims);
}

std::string mint_mac(std::string_view secret, Algorithm algorithm,
                     std::string_view claims, std::string_view header)
{
    auto input = base64url::encode(header_text(algorithm, "", header)) + "." +
                 base64url::encode(claims);

    std::string mac(EVP_MAX_MD_SIZE, '\0');
    unsigned octets = 0;
    HMAC(digest_of(algorithm), secret.data(), static_cast<int>(secret.size()),
         bytes(input), input.size(), bytes(mac), &octets);
    mac.resize(octets);

    return input + "." + base64url::encode(mac);
}

std::string mint_unsigned(std::string_view claims)
{
    return compact(R"({"alg":"none"})", claims, "");
}

std::string mint_raw(const MintedKey &key, Algorithm algorithm,
                     std::string_view header, std::string_view payload)
{
    auto input = base64url::encode(header) + "." + base64url::encode(payload);
    return input + "." + base64url::encode(key.sign(algorithm, input));
}

std::string compact(std::string_view header, std::string_view payload,
                    std::string_view signature)
{
    return base64url::encode(header) + "." + base64url::encode(payload) + "." +
           base64url::encode(signature);
}

} // namespace bff::unit
