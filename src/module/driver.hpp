// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The loop: begins a story, performs what it says, waits without blocking
// when it wants to ask the provider, and resumes it.

#pragma once

#include "module/request_context.hpp"

namespace bff::module {

// For phase handlers of the main request. Tells the story that is waiting, or
// a new one made by `make_story`. Returns what NGINX's phase engine wants:
//   NGX_AGAIN     waiting; the phases run again when the answer is there
//   NGX_DONE      answered
//   NGX_DECLINED  the story has no objection (Pass, Proceed): see ctx.granted
//   a status      for NGINX to answer
//
// Of an endpoint:
using MakeStory = std::function<std::unique_ptr<flow::Story>()>;
ngx_int_t tell(ngx_http_request_t *r, Provider &provider,
               const MakeStory &make_story);

// Of a request to the location: may it pass?
ngx_int_t tell_access(RequestContext &ctx, const LocConf &location);

// Answers without a story, and without looking at any session. Returns as
// tell() does.
ngx_int_t say(ngx_http_request_t *r, Provider &provider,
              const flow::Reply &reply);

// What the location's directives mean.
flow::Policy policy_of(const LocConf &location);

// Looks for a session that may be used here and tells nobody: grants its
// token when there is one, does nothing otherwise.
void peek(ngx_http_request_t *r, Provider &provider);

} // namespace bff::module
