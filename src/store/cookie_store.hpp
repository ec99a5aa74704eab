// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// No server memory: the sealed session travels with the browser, or else the
// handle that opens it elsewhere.

#pragma once

#include <vector>

#include "core/crypto/entropy.hpp"
#include "core/crypto/keyring.hpp"
#include "core/session/session_cookie.hpp"
#include "core/session/session_store.hpp"
#include "core/web/cookie.hpp"

namespace bff::store {

class CookieStore {
public:
    CookieStore(const session::CookieStyle &style, const crypto::Keyring &keys,
                crypto::Entropy &entropy)
        : style_{style}, keys_{keys}, entropy_{entropy}
    {
    }

    session::Found find(std::string_view cookie_header, Instant now) const;
    // Of cookies of ours: what they hold, or why there is no session.
    session::Found open(std::string_view cookie_header,
                        const session::SealedSession &sealed,
                        Instant now) const;
    session::Found nothing(std::string_view cookie_header, Code why) const;

    const session::CookieStyle &style() const { return style_; }

    // Set-Cookie for this session, or for its handle; `sent`: the cookies that
    // the browser has, when that is known. Errors: unsupported (the session is
    // too large for its cookies), unavailable (no random bytes).
    Result<std::vector<web::SetCookie>>
    write(const session::Session &session,
          std::optional<std::string_view> sent) const;

    // Set-Cookie that deletes all of them.
    std::vector<web::SetCookie> clear() const;

private:
    const session::CookieStyle &style_;
    const crypto::Keyring &keys_;
    crypto::Entropy &entropy_;
};

} // namespace bff::store
