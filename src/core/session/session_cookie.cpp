// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Session to sealed cookie chunks and back (CK-20 to CK-28).
//
// What the browser sends is not trusted until the seal was opened, and the
// seal is bound to the cookie's name and the number of chunks. How the text
// was cut is not bound: the same characters in the same order are the same
// session.
//
//   NAME     number of chunks, '1' to '3' | base64url of the envelope ...
//            or '0' | base64url of the envelope of a handle
//   NAME.1   ... goes on ...
//   NAME.2   ... and ends

#include "core/session/session_cookie.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "core/base/base64url.hpp"
#include "core/crypto/seal.hpp"
#include "core/session/session_codec.hpp"
#include "core/session/session_handle.hpp"

namespace bff::session {
namespace {

// What the browser sent under our names.
struct Chunks {
    std::array<std::string_view, kChunks> values;
    std::array<size_t, kChunks> times{};

    bool is_empty() const { return times == decltype(times){}; }
};

std::optional<size_t> chunk_index(std::string_view name,
                                  const CookieStyle &style) noexcept;
web::OurCookies chunk_cookies(std::string_view cookie_header,
                              const CookieStyle &style);
size_t cookies_for(size_t plain_octets, const CookieStyle &style);
size_t cookies_for(const Session &session, const CookieStyle &style);
Error too_large();
std::vector<web::SetCookie> cut(std::string_view text, size_t count,
                                const CookieStyle &style);
web::SetCookie chunk(const CookieStyle &style, size_t index, std::string value);
web::SetCookie deletion(const CookieStyle &style, size_t index);
void delete_surplus(std::vector<web::SetCookie> &cookies,
                    const CookieStyle &style,
                    std::optional<std::string_view> cookie_header);

inline Chunks chunks_in(const web::OurCookies &cookies,
                        const CookieStyle &style);
Result<size_t> count_of(const Chunks &chunks);
bool has_each_chunk(const Chunks &chunks);
std::optional<std::string> joined(const SealedSession &sealed);

crypto::Binding binding(const CookieStyle &style, size_t count);

} // namespace

void limit(Session &session, const CookieStyle &style)
{
    session.idle = style.idle;
    if (style.lifetime) {
        auto created = std::chrono::floor<Seconds>(session.created);
        session.expires = std::min(session.expires, created + *style.lifetime);
    }
}

bool is_chunk_name(std::string_view name, const CookieStyle &style) noexcept
{
    return chunk_index(name, style).has_value();
}

Result<std::vector<web::SetCookie>>
write_session(const Session &session, const CookieStyle &style,
              const crypto::Keyring &keys, crypto::Entropy &entropy,
              std::optional<std::string_view> cookie_header)
{
    if (session.is_brief) {
        return Error{Code::unavailable, "the session's details are not known"};
    }

    if (cookies_for(session.packed_details.size(), style) > kChunks) {
        return too_large();
    }

    auto plain = encode(session);
    auto count = cookies_for(plain.size(), style);
    if (count > kChunks) {
        wipe(plain);
        return too_large();
    }

    auto envelope = crypto::seal(plain, keys, binding(style, count), entropy);
    wipe(plain);
    if (!envelope) {
        return std::move(envelope).error();
    }

    auto cookies = cut(base64url::encode(*envelope), count, style);
    delete_surplus(cookies, style, cookie_header);
    return cookies;
}

// Unpacks its details, and packs them again.
std::string why_too_large(const Session &session, const CookieStyle &style)
{
    std::string why =
        "session needs " + std::to_string(cookies_for(session, style)) +
        " cookies of " + std::to_string(kSetCookieOctets) +
        " octets, at most " + std::to_string(kChunks) + " fit: access token " +
        std::to_string(session.access_token.size());

    auto details = unpack_details(session.packed_details);
    if (!details) {
        return why + " octets";
    }

    why += ", ID token " + std::to_string(details->id_token.size()) +
           ", refresh token " + std::to_string(details->refresh_token.size()) +
           ", claims " + std::to_string(details->claims.size()) + " octets";

    auto smaller = session;
    details->id_token = {};
    smaller.packed_details = pack_details(*details);
    if (cookies_for(smaller, style) <= kChunks) {
        why += "; \"logout_token_hint off\" saves the ID token";
    }
    return why;
}

Result<std::vector<web::SetCookie>>
write_handle(const Session &session, const CookieStyle &style,
             const crypto::Keyring &keys, crypto::Entropy &entropy,
             std::optional<std::string_view> cookie_header)
{
    auto plain = encode_handle(session);
    auto envelope = crypto::seal(plain, keys, binding(style, 0), entropy);
    wipe(plain);
    if (!envelope) {
        return std::move(envelope).error();
    }

    std::vector<web::SetCookie> cookies{
        chunk(style, 0, '0' + base64url::encode(*envelope))};
    delete_surplus(cookies, style, cookie_header);
    return cookies;
}

Result<SealedSession> sealed_session(std::string_view cookie_header,
                                     const CookieStyle &style)
{
    return sealed_session(chunk_cookies(cookie_header, style), style);
}

Result<SealedSession> sealed_session(const web::OurCookies &cookies,
                                     const CookieStyle &style)
{
    auto chunks = chunks_in(cookies, style);
    if (chunks.is_empty()) {
        return Error{Code::expired, "no session cookie"};
    }

    auto count = count_of(chunks);
    if (!count) {
        return std::move(count).error();
    }

    return SealedSession{chunks.values, *count};
}

Result<Session> open_session(const SealedSession &sealed,
                             const CookieStyle &style,
                             const crypto::Keyring &keys, Instant now)
{
    auto envelope = joined(sealed);
    if (!envelope) {
        return Error{Code::forged, "session cookie is not base64url"};
    }

    auto count = sealed.count;
    bool has_old_key = crypto::has_old_key(*envelope, keys);
    auto plain =
        crypto::unseal(std::move(*envelope), keys, binding(style, count));
    if (!plain) {
        return std::move(plain).error();
    }

    auto session = count == 0 ? decode_handle(*plain) : decode(*plain);
    wipe(*plain);
    if (!session) {
        return session;
    }

    limit(*session, style);
    if (!session->handle.empty()) {
        session->idle.reset(); // its store knows its last use
    }
    session->has_old_key = has_old_key;
    if (session->is_expired(now)) {
        return Error{Code::expired, "session is over"};
    }

    return session;
}

Result<Session> read_session(std::string_view cookie_header,
                             const CookieStyle &style,
                             const crypto::Keyring &keys, Instant now)
{
    auto sealed = sealed_session(cookie_header, style);
    return sealed ? open_session(*sealed, style, keys, now)
                  : Result<Session>{std::move(sealed).error()};
}

bool may_be_mixed(std::string_view cookie_header, const CookieStyle &style)
{
    auto chunks = chunks_in(chunk_cookies(cookie_header, style), style);
    auto names = std::ranges::count_if(chunks.times,
                                       [](size_t times) { return times > 0; });

    return names > 1 && has_each_chunk(chunks);
}

std::vector<web::SetCookie> clear_session(const CookieStyle &style)
{
    std::vector<web::SetCookie> cookies;
    for (size_t i = 0; i < kChunks; i++) {
        cookies.push_back(deletion(style, i));
    }

    return cookies;
}

namespace {

// NAME is 0, NAME.1 is 1, NAME.2 is 2. Asked for every cookie of every
// request, so that a foreign name costs one comparison.
std::optional<size_t> chunk_index(std::string_view name,
                                  const CookieStyle &style) noexcept
{
    if (!name.starts_with(style.name)) {
        return std::nullopt;
    }

    auto rest = name.substr(style.name.size());
    if (rest.empty()) {
        return 0;
    }

    bool is_chunk = rest.size() == 2 && rest[0] == '.' && rest[1] >= '1' &&
                    rest[1] < '0' + static_cast<int>(kChunks);
    return is_chunk ? std::optional<size_t>{rest[1] - '0'} : std::nullopt;
}

std::string chunk_name(const CookieStyle &style, size_t index)
{
    return index == 0 ? style.name : style.name + '.' + std::to_string(index);
}

web::SetCookie chunk(const CookieStyle &style, size_t index, std::string value)
{
    web::SetCookie cookie;
    cookie.name = chunk_name(style, index);
    cookie.value = std::move(value);
    cookie.domain = style.domain;
    cookie.same_site = style.same_site;
    cookie.secure = style.secure;
    return cookie;
}

// Same attributes as when it was set, else the browser keeps it (CK-22).
web::SetCookie deletion(const CookieStyle &style, size_t index)
{
    auto cookie = chunk(style, index, "");
    cookie.max_age = Seconds{0};
    return cookie;
}

// The characters of value that one Set-Cookie has room for.
size_t room_of(const CookieStyle &style, size_t index)
{
    auto taken = chunk(style, index, "").text().size();
    return taken < kSetCookieOctets ? kSetCookieOctets - taken : 0;
}

size_t cookies_for(size_t plain_octets, const CookieStyle &style)
{
    auto characters =
        1 + base64url::encoded_size(plain_octets + crypto::kSealOverhead);
    auto first = room_of(style, 0);
    if (characters <= first) {
        return 1;
    }

    auto other = room_of(style, 1);
    return other == 0 ? kChunks + 1
                      : 1 + (characters - first + other - 1) / other;
}

size_t cookies_for(const Session &session, const CookieStyle &style)
{
    auto plain = encode(session);
    auto count = cookies_for(plain.size(), style);
    wipe(plain);
    return count;
}

Error too_large()
{
    return {Code::unsupported, "session is too large for cookies"};
}

std::vector<web::SetCookie> cut(std::string_view text, size_t count,
                                const CookieStyle &style)
{
    std::vector<web::SetCookie> cookies;
    std::string value = std::to_string(count);

    for (size_t i = 0; i < count; i++) {
        auto piece = text.substr(0, room_of(style, i) - value.size());
        value += piece;
        text.remove_prefix(piece.size());
        cookies.push_back(chunk(style, i, std::move(value)));
        value.clear();
    }

    return cookies;
}

// Chunks of a session before this one (CK-21).
void delete_surplus(std::vector<web::SetCookie> &cookies,
                    const CookieStyle &style,
                    std::optional<std::string_view> cookie_header)
{
    auto sent =
        chunks_in(chunk_cookies(cookie_header.value_or(""), style), style);

    for (size_t i = cookies.size(); i < kChunks; i++) {
        if (!cookie_header || sent.times[i] > 0) {
            cookies.push_back(deletion(style, i));
        }
    }
}

web::OurCookies chunk_cookies(std::string_view cookie_header,
                              const CookieStyle &style)
{
    return {cookie_header,
            [&](std::string_view name) { return is_chunk_name(name, style); }};
}

// The values stay as they were sent: quotes or spaces in them are no
// base64url.
inline Chunks chunks_in(const web::OurCookies &cookies,
                        const CookieStyle &style)
{
    Chunks chunks;

    for (size_t i = 0; i < cookies.size(); i++) {
        if (auto index = chunk_index(cookies[i].name, style)) {
            chunks.values[*index] = cookies[i].value;
            chunks.times[*index]++;
        }
    }

    return chunks;
}

// The first chunk says how many there are; the seal will say whether that is
// true. Whoever writes a session deletes the chunks behind that number
// (CK-21), so there is none but of another session.
Result<size_t> count_of(const Chunks &chunks)
{
    auto first = chunks.values[0];
    if (first.empty() || first[0] < '0' ||
        first[0] > '0' + static_cast<int>(kChunks)) {
        return Error{Code::forged, "session cookie has no number of chunks"};
    }

    size_t count = first[0] - '0';
    for (size_t i = 0; i < kChunks; i++) {
        bool is_needed = i < std::max<size_t>(count, 1);
        if (chunks.times[i] > 1) {
            return Error{Code::forged, "session cookie comes twice"};
        }
        if (is_needed != (chunks.times[i] == 1)) {
            return Error{Code::forged,
                         is_needed ? "session cookie lacks a chunk"
                                   : "session cookie has a chunk too many"};
        }
        if (chunks.values[i].size() > kSetCookieOctets) {
            return Error{Code::forged, "session cookie is too long"};
        }
    }

    return count;
}

// None that is needed is missing or comes twice.
bool has_each_chunk(const Chunks &chunks)
{
    auto first = chunks.values[0];
    auto count = first.empty() ? 0 : static_cast<size_t>(first[0] - '0');
    auto needed = std::clamp<size_t>(count, 1, kChunks);

    return std::all_of(chunks.times.begin(), chunks.times.begin() + needed,
                       [](size_t times) { return times == 1; });
}

// The envelope, behind the number of chunks.
std::optional<std::string> joined(const SealedSession &sealed)
{
    auto first = sealed.chunks[0].substr(1);
    if (sealed.count <= 1) {
        return base64url::decode(first);
    }

    std::string text{first};
    for (size_t i = 1; i < sealed.count; i++) {
        text += sealed.chunks[i];
    }

    return base64url::decode(text);
}

// A handle is for another purpose than a session. Good until the next call:
// whoever seals or opens with it reads it at once.
crypto::Binding binding(const CookieStyle &style, size_t count)
{
    static std::string bound_name;
    bound_name = style.name;
    bound_name += '/';
    bound_name += static_cast<char>('0' + count);

    return {count == 0 ? crypto::Purpose::handle : crypto::Purpose::session,
            bound_name, style.provider};
}

} // namespace
} // namespace bff::session
