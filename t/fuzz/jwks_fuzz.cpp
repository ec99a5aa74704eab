// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Whatever a key set holds, its candidates fit what was asked for, are strong
// enough and few; only the key of RFC 8037 verifies the token of RFC 8037;
// and OpenSSL's queue of errors stays empty.

#include "core/oidc/jwks.hpp"

#include <openssl/err.h>

#include "core/base/json.hpp"
#include "core/oidc/jws.hpp"
#include "property.hpp"

using namespace bff;
using namespace bff::oidc;
using fuzz::must;

namespace {

constexpr std::string_view kX = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
constexpr std::string_view kToken =
    "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."
    "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5B"
    "hVsPt9g7sVvpAr_MuM0KAg";

struct Fit {
    Algorithm algorithm;
    std::string_view kty;
    std::string_view crv;
};

constexpr Fit kFits[] = {
    {Algorithm::rs256, "RSA", ""},     {Algorithm::ps512, "RSA", ""},
    {Algorithm::es256, "EC", "P-256"}, {Algorithm::es384, "EC", "P-384"},
    {Algorithm::es512, "EC", "P-521"}, {Algorithm::eddsa, "OKP", "Ed25519"},
};

void check_candidate(const PublicKey &key, const Fit &fit)
{
    must(key.kty == fit.kty && key.crv == fit.crv, "KEY-3: type and curve");
    must(key.alg.empty() || algorithm(key.alg) == fit.algorithm,
         "KEY-3: the algorithm it names");
    must((key.jwk != nullptr) != (key.pkey != nullptr), "one kind of key");
    if (key.kty == "RSA") {
        must(cjose_jwk_get_keysize(key.jwk.get(), nullptr) >= 2048,
             "KEY-3: RSA of 2048 bits at least");
    }
}

void check_candidates(const Jwks &set, const Fit &fit)
{
    auto all = set.candidates(fit.algorithm, std::nullopt);
    must(all.size() <= 8, "KEY-5: at most 8");

    for (const auto *key : all) {
        check_candidate(*key, fit);
        auto same = set.candidates(fit.algorithm, key->kid);
        must(!same.empty() && same.size() <= 8, "KEY-4: found by its kid");
        for (const auto *twin : same) {
            must(twin->kid == key->kid, "KEY-4: the exact kid");
        }
    }
}

bool has_the_key_of_rfc_8037(std::string_view text)
{
    auto document = json::parse_object(text);
    const auto *keys = json::array_at(document->get(), "keys");

    for (size_t i = 0; i < json_array_size(keys); i++) {
        if (json::string_at(json_array_get(keys, i), "x") == kX) {
            return true;
        }
    }
    return false;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto text = fuzz::view(data, size);

    auto set = Jwks::parse(text);
    must(ERR_peek_error() == 0, "no errors are left behind");
    if (!set) {
        must(set.error().code == Code::unsupported);
        return 0;
    }

    must(set->size() <= 64, "at most 64 entries");
    must(set->candidates(Algorithm::hs256, std::nullopt).empty(), "KEY-2");
    for (const auto &fit : kFits) {
        check_candidates(*set, fit);
    }

    static const auto token = *Jws::parse(kToken, {Algorithm::eddsa});
    if (verify(token, &*set, Secret{}) == Verdict::good) {
        must(has_the_key_of_rfc_8037(text), "only its own key verifies it");
    }
    must(ERR_peek_error() == 0, "no errors are left behind");

    return 0;
}
