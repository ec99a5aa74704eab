// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Handle to bytes and back, and the sealed record that it opens.
//
//   version u8 = 2 | id 16 | secret 16 | sid mark 8 | sub mark 8 |
//   created u48 | expires u40
//
// The record's key is secret and id, so that each guess of a secret is one for
// this session alone. The whole is short, since it comes with each request.
// The times and marks are there for a session that the store has lost: whether
// it was ended is known without it.

#include "core/session/session_handle.hpp"

#include "core/crypto/seal.hpp"
#include "core/session/mark.hpp"
#include "core/session/octets.hpp"
#include "core/session/session_codec.hpp"

namespace bff::session {
namespace {

constexpr uint8_t kVersion = 2;
constexpr size_t kIdOctets = 16;
constexpr size_t kOctets = 1 + kIdOctets + kHandleOctets + 2 * kMarkOctets +
                           kMillisecondsOctets + kSecondsOctets;

Secret key_of(const Session &session)
{
    std::string key;
    key.reserve(kHandleOctets + kIdOctets); // nothing is left elsewhere
    key += session.handle.reveal();
    key += session.id;

    return Secret{std::move(key)};
}

crypto::Binding binding(const CookieStyle &style)
{
    return {crypto::Purpose::session, style.name, style.provider};
}

} // namespace

std::string encode_handle(const Session &session)
{
    OctetWriter out{kOctets};
    out.u8(kVersion);
    out.raw(session.id);
    out.raw(session.handle.reveal());
    out.raw(session.sid_mark);
    out.raw(session.sub_mark);
    out.milliseconds(to_number(session.created), kMillisecondsOctets);
    out.seconds(to_number(session.expires), kSecondsOctets);

    return std::move(out).take();
}

Result<Session> decode_handle(std::string_view bytes)
{
    OctetReader in{bytes};
    if (in.u8() != kVersion) {
        return Error{Code::forged, "handle has an unknown format version"};
    }

    Session session;
    session.id = in.raw(kIdOctets);
    session.handle = Secret{std::string{in.raw(kHandleOctets)}};
    session.sid_mark = in.raw(kMarkOctets);
    session.sub_mark = in.raw(kMarkOctets);
    session.created = moment(in.milliseconds(kMillisecondsOctets));
    session.expires = instant(in.seconds(kSecondsOctets));
    if (!in.complete()) {
        return Error{Code::forged, "handle is damaged"};
    }

    return session;
}

Result<std::string> seal_record(const Session &session,
                                const CookieStyle &style,
                                crypto::Entropy &entropy)
{
    if (session.is_brief) {
        return Error{Code::unavailable, "the session's details are not known"};
    }

    auto plain = encode(session);
    auto sealed =
        crypto::seal_with(key_of(session), plain, binding(style), entropy);
    wipe(plain);

    return sealed;
}

Result<Session> open_record(std::string_view sealed, const Session &handle,
                            const CookieStyle &style)
{
    auto plain = crypto::unseal_with(key_of(handle), sealed, binding(style));
    if (!plain) {
        return std::move(plain).error();
    }

    auto session = decode(*plain);
    wipe(*plain);
    if (session && session->id != handle.id) {
        return Error{Code::forged, "stored session is another one"};
    }
    if (session) {
        session->handle = handle.handle;
    }

    return session;
}

} // namespace bff::session
