// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// A browser asks whether a page of another origin may send a request (the
// CORS-preflight request of Fetch, 4.8; BFF-12).
//
// The module answers by itself: nothing goes upstream, and no session is
// looked at, since browsers send no cookies with such a question.

#pragma once

#include "core/flow/step.hpp"
#include "core/web/origin_policy.hpp"
#include "core/web/request_view.hpp"

namespace bff::flow {

// OPTIONS with Origin and Access-Control-Request-Method.
bool is_preflight(const web::RequestView &request);

// 204 for a trusted origin, 403 csrf for any other. Who may read the answer
// is said by whoever sends it, as with every answer (core/web/cors).
Reply preflight_reply(const web::OriginPolicy &policy,
                      const web::RequestView &request);

} // namespace bff::flow
