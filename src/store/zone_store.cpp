// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Sessions in shared memory, each sealed with the key in its own cookie.
//
// What the memory says of a session beside its sealed octets is only used to
// let it live shorter, or to keep it in use.

#include "store/zone_store.hpp"

#include "core/session/session_handle.hpp"

namespace bff::store {
namespace {

using State = session::Found::State;

session::Found lost(session::Session handle)
{
    return {State::expired, std::nullopt, false, std::move(handle)};
}

} // namespace

session::Found ZoneStore::find(session::Session handle, Instant now,
                               Ticket *ticket) const
{
    auto stored = zone_.look(handle.id);
    if (!stored) {
        return lost(std::move(handle));
    }
    if (ticket != nullptr) {
        *ticket = stored->ticket;
    }

    auto session = session::open_record(stored->octets, handle, style_);
    if (!session) {
        return lost(std::move(handle));
    }

    session->active = stored->record.active;
    session::limit(*session, style_);
    session->has_old_key = handle.has_old_key;
    if (session->is_expired(now)) {
        return lost(std::move(handle));
    }

    return {State::active, std::move(*session)};
}

bool ZoneStore::follow(session::OpenedSessions::Opened &opened) const
{
    auto active = zone_.active_if_current(opened.ticket);
    if (active && *active != opened.session->active) {
        opened.session.set_active(*active);
    }

    return active.has_value();
}

Result<Done> ZoneStore::keep(session::Session &session) const
{
    if (session.handle.empty()) {
        auto handle = entropy_.bytes(session::kHandleOctets);
        if (!handle) {
            return std::move(handle).error();
        }
        session.handle = Secret{std::move(*handle)};
    }

    auto sealed = session::seal_record(session, style_, entropy_);
    if (!sealed) {
        return std::move(sealed).error();
    }

    return zone_.put(session.id,
                     {session.generation, session.expires, session.active},
                     *sealed);
}

void ZoneStore::touch(const session::Session &session, Instant now) const
{
    zone_.touch(session.id, now);
}

void ZoneStore::remove(const session::Session &session) const
{
    zone_.remove(session.id);
}

} // namespace bff::store
