// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Which names a session has, and what a logout means by its own.
//
// A session of the very millisecond in which the logout came is taken for one
// that began before it.

#include "core/session/revocations.hpp"

#include <algorithm>

#include "core/session/mark.hpp"

namespace bff::session {
namespace {

using Kind = RevokedName::Kind;

// Shorter octets are filled up with zeros.
RevokedName name(Kind kind, std::string_view octets,
                 std::string_view more = {});

Revocation revocation_of(Kind kind, const Session &session, Moment now);
bool is_logged_out(const Session &session, Revocations &revocations);
bool is_over(const Session &session, Revocations &revocations);

// LT-7: who names both means the sessions that have both.
RevokedName name_of_logout(std::string_view issuer, std::string_view sid,
                           std::string_view sub);

bool is_unknown(std::string_view mark);

} // namespace

Revocation revocation_of(const Session &session, Moment now)
{
    return revocation_of(Kind::session, session, now);
}

Revocation end_of(const Session &session, Moment now)
{
    return revocation_of(Kind::over, session, now);
}

Revocation revocation_of(std::string_view issuer, std::string_view sid,
                         std::string_view sub, Moment now, Seconds lifetime)
{
    return {name_of_logout(issuer, sid, sub), now,
            std::chrono::ceil<Seconds>(now) + lifetime};
}

bool is_revoked(const Session &session, Revocations &revocations)
{
    return !revocations.is_empty() && (is_logged_out(session, revocations) ||
                                       is_over(session, revocations));
}

void end_if_revoked(Found &found, Revocations &revocations)
{
    const auto &known = found.session ? found.session : found.lost;
    if (!known || found.unrevoked_at == revocations.epoch() ||
        revocations.is_empty()) {
        return;
    }

    if (is_logged_out(*known, revocations)) {
        found = {Found::State::revoked, std::nullopt};
    } else if (is_over(*known, revocations)) {
        found = {Found::State::expired, std::nullopt};
    }
}

Found without_revoked(Found found, Revocations &revocations)
{
    end_if_revoked(found, revocations);
    return found;
}

namespace {

Revocation revocation_of(Kind kind, const Session &session, Moment now)
{
    // an id is never given twice, but a clock may have been set back
    return {name(kind, session.id), std::max(now, session.created),
            session.expires};
}

bool is_over(const Session &session, Revocations &revocations)
{
    return revocations.ends(name(Kind::over, session.id), session.created);
}

bool is_logged_out(const Session &session, Revocations &revocations)
{
    const auto &sid = session.sid_mark;
    const auto &sub = session.sub_mark;
    auto ends = [&](Kind kind, std::string_view octets,
                    std::string_view more = {}) {
        return revocations.ends(name(kind, octets, more), session.created);
    };

    return ends(Kind::session, session.id) ||
           (!is_unknown(sid) && ends(Kind::sid, sid)) ||
           (!is_unknown(sub) && ends(Kind::sub, sub)) ||
           (!is_unknown(sid) && ends(Kind::sid_and_sub, sid, sub));
}

RevokedName name(Kind kind, std::string_view octets, std::string_view more)
{
    RevokedName name{kind, {}};
    auto *to = name.octets.begin();

    for (auto part : {octets, more}) {
        auto room = static_cast<size_t>(name.octets.end() - to);
        to = std::copy_n(part.begin(), std::min(part.size(), room), to);
    }
    return name;
}

RevokedName name_of_logout(std::string_view issuer, std::string_view sid,
                           std::string_view sub)
{
    auto sid_mark = mark(issuer, "sid", sid);
    auto sub_mark = mark(issuer, "sub", sub);

    if (sid.empty()) {
        return name(Kind::sub, sub_mark);
    }
    return sub.empty() ? name(Kind::sid, sid_mark)
                       : name(Kind::sid_and_sub, sid_mark + sub_mark);
}

bool is_unknown(std::string_view mark)
{
    return std::ranges::all_of(mark, [](char octet) { return octet == 0; });
}

} // namespace
} // namespace bff::session
