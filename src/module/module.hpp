// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The module's own symbol, for those who ask NGINX for our configuration.

#pragma once

#include "ngx/ngx.hpp"

extern "C" {
extern ngx_module_t ngx_http_bff_module;
}
