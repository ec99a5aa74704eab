// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// From what was written to what it means: names become providers, keys a
// ring, a provider's settings a running client. Errors name the directive.

#pragma once

#include "module/settings.hpp"

namespace bff::module {

// When all of the configuration was read. False: NGINX's log has said why.
bool compile(ngx_conf_t *cf, MainConf &main);

// Two uses in one server: what their providers must not share.
bool check_pair(ngx_conf_t *cf, const Use &a, const Use &b);

// In the master, once the new configuration is the one that counts.
bool take_over(ngx_cycle_t *cycle);

} // namespace bff::module
