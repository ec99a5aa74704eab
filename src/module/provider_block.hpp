// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The directives inside bff_provider { }: one table, one setter each.

#pragma once

#include "module/provider.hpp"

namespace bff::module {

// Reads the block's lines into the provider. On failure NGINX's error log
// has the directive's name and the remedy.
char *read_provider_block(ngx_conf_t *cf, Provider &provider);

} // namespace bff::module
