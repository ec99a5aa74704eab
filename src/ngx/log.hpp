// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// One log line with our prefix. Takes text only, so that no Secret can get
// in; what came from outside must have gone through text::for_log().

#pragma once

#include "ngx/ngx.hpp"

namespace bff::ngx {

inline void log(ngx_uint_t level, ngx_log_t *log, std::string_view text)
{
    ngx_log_error(level, log, 0, "bff: %*s", text.size(), text.data());
}

} // namespace bff::ngx
