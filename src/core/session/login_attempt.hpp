// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// One login under way: state, nonce, verifier and return path, in a sealed
// cookie of its own.
//
// The cookie's name tells which state it belongs to, so that several tabs may
// log in at once (CB-3) and the callback finds the one it needs; everything
// in it is sealed. It lives for 10 minutes and is used once.

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/instant.hpp"
#include "core/base/result.hpp"
#include "core/crypto/entropy.hpp"
#include "core/crypto/keyring.hpp"
#include "core/oidc/client_settings.hpp"
#include "core/session/session_cookie.hpp"
#include "core/web/cookie.hpp"

namespace bff::session {

constexpr Seconds kLoginLifetime{600};
constexpr size_t kPendingLogins = 4;

struct LoginAttempt {
    std::string state;
    std::string nonce;
    std::string code_verifier;
    std::string return_path;
    std::string redirect_uri; // as it was sent
    std::string issuer;       // that it was sent to
    Instant started;
    std::optional<Seconds> max_age; // requested of the provider
    std::string acr_values;         // likewise, "" when none was
    oidc::ResponseMode response_mode = oidc::ResponseMode::query;
    bool is_silent = false; // prompt=none: nobody is looking

    bool is_expired(Instant now) const
    {
        return now >= started + kLoginLifetime;
    }
};

// A state: 43 random characters, and 16 of a code over them that only our
// keys make. So an answer to a login that is gone can be told from one to a
// login that never was. Errors: unavailable (no random bytes).
Result<std::string> new_state(const CookieStyle &style,
                              const crypto::Keyring &keys,
                              crypto::Entropy &entropy);
bool is_our_state(std::string_view state, const CookieStyle &style,
                  const crypto::Keyring &keys);

// STYLE.name + "-login-" + the first 16 characters of
// BASE64URL(SHA256(state)).
std::string login_cookie_name(const CookieStyle &style, std::string_view state);
bool is_login_cookie_name(std::string_view name,
                          const CookieStyle &style) noexcept;

// SameSite is the style's login_same_site, Max-Age 600. Errors: unavailable (no
// random bytes), unsupported (larger than a browser keeps).
Result<web::SetCookie> write_login(const LoginAttempt &attempt,
                                   const CookieStyle &style,
                                   const crypto::Keyring &keys,
                                   crypto::Entropy &entropy);

// The attempt of this state. Errors: expired (no cookie, too old), forged
// (does not open, comes twice, or holds another state).
Result<LoginAttempt> read_login(std::string_view cookie_header,
                                std::string_view state,
                                const CookieStyle &style,
                                const crypto::Keyring &keys, Instant now);

// Deletes the attempt of this state.
web::SetCookie clear_login(std::string_view state, const CookieStyle &style);

// Before a new login: deletions that leave room for it, the oldest first,
// and all that do not open or are too old.
std::vector<web::SetCookie> make_room(std::string_view cookie_header,
                                      const CookieStyle &style,
                                      const crypto::Keyring &keys, Instant now);

} // namespace bff::session
