// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// A token that parses has exactly one spelling, and a token that verifies
// was signed: by the standards' authors, or by this target itself, which
// signs any header and payload that an input with a leading zero octet names
// (header, zero octet, payload).

#include "core/oidc/jws.hpp"

#include <algorithm>

#include <openssl/err.h>

#include "core/base/base64url.hpp"
#include "core/base/text.hpp"
#include "property.hpp"
#include "support/minted.hpp"

using namespace bff;
using namespace bff::oidc;
using fuzz::must;

namespace {

const std::vector<Algorithm> kAllowed{Algorithm::rs256, Algorithm::ps256,
                                      Algorithm::es256, Algorithm::es512,
                                      Algorithm::eddsa, Algorithm::hs256};

// What the owners of the keys below have published signatures of.
constexpr std::string_view kJoe =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"
    "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
constexpr std::string_view kSigned[] = {
    "eyJhbGciOiJSUzI1NiJ9.",                                    // RFC 7515, A.2
    "eyJhbGciOiJFUzI1NiJ9.",                                    // A.3
    "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA",                          // A.4
    "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc", // RFC 8037
};

// Points and exponents with which everybody can sign: they are no keys.
std::string unsound(std::string_view octets)
{
    return R"({"kty":"OKP","crv":"Ed25519","x":")" + base64url::encode(octets) +
           "\"}";
}

const Jwks &keys()
{
    static const auto set = *Jwks::parse(unit::jwks(
        {unit::rsa_key().jwk(), unit::p256_key().jwk(), unit::p521_key().jwk(),
         unit::ed_key().jwk(), unit::rsa_key().jwk(R"({"e": "AQ"})"),
         unsound(std::string(32, '\0')),
         unsound('\1' + std::string(31, '\0'))}));
    return set;
}

bool was_published(std::string_view input)
{
    return std::ranges::any_of(kSigned, [&](std::string_view known) {
        return input == known ||
               (known.ends_with('.') &&
                input == std::string{known} + std::string{kJoe});
    });
}

void check_spelling(const Jws &jws, std::string_view text)
{
    must(jws.compact == text);
    must(std::ranges::count(text, '.') == 2, "KEY-9: three segments");
    must(std::string{jws.signing_input()} + "." +
                 base64url::encode(jws.signature) ==
             text,
         "KEY-9: one spelling of the signature");
    must(jws.signing_input().ends_with("." + base64url::encode(jws.payload)),
         "KEY-9: one spelling of the payload");
    must(std::ranges::find(kAllowed, jws.alg) != kAllowed.end(), "KEY-1");
}

Verdict verdict_on(const Jws &jws)
{
    auto verdict = verify(jws, &keys(), Secret{unit::kClientSecret});
    must(ERR_peek_error() == 0, "no errors are left behind");
    must(verify(jws, nullptr, Secret{}) != Verdict::good, "no key, no good");
    return verdict;
}

void check_signed(std::string_view recipe)
{
    auto end = std::min(recipe.find('\0'), recipe.size());
    auto header = recipe.substr(0, end);
    auto payload = recipe.substr(std::min(end + 1, recipe.size()));
    auto text =
        unit::mint_raw(unit::ed_key(), Algorithm::eddsa, header, payload);

    auto jws = Jws::parse(text, kAllowed);
    if (!jws) {
        must(jws.error().code == Code::forged);
        return;
    }

    check_spelling(*jws, text);
    must(jws->payload == payload);

    auto read = json::parse_object(header);
    must(static_cast<bool>(read) && !json::has(read->get(), "crit"), "KEY-9");
    if (verdict_on(*jws) == Verdict::good) {
        must(jws->alg == Algorithm::eddsa, "the algorithm it was signed with");
        must(!jws->kid || *jws->kid == "ed", "KEY-4: the key it names");
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto compact = fuzz::view(data, size);
    if (compact.starts_with('\0')) {
        check_signed(compact.substr(1));
        return 0;
    }

    auto jws = Jws::parse(compact, kAllowed);
    if (!jws) {
        must(jws.error().code == Code::forged);
        must(text::is_printable(jws.error().detail), "one line for the log");
        return 0;
    }

    check_spelling(*jws, compact);
    if (verdict_on(*jws) == Verdict::good) {
        must(was_published(jws->signing_input()), "good means signed");
    }

    return 0;
}
