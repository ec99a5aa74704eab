// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Opens and writes sealed session cookies; see core/session/session_cookie.

#include "store/cookie_store.hpp"

namespace bff::store {
namespace {

using State = session::Found::State;

bool has_chunk(std::string_view cookie_header,
               const session::CookieStyle &style)
{
    for (const auto &[name, value] : web::cookie_pairs(cookie_header)) {
        if (session::is_chunk_name(name, style)) {
            return true;
        }
    }
    return false;
}

} // namespace

session::Found CookieStore::find(std::string_view cookie_header,
                                 Instant now) const
{
    auto sealed = session::sealed_session(cookie_header, style_);

    return sealed ? open(cookie_header, *sealed, now)
                  : nothing(cookie_header, sealed.error().code);
}

session::Found CookieStore::open(std::string_view cookie_header,
                                 const session::SealedSession &sealed,
                                 Instant now) const
{
    auto session = session::open_session(sealed, style_, keys_, now);

    return session ? session::Found{State::active, std::move(*session)}
                   : nothing(cookie_header, session.error().code);
}

session::Found CookieStore::nothing(std::string_view cookie_header,
                                    Code why) const
{
    if (!has_chunk(cookie_header, style_)) {
        return {};
    }
    if (why == Code::expired) {
        return {State::expired, std::nullopt};
    }
    return {session::may_be_mixed(cookie_header, style_) ? State::mixed
                                                         : State::forged,
            std::nullopt};
}

Result<std::vector<web::SetCookie>>
CookieStore::write(const session::Session &session,
                   std::optional<std::string_view> sent) const
{
    return session.handle.empty()
               ? session::write_session(session, style_, keys_, entropy_, sent)
               : session::write_handle(session, style_, keys_, entropy_, sent);
}

std::vector<web::SetCookie> CookieStore::clear() const
{
    return session::clear_session(style_);
}

} // namespace bff::store
