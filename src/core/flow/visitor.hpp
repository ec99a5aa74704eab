// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Who stands at the door: somebody with a session, somebody with the remains
// of one, or nobody we know; and does the request come from our own pages?

#pragma once

#include <optional>

#include "core/base/result.hpp"
#include "core/flow/step.hpp"
#include "core/flow/story.hpp"

namespace bff::flow {

// The session of this request; null: there is none, or its time is over.
const session::Session *live_session(const Visit &visit);

// What should become of the cookies: what is no session any more goes, what
// is one stays.
session::Change tidied(const Visit &visit);

// What should become of the cookies of somebody who may use the session: it
// is written anew when its seal is old, or when this use has to be written
// down. `slides`: the request counts as use, where it went.
session::Change used(const Visit &visit, bool slides = true);

// A sentence about cookies that are not what they pretend to be, else empty.
Report report_of_forgery(const Visit &visit);

// A link on another site leads here, and the browser keeps Strict cookies to
// itself until a page of ours asks for them (CK-14).
bool may_hold_back_cookies(const Visit &visit);

// BFF-10, BFF-13. Errors: refused.
Result<Done> check_origin(const Visit &visit);

// 403 csrf: nothing was done.
Reply csrf_reply(const Visit &visit, const Error &why);

// For who asks about a session: the answer to somebody without one, or from
// another site; nullopt when there is no reason to send them away.
std::optional<Reply> turned_away(const Visit &visit);

// The session's tokens could not be renewed: it stays, and was used.
Reply not_renewed(const Visit &visit, const Error &error);

// 401 with the way to login: no_session, or session_expired or
// session_revoked when there was one.
Reply unauthenticated_reply(const Visit &visit);

} // namespace bff::flow
