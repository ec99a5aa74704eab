// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// bff_require, once it is known whose session this is.

#pragma once

#include "module/request_context.hpp"

namespace bff::module {

// The first of the location's requirements that says no, null when there is
// none. With the variables as they are now.
const Requirement *unmet_of(ngx_http_request_t *r,
                            const std::vector<Requirement> &requirements);
inline const Requirement *unmet(ngx_http_request_t *r, const LocConf &location)
{
    return location.requirements != nullptr
               ? unmet_of(r, *location.requirements)
               : nullptr;
}

// What is known of the session has changed: values that NGINX keeps for the
// request, and that were made from our variables before, are made anew when
// somebody asks.
void forget_stale_values(ngx_http_request_t *r, RequestContext &ctx);

} // namespace bff::module
