// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The shared memory that a configuration asks for.

#pragma once

#include "module/settings.hpp"

namespace bff::module {

// bff_zone. False: NGINX has said why.
bool add_zone(ngx_conf_t *cf, MainConf &main);

// Where sessions of this provider may be kept: the zone of session_store, or
// a part of bff_zone. Errors: misconfigured.
Result<store::SessionZone *> session_zone(ngx_conf_t *cf, MainConf &main,
                                          const Provider &provider);

} // namespace bff::module
