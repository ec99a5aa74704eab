// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What a response tells its browser of its session.

#pragma once

#include "module/request_context.hpp"

namespace bff::module {

// Without what was ended from elsewhere.
session::Found as_it_stands(const RequestContext &ctx, session::Found found);
// With tokens that its browser has not heard of yet, as well. In its place, as
// most often there is nothing new.
void update(const RequestContext &ctx, session::Found &found);

// With its details, which a request to an API hardly ever needs.
void complete(RequestContext &ctx);

// As its new tokens are to find it: the request that wants them may be use.
session::Session as_used(RequestContext &ctx, const session::Change &change);

// Does what became of the session, with an answer that goes out now. Errors:
// as the store's.
Result<Done> change_session(RequestContext &ctx, const session::Change &change);
// The same, with a response that may take long.
void change_later(RequestContext &ctx, const session::Change &change);

// New tokens that the browser is to have, before the session changes.
void look_for_renewed(RequestContext &ctx);
inline void take_renewed(RequestContext &ctx)
{
    if (std::exchange(ctx.is_renewing, false)) {
        look_for_renewed(ctx);
    }
}

// The API did not take the token: the next request finds another one.
void replace_rejected(RequestContext &ctx);

// The response's header goes out.
void tell_browser(RequestContext &ctx);

} // namespace bff::module
