// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// A file that is accepted as a private key signs, and what is published of it
// verifies that and has no private member; an error holds nothing of the
// file; and OpenSSL's queue of errors stays empty.

#include <openssl/err.h>

#include "core/oidc/jwks.hpp"
#include "core/oidc/jws.hpp"
#include "core/oidc/key_material.hpp"
#include "core/oidc/private_key.hpp"
#include "property.hpp"

using namespace bff;
using namespace bff::oidc;
using fuzz::must;

namespace {

void check_published(const json_t *jwk)
{
    for (auto name : {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}) {
        must(!json::has(jwk, name), "CA-4: no private member");
    }
    for (auto name : {"kty", "kid", "use", "alg"}) {
        must(json::string_at(jwk, name).has_value(), "CA-4: what it is for");
    }
}

void check_key(const PrivateKey &key)
{
    auto jwk = key.public_jwk();
    check_published(jwk.get());

    auto keys = Jwks::parse("{\"keys\":[" + json::print(jwk.get()) + "]}");
    auto token = key.sign(key.header("JWT"), "payload");
    must(keys && token, "a key that parses signs");

    auto jws = Jws::parse(*token, {key.alg()});
    must(jws && jws->kid == key.kid() && jws->payload == "payload",
         "what it signs is a JWS of its own");
    must(verify(*jws, &*keys, Secret{}) == Verdict::good,
         "what is published verifies");
}

// A run of base64 as long as this is no word of ours.
void check_error(const std::string &detail, std::string_view file)
{
    constexpr size_t kRun = 24;

    must(detail.find('\n') == std::string::npos, "an error is one line");
    for (size_t at = 0; at + kRun <= detail.size(); at++) {
        auto run = std::string_view{detail}.substr(at, kRun);
        must(run.find_first_of(" \"'(),.;:") != std::string_view::npos ||
                 file.find(run) == std::string_view::npos,
             "an error tells nothing of the file");
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto file = fuzz::view(data, size);
    auto key = PrivateKey::parse(file);
    must(ERR_peek_error() == 0, "OpenSSL's queue of errors is empty");

    if (key) {
        check_key(*key);
    } else {
        must(key.error().code == Code::misconfigured, "a fault of the file");
        check_error(key.error().detail, file);
    }
    return 0;
}
