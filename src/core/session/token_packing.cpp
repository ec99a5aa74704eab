// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Makes tokens small: the three parts of a JWT as bytes, and deflate for
// what an API request does not need.
//
// Tokens come from the provider and are only ever carried: whatever a token
// looks like, unpacking gives the same text. What is unpacked is bounded
// before memory is taken for it.
//
//   packed token   0 | the text
//                  1 | header: length u16 | payload: length u16 |
//                      header | payload | signature
//   deflated       0 | the octets
//                  1 | length u32 of what comes out | raw deflate

#include "core/session/token_packing.hpp"

#include <array>
#include <limits>
#include <optional>

#include <zlib.h>

#include "core/base/apart.hpp"
#include "core/base/base64url.hpp"
#include "core/base/secret.hpp"
#include "core/session/octets.hpp"

namespace bff::session {
namespace {

enum Form : uint8_t { as_it_is = 0, packed_form = 1 };

using JwtParts = std::array<std::string, 3>;

std::optional<JwtParts> jwt_parts(std::string_view token);
std::optional<std::string> deflated(std::string_view plain);
std::string with_length(size_t plain, std::string_view stream);
bool inflated(std::string_view stream, std::string &plain);

} // namespace

std::string pack_token(std::string_view token)
{
    auto parts = jwt_parts(token);
    if (!parts) {
        OctetWriter out{1 + token.size()};
        out.u8(as_it_is);
        out.raw(token);
        return std::move(out).take();
    }

    const auto &[header, payload, signature] = *parts;
    OctetWriter out{1 + token.size()};
    out.u8(packed_form);
    out.u16(static_cast<uint16_t>(header.size()));
    out.u16(static_cast<uint16_t>(payload.size()));
    out.raw(header);
    out.raw(payload);
    out.raw(signature);
    return std::move(out).take();
}

Result<std::string> unpack_token(std::string_view packed)
{
    OctetReader in{packed};

    auto form = in.u8();
    if (form == as_it_is && !packed.empty()) {
        auto text = in.rest();
        // a token has one packed form only
        if (jwt_parts(text)) {
            return Error{Code::forged, "packed token is a JWT as text"};
        }
        return std::string{text};
    }

    auto header_size = in.u16();
    auto payload_size = in.u16();
    auto header = in.raw(header_size);
    auto payload = in.raw(payload_size);
    auto signature = in.rest();
    if (form != packed_form || !in.complete()) {
        return Error{Code::forged, "packed token is damaged"};
    }

    std::string token;
    token.reserve(base64url::encoded_size(packed.size()) + 2);
    base64url::append(token, header);
    token += '.';
    base64url::append(token, payload);
    token += '.';
    base64url::append(token, signature);
    return token;
}

std::string deflate(std::string_view plain, size_t least)
{
    MeasuredPart part{Part::zlib, plain.size()};
    auto stream = plain.size() < least ? std::nullopt : deflated(plain);
    if (stream) {
        return with_length(plain.size(), *stream);
    }

    OctetWriter out{1 + plain.size()};
    out.u8(as_it_is);
    out.raw(plain);
    return std::move(out).take();
}

std::string deflate(std::string &&plain)
{
    MeasuredPart part{Part::zlib, plain.size()};
    if (auto stream = deflated(plain)) {
        return with_length(plain.size(), *stream);
    }

    plain.insert(plain.begin(), as_it_is);
    return std::move(plain);
}

Result<std::string> inflate(std::string_view packed, size_t limit)
{
    OctetReader in{packed};
    auto form = in.u8();
    if (packed.empty() || form > packed_form) {
        return Error{Code::forged, "deflated octets have an unknown form"};
    }

    size_t size = form == as_it_is ? packed.size() - 1 : in.u32();
    if (size > limit) {
        return Error{Code::forged, "deflated octets are more than allowed"};
    }

    auto stream = in.rest();
    if (form == as_it_is) {
        return std::string{stream};
    }

    std::string plain(size, '\0');
    if (!in.complete() || !inflated(stream, plain)) {
        return Error{Code::forged, "deflated octets are damaged"};
    }

    return plain;
}

namespace {

// Strict base64url lets nothing through that would encode to another text.
std::optional<JwtParts> jwt_parts(std::string_view token)
{
    auto first = token.find('.');
    auto second = token.find('.', first == token.npos ? first : first + 1);
    if (second == token.npos || token.find('.', second + 1) != token.npos) {
        return std::nullopt;
    }

    auto header = base64url::decode(token.substr(0, first));
    auto payload =
        base64url::decode(token.substr(first + 1, second - first - 1));
    auto signature = base64url::decode(token.substr(second + 1));
    if (!header || !payload || !signature) {
        return std::nullopt;
    }

    constexpr size_t most = std::numeric_limits<uint16_t>::max();
    if (header->size() > most || payload->size() > most) {
        return std::nullopt;
    }

    return JwtParts{std::move(*header), std::move(*payload),
                    std::move(*signature)};
}

// What usual tokens and claims have in common; the most usual last, where
// deflate reaches it with the fewest bits. It is part of the format: what was
// deflated with one dictionary inflates with no other, so changing a single
// octet of it needs a new version in session_codec and login_attempt.
constexpr std::string_view kDictionary =
    "https://login.microsoftonline.com/\"tid\":\"oid\":\"ver\":\"2.0\""
    ",\"amr\":[\"pwd\",\"mfa\"],\"acr\":\"1\",\"groups\":[\"locale\":\"en"
    "\"resource_access\":{\"account\":{\"roles\":[\"manage-account\",\""
    "view-profile\"]}},\"realm_access\":{\"roles\":[\"offline_access\",\""
    "default-roles-uma_authorization\"]},\"typ\":\"Refresh\",\"typ\":\"ID\","
    "\"email_verified\":true,\"picture\":\"https://\"updated_at\":,\"nbf\":"
    "\"preferred_username\":\"given_name\":\",\"family_name\":\",\"email\":\""
    ".com\",\"name\":\"{\"alg\":\"ES256{\"alg\":\"RS256\",\"typ\":\"JWT\","
    "\"kid\":\"},\"at_hash\":\"session_state\":\"nonce\":\"jti\":\",\"scope"
    "\":\"openid profile email offline_accessBearer\",\"auth_time\":17,\"azp"
    "\":\",\"sid\":\"{\"exp\":17,\"iat\":17,\"aud\":\",\"sub\":\"iss\":\""
    "https://";

Bytef *octets(std::string &text)
{
    return reinterpret_cast<Bytef *>(text.data());
}

// zlib promises not to write there, but has no const everywhere.
Bytef *octets(std::string_view text)
{
    auto *data = const_cast<char *>(text.data());
    return reinterpret_cast<Bytef *>(data);
}

// What zlib is given room for, it clears, and its pages are touched anew each
// time: 256 KiB of it cost more than the work itself. A usual session is seen
// whole through a small window, so that its deflated form is the same; zlib
// reaches no further back than that less kLookahead.
struct Room {
    int window_bits;
    int memory_level;
};

Room room_for(size_t octets)
{
    constexpr Room small{13, 6};
    constexpr size_t kLookahead = 262; // MIN_LOOKAHEAD of zlib
    constexpr size_t kSeen = (size_t{1} << small.window_bits) - kLookahead;

    return kDictionary.size() + octets <= kSeen ? small : Room{MAX_WBITS, 8};
}

std::optional<std::string> deflated(std::string_view plain, int level,
                                    Room room);

// zlib takes 0.2 ms for 16 KiB of random base64url, and 3 for 128: a worker has
// no time for more of such, and no cookie has room for what comes of it. What
// is longer is deflated quickly, and only where it becomes much smaller and
// little comes of it, as what that takes depends on what comes out.
constexpr size_t kThorough = 16 * 1024;
constexpr size_t kLittle = 20 * 1024;

// Three pieces of a long text tell, with as little memory as sees them whole.
bool becomes_little(std::string_view plain)
{
    constexpr size_t kPieces = 3;
    constexpr size_t kPieceOctets = 1024;
    constexpr Room kLeast{12, 5};

    std::string sample;
    for (size_t i = 0; i < kPieces; i++) {
        sample += plain.substr(plain.size() / kPieces * i, kPieceOctets);
    }
    auto stream = deflated(sample, Z_BEST_SPEED, kLeast);
    auto octets = stream ? stream->size() : sample.size();
    wipe(sample);

    return octets <= kPieces * kPieceOctets / 2 &&
           plain.size() * octets / (kPieces * kPieceOctets) <= kLittle;
}

// Nothing when it would not become smaller, or zlib got no memory.
std::optional<std::string> deflated(std::string_view plain)
{
    auto room = room_for(plain.size());
    if (plain.size() <= kThorough) {
        return deflated(plain, 6, room);
    }

    return becomes_little(plain) ? deflated(plain, Z_BEST_SPEED, room)
                                 : std::nullopt;
}

std::optional<std::string> deflated(std::string_view plain, int level,
                                    Room room)
{
    constexpr size_t extra = sizeof(uint32_t); // the length before it
    constexpr size_t most = std::numeric_limits<uint32_t>::max();
    if (plain.size() <= extra || plain.size() > most) {
        return std::nullopt;
    }

    z_stream z{};
    if (deflateInit2(&z, level, Z_DEFLATED, -room.window_bits,
                     room.memory_level, Z_DEFAULT_STRATEGY) != Z_OK) {
        return std::nullopt;
    }

    std::string out(plain.size() - extra - 1, '\0');
    z.next_in = octets(plain);
    z.avail_in = static_cast<uInt>(plain.size());
    z.next_out = octets(out);
    z.avail_out = static_cast<uInt>(out.size());
    bool done =
        deflateSetDictionary(&z, octets(kDictionary),
                             static_cast<uInt>(kDictionary.size())) == Z_OK &&
        ::deflate(&z, Z_FINISH) == Z_STREAM_END;
    out.resize(z.total_out);
    deflateEnd(&z);

    return done ? std::optional{std::move(out)} : std::nullopt;
}

std::string with_length(size_t plain, std::string_view stream)
{
    OctetWriter out{1 + 4 + stream.size()};
    out.u8(packed_form);
    out.u32(static_cast<uint32_t>(plain));
    out.raw(stream);
    return std::move(out).take();
}

// Exactly `plain.size()` octets, from exactly the octets of `stream`, which
// are fewer: else they would have stayed as they are.
bool inflated(std::string_view stream, std::string &plain)
{
    MeasuredPart part{Part::zlib, plain.size()};
    z_stream z{};
    if (stream.size() >= plain.size() || inflateInit2(&z, -MAX_WBITS) != Z_OK) {
        return false;
    }

    z.next_in = octets(stream);
    z.avail_in = static_cast<uInt>(stream.size());
    z.next_out = octets(plain);
    z.avail_out = static_cast<uInt>(plain.size());
    bool done =
        inflateSetDictionary(&z, octets(kDictionary),
                             static_cast<uInt>(kDictionary.size())) == Z_OK &&
        ::inflate(&z, Z_FINISH) == Z_STREAM_END;
    bool exact = z.avail_in == 0 && z.avail_out == 0;
    inflateEnd(&z);

    return done && exact;
}

} // namespace
} // namespace bff::session
