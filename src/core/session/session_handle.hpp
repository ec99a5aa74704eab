// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// A session that a store keeps: what its cookie has, and what the store has.
//
// The cookie names the session and has the key that opens it, so that who
// reads the store's memory reads no token. Both are sealed: the store is never
// asked for a session that was not ours.

#pragma once

#include <string>
#include <string_view>

#include "core/base/result.hpp"
#include "core/crypto/entropy.hpp"
#include "core/session/session_cookie.hpp"

namespace bff::session {

constexpr size_t kHandleOctets = 16; // random

// For the cookie, to be sealed.
std::string encode_handle(const Session &session);
// A session of names and times, with its handle. Errors: forged.
Result<Session> decode_handle(std::string_view bytes);

// For the store; the session has a handle. Errors: unavailable (no random
// bytes).
Result<std::string> seal_record(const Session &session,
                                const CookieStyle &style,
                                crypto::Entropy &entropy);
// The session behind a handle. Errors: forged.
Result<Session> open_record(std::string_view sealed, const Session &handle,
                            const CookieStyle &style);

} // namespace bff::session
