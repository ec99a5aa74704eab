// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Warns of what stands in the configuration beside our directives and works
// against them.

#pragma once

#include "module/settings.hpp"

namespace bff::module {

// When all of the configuration was read and accepted. Whatever goes wrong
// here is no reason to refuse it.
void warn_of_configuration(ngx_conf_t *cf, const MainConf &main) noexcept;

} // namespace bff::module
