// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The $bff_... variables.

#pragma once

#include "ngx/ngx.hpp"

namespace bff::module {

ngx_int_t add_variables(ngx_conf_t *cf);

} // namespace bff::module
