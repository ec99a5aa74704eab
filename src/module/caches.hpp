// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// NGINX's caches, and what must not get into them.

#pragma once

#include "module/settings.hpp"

namespace bff::module {

// The content handler of a location that has "bff", in place of the one it
// has: it calls that one.
void watch_content(ngx_http_core_loc_conf_t &core, LocConf &conf,
                   const LocConf &around);

// The answer to one person is for nobody else.
void keep_out_of_caches(ngx_http_request_t *r);

} // namespace bff::module
