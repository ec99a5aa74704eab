// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Session to sealed cookie chunks and back (CK-20 to CK-28).
//
// One seal over the whole session, then cut: NAME, NAME.1, NAME.2. The first
// chunk's value begins with the number of chunks, which is sealed with it, so
// that a chunk missing, doubled, reordered or of another session is no
// session at all. A session that a store keeps has one chunk, its handle, and
// the number 0.

#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/crypto/entropy.hpp"
#include "core/crypto/keyring.hpp"
#include "core/session/session.hpp"
#include "core/web/cookie.hpp"

namespace bff::session {

constexpr size_t kChunks = 3;
constexpr size_t kSetCookieOctets = 4000; // a whole Set-Cookie value

// How this provider's session cookies look.
struct CookieStyle {
    std::string name; // of the first chunk
    std::string provider;
    std::string domain; // "" for none
    web::SameSite same_site = web::SameSite::strict;
    // Of a login's own cookie: none when the answer comes as a POST from the
    // provider's site.
    web::SameSite login_same_site = web::SameSite::lax;
    bool secure = true;

    // How long they are good for: when nobody uses them
    // (session_idle_timeout), and at most (session_timeout).
    std::optional<Seconds> idle = std::nullopt;
    std::optional<Seconds> lifetime = std::nullopt;
};

// A session of earlier, under the times that hold now.
void limit(Session &session, const CookieStyle &style);

// Is this the name of a chunk? (NAME, NAME.1, NAME.2, exact case)
bool is_chunk_name(std::string_view name, const CookieStyle &style) noexcept;

// Set-Cookie for each chunk, and deletions for the chunks that the browser
// has and this session does not need (CK-21): those in `cookie_header`, or,
// when it is nullopt, all, since a request from another site shows no Strict
// cookies. Errors: unsupported (larger than 3 chunks), unavailable (it is
// brief, or there are no random bytes).
Result<std::vector<web::SetCookie>>
write_session(const Session &session, const CookieStyle &style,
              const crypto::Keyring &keys, crypto::Entropy &entropy,
              std::optional<std::string_view> cookie_header);

// What takes the room in such a session, and what would help, for the operator.
std::string why_too_large(const Session &session, const CookieStyle &style);

// The same for a session that a store keeps: one cookie, which opens it there.
Result<std::vector<web::SetCookie>>
write_handle(const Session &session, const CookieStyle &style,
             const crypto::Keyring &keys, crypto::Entropy &entropy,
             std::optional<std::string_view> cookie_header);

// A session as a browser shows it, still sealed: views into the header.
struct SealedSession {
    std::array<std::string_view, kChunks> chunks{}; // in order, none: ""
    size_t count = 0;                               // 0: a handle
};
// Errors: expired (no such cookie at all), forged (no session, for sure).
Result<SealedSession> sealed_session(std::string_view cookie_header,
                                     const CookieStyle &style);
// The same of cookies that were found before, with those of others, perhaps.
Result<SealedSession> sealed_session(const web::OurCookies &cookies,
                                     const CookieStyle &style);

// Errors: expired (the session is over), forged.
Result<Session> open_session(const SealedSession &sealed,
                             const CookieStyle &style,
                             const crypto::Keyring &keys, Instant now);

// Both. A session that a store keeps has only its names and times here, and its
// handle. Errors: expired (no such cookie at all, or the session is over),
// forged (everything else).
Result<Session> read_session(std::string_view cookie_header,
                             const CookieStyle &style,
                             const crypto::Keyring &keys, Instant now);

// Of cookies that are no session: may they be of two, or of one before and
// after its tokens were renewed? No chunk is missing then. A browser that takes
// in an answer's cookies one by one shows such a mixture for a moment, and a
// whole session in the next (CK-24): so it keeps what it has.
bool may_be_mixed(std::string_view cookie_header, const CookieStyle &style);

// Deletions for every chunk name (CK-22).
std::vector<web::SetCookie> clear_session(const CookieStyle &style);

} // namespace bff::session
