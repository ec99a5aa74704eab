// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Where a provider's sessions live.
//
// A session that has moved to shared memory stays there: its cookie is short,
// and never changes again but for its seal.

#include "store/sessions.hpp"

namespace bff::store {

session::Found Sessions::find(std::string_view cookie_header, Instant now) const
{
    auto found = cookies_.find(cookie_header, now);
    if (!found.session || found.session->handle.empty()) {
        return found;
    }

    return zone_.find(*found.session, now);
}

session::Found Sessions::look(const web::OurCookies &cookies, Instant now) const
{
    auto sealed = session::sealed_session(cookies, cookies_.style());
    if (!sealed) {
        return cookies_.nothing(cookies.header(), sealed.error().code);
    }

    if (auto *known = opened_.find(*sealed, cookies_.style(), now)) {
        if (is_still_good(*known, now)) {
            return {session::Found::State::active,
                    known->session,
                    false,
                    {},
                    known->unrevoked_at};
        }
        opened_.drop(known);
    }

    session::OpenedSessions::Opened opened;
    auto found = cookies_.open(cookies.header(), *sealed, now);
    if (found.session && !found.session->handle.empty()) {
        found = zone_.find(*found.session, now, &opened.ticket);
    }
    if (found.session) {
        opened.session = found.session;
        opened_.keep(*sealed, cookies_.style(), opened, now);
    }
    return found;
}

// Nothing has replaced it, nothing has ended it.
bool Sessions::is_still_good(session::OpenedSessions::Opened &known,
                             Instant now) const
{
    if (!known.session->handle.empty() && !zone_.follow(known)) {
        return false;
    }

    auto epoch = revocations_.epoch();
    if (known.unrevoked_at != epoch) {
        if (session::is_revoked(*known.session, revocations_)) {
            return false;
        }
        known.unrevoked_at = epoch;
    }

    return !known.session->is_expired(now);
}

Result<std::vector<web::SetCookie>>
Sessions::apply(const session::Change &change,
                const session::Found &before) const
{
    auto *save = std::get_if<session::Save>(&change);
    bool is_forgotten = std::holds_alternative<session::Forget>(change);
    if (save == nullptr && !is_forgotten) {
        return std::vector<web::SetCookie>{};
    }

    if (before.session &&
        (is_forgotten || save->session.id != before.session->id)) {
        remove(*before.session);
    }
    if (is_forgotten) {
        return cookies_.clear();
    }

    // What the browser has stays where it is: requests that come together
    // would each give it a handle of its own. Which chunks it has by now is not
    // known, since another answer may have brought it some meanwhile; one that
    // is left over would spoil the session.
    auto session = save->session;
    bool is_there = before.session && before.session->id == session.id;

    return session.handle.empty()
               ? settle(session, is_there ? Place::cookie : place_,
                        std::nullopt)
               : cookies_.write(session, std::nullopt);
}

Result<std::string> Sessions::keep(session::Session &session) const
{
    auto cookies = settle(session, place_, "");
    if (!cookies) {
        return std::move(cookies).error();
    }

    std::string header;
    for (const auto &cookie : *cookies) {
        header += header.empty() ? "" : "; ";
        header.append(cookie.name).append("=").append(cookie.value);
    }
    return header;
}

void Sessions::touch(const session::Session &session, Instant now) const
{
    zone_.touch(session, now);
}

void Sessions::remove(const session::Session &session) const
{
    if (!session.handle.empty()) {
        zone_.remove(session);
    }
}

Sessions::Cookies Sessions::settle(session::Session &session, Place place,
                                   Sent sent) const
{
    bool is_too_large = false;

    if (session.handle.empty() && place == Place::cookie) {
        auto cookies = cookies_.write(session, sent);
        if (cookies || cookies.error().code != Code::unsupported) {
            return cookies;
        }
        is_too_large = true;
    }

    auto kept = zone_.keep(session);
    if (!kept) {
        auto why =
            is_too_large
                ? session::why_too_large(session, cookies_.style()) + "; "
                : "";
        return Error{kept.error().code, why + kept.error().detail};
    }
    return cookies_.write(session, sent);
}

} // namespace bff::store
