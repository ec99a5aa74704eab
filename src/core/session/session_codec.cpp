// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Session to bytes and back, with a format version that old readers refuse.
//
// The bytes come out of an envelope of ours, and yet every length is checked
// and every session has one form only: what decodes encodes to the same
// octets. Reading the head inflates nothing.
//
//   details   ID token, packed | refresh token, packed | token type | scope |
//             sub | sid | session state | claims | nonce | auth_time | azp
//
// each with its length u32 before it, deflated as a whole.

#include "core/session/session_codec.hpp"

#include "core/session/mark.hpp"
#include "core/session/octets.hpp"
#include "core/session/token_packing.hpp"

namespace bff::session {
namespace {

constexpr uint8_t kVersion = 2;
constexpr size_t kIdOctets = 16;
constexpr size_t kDetailsOctets = 1024 * 1024; // a provider sends less
constexpr uint8_t kHasRefreshToken = 1;        // the flags' only bit
constexpr size_t kHeadOctets =
    1 + kIdOctets + 4 + 1 + 2 * kMarkOctets + 4 * 8 + 2 * 4;

// 0 is kept for a lifetime that the provider did not tell.
long long expires_or_zero(const std::optional<Instant> &expires)
{
    return expires ? std::max(1LL, to_number(*expires)) : 0;
}

std::optional<Instant> expires_unless_zero(long long number)
{
    return number == 0 ? std::nullopt : std::optional{instant(number)};
}

} // namespace

std::string encode(const Session &session)
{
    auto token = pack_token(session.access_token.reveal());
    OctetWriter out{kHeadOctets + token.size() + session.packed_details.size()};
    out.u8(kVersion);
    out.raw(session.id);
    out.u32(session.generation);
    out.u8(session.has_refresh_token ? kHasRefreshToken : 0);
    out.raw(session.sid_mark);
    out.raw(session.sub_mark);
    out.milliseconds(to_number(session.created));
    out.seconds(to_number(session.expires));
    out.seconds(to_number(session.active));
    out.seconds(expires_or_zero(session.access_token_expires));
    out.text(token);
    out.text(session.packed_details.reveal());

    wipe(token);
    return std::move(out).take();
}

Result<Session> decode(std::string_view bytes)
{
    OctetReader in{bytes};
    if (in.u8() != kVersion) {
        return Error{Code::forged, "session has an unknown format version"};
    }

    Session session;
    session.id = in.raw(kIdOctets);
    session.generation = in.u32();
    auto flags = in.u8();
    session.has_refresh_token = flags == kHasRefreshToken;
    session.sid_mark = in.raw(kMarkOctets);
    session.sub_mark = in.raw(kMarkOctets);
    session.created = moment(in.milliseconds());
    session.expires = instant(in.seconds());
    session.active = instant(in.seconds());
    session.access_token_expires = expires_unless_zero(in.seconds());
    auto packed_token = in.text();
    auto packed_details = in.text();
    if (!in.complete() || flags > kHasRefreshToken) {
        return Error{Code::forged, "session is damaged"};
    }

    auto token = unpack_token(packed_token);
    if (!token) {
        return std::move(token).error();
    }

    session.access_token = Secret{std::move(*token)};
    session.packed_details = Secret{packed_details};
    return session;
}

Secret pack_details(const Details &details)
{
    auto id_token = pack_token(details.id_token.reveal());
    auto refresh_token = pack_token(details.refresh_token.reveal());
    const std::string_view fields[] = {
        id_token,      refresh_token,     details.token_type,    details.scope,
        details.sub,   details.sid,       details.session_state, details.claims,
        details.nonce, details.auth_time, details.azp,
    };

    size_t size = 0;
    for (auto field : fields) {
        size += sizeof(uint32_t) + field.size();
    }

    OctetWriter out{size + 1}; // for deflate's own
    for (auto field : fields) {
        out.text(field);
    }

    auto plain = std::move(out).take();
    Secret packed{deflate(std::move(plain))};
    wipe(plain);
    wipe(id_token);
    wipe(refresh_token);
    return packed;
}

Result<Details> unpack_details(const Secret &packed)
{
    auto plain = inflate(packed.reveal(), kDetailsOctets);
    if (!plain) {
        return std::move(plain).error();
    }

    OctetReader in{*plain};
    auto id_token = unpack_token(in.text());
    auto refresh_token = unpack_token(in.text());
    Details details;
    for (auto *field : {&details.token_type, &details.scope, &details.sub,
                        &details.sid, &details.session_state, &details.claims,
                        &details.nonce, &details.auth_time, &details.azp}) {
        *field = in.text();
    }

    bool complete = in.complete();
    wipe(*plain);
    if (!complete || !id_token || !refresh_token) {
        return Error{Code::forged, "session details are damaged"};
    }

    details.id_token = Secret{std::move(*id_token)};
    details.refresh_token = Secret{std::move(*refresh_token)};
    return details;
}

} // namespace bff::session
