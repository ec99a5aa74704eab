// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// A session as a usual provider makes it, for tests and their measurements:
// the tokens have the claims and sizes of Keycloak's, only their signatures
// are a pattern instead of a signature.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/base64url.hpp"
#include "core/crypto/keyring.hpp"
#include "core/session/session.hpp"
#include "core/session/session_codec.hpp"
#include "core/session/session_cookie.hpp"

namespace bff::unit {

const Instant kNow = instant(1780000000);

// Octets without any order, the same in every run.
inline std::string noise(size_t octets, uint64_t seed = 1)
{
    std::string bytes;
    while (bytes.size() < octets) {
        seed = seed * 6364136223846793005 + 1442695040888963407;
        bytes += static_cast<char>(seed >> 56);
    }
    return bytes;
}

inline std::string jwt(std::string_view payload, uint64_t seed = 1)
{
    constexpr std::string_view header =
        R"({"alg":"RS256","typ":"JWT","kid":"FJ86GcF3jTbNLOco4NvZkUCIUmf)"
        R"(YCqoqtOQeMfbhNlE"})";
    return base64url::encode(header) + '.' + base64url::encode(payload) + '.' +
           base64url::encode(noise(256, seed));
}

inline std::string sample_access_token()
{
    return jwt(
        R"({"exp":1780000300,"iat":1780000000,"auth_time":1779999999,"jti":"o)"
        R"(nrtac:5f0a7c1e-31f4-4d0c-9ad0-6c2b8b6f5f9e","iss":"https://id.exam)"
        R"(ple.com/realms/shop","aud":["orders","account"],"sub":"3f9b2c1e-7d)"
        R"(4a-4f0e-8a51-0d6c6a1f7b22","typ":"Bearer","azp":"shop-bff","sid":")"
        R"(9d1f3c52-2f7b-4e0a-8f3b-52d3f3b3d2a1","acr":"1","allowed-origins":)"
        R"(["https://shop.example.com"],"realm_access":{"roles":["default-rol)"
        R"(es-shop","offline_access","uma_authorization","customer"]},"resour)"
        R"(ce_access":{"orders":{"roles":["read","write"]},"account":{"roles")"
        R"(:["manage-account","manage-account-links","view-profile"]}},"scope)"
        R"(":"openid profile email","email_verified":true,"name":"Jane Doe",")"
        R"(preferred_username":"jane","given_name":"Jane","family_name":"Doe")"
        R"(,"email":"jane@example.com"})",
        2);
}

inline std::string sample_id_token()
{
    return jwt(
        R"({"exp":1780000300,"iat":1780000000,"auth_time":1779999999,"jti":"5)"
        R"(2dcbb61-0f56-4c6a-b7a6-2a5a8e5b0a7d","iss":"https://id.example.com)"
        R"(/realms/shop","aud":"shop-bff","sub":"3f9b2c1e-7d4a-4f0e-8a51-0d6c)"
        R"(6a1f7b22","typ":"ID","azp":"shop-bff","nonce":"n-0S6_WzA2MjqOpa0dY)"
        R"(Ew4mJfVt1XcK8rLhZ3uBvGsi","sid":"9d1f3c52-2f7b-4e0a-8f3b-52d3f3b3d)"
        R"(2a1","at_hash":"MTIzNDU2Nzg5MDEyMzQ1Ng","acr":"1","email_verified")"
        R"(:true,"name":"Jane Doe","preferred_username":"jane","given_name":")"
        R"(Jane","family_name":"Doe","email":"jane@example.com"})",
        3);
}

inline std::string sample_refresh_token()
{
    return jwt(
        R"({"exp":1780001800,"iat":1780000000,"jti":"7e0d8d0e-5b69-4e9e-8b1e-)"
        R"(3f4f1f3b7c11","iss":"https://id.example.com/realms/shop","aud":"ht)"
        R"(tps://id.example.com/realms/shop","sub":"3f9b2c1e-7d4a-4f0e-8a51-0)"
        R"(d6c6a1f7b22","typ":"Refresh","azp":"shop-bff","sid":"9d1f3c52-2f7b)"
        R"(-4e0a-8f3b-52d3f3b3d2a1","scope":"openid profile email"})",
        4);
}

inline session::Details sample_details()
{
    session::Details details;
    details.id_token = Secret{sample_id_token()};
    details.refresh_token = Secret{sample_refresh_token()};
    details.token_type = "Bearer";
    details.scope = "openid profile email";
    details.sub = "3f9b2c1e-7d4a-4f0e-8a51-0d6c6a1f7b22";
    details.sid = "9d1f3c52-2f7b-4e0a-8f3b-52d3f3b3d2a1";
    details.session_state = "9d1f3c52.f3b3d2a1";
    details.claims = R"({"sub":"3f9b2c1e-7d4a-4f0e-8a51-0d6c6a1f7b22","name":)"
                     R"("Jane Doe","email":"jane@example.com","preferred_user)"
                     R"(name":"jane","acr":"1","auth_time":1779999999})";
    details.nonce = "n-0S6_WzA2MjqOpa0dYEw4mJfVt1XcK8rLhZ3uBvGsi";
    details.auth_time = "1779999999";
    details.azp = "shop-bff";
    return details;
}

// An opaque access token of that many octets instead of the usual one: no
// packing makes it smaller, so the size of the session is known.
inline session::Session sample_session(size_t opaque_octets = 0)
{
    session::Session session;
    session.id = noise(16, 5);
    session.generation = 3;
    session.has_refresh_token = true;
    session.sid_mark = noise(8, 7);
    session.sub_mark = noise(8, 8);
    session.created = kNow;
    session.expires = kNow + Seconds{8 * 3600};
    session.active = kNow;
    session.access_token_expires = kNow + Seconds{300};
    session.access_token =
        opaque_octets == 0 ? Secret{sample_access_token()}
                           : Secret{base64url::encode(noise(opaque_octets, 6))
                                        .substr(0, opaque_octets)};
    session.packed_details = session::pack_details(sample_details());
    return session;
}

// Three cookies long.
inline session::Session large_session()
{
    return sample_session(6000);
}

inline crypto::Keyring keyring(std::string_view letters = "k")
{
    std::vector<Secret> keys;
    for (char letter : letters) {
        keys.emplace_back(std::string(crypto::kKeyOctets, letter));
    }
    return std::move(*crypto::Keyring::make(keys));
}

inline session::CookieStyle cookie_style()
{
    session::CookieStyle style;
    style.name = "__Host-Http-bff-corp";
    style.provider = "corp";
    return style;
}

// What a browser sends back: name=value, joined by "; ", deleted ones not.
inline std::string cookie_header(const std::vector<web::SetCookie> &cookies)
{
    std::string header;
    for (const auto &cookie : cookies) {
        if (cookie.max_age == Seconds{0}) {
            continue;
        }
        header += header.empty() ? "" : "; ";
        header += cookie.name + '=' + cookie.value;
    }
    return header;
}

} // namespace bff::unit
