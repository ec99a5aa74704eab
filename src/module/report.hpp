// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// A story's sentence in NGINX's log.

#pragma once

#include "core/flow/step.hpp"
#include "ngx/log.hpp"

namespace bff::module {

inline void write_report(ngx_log_t *log, const flow::Report &report)
{
    if (report.text.empty()) {
        return;
    }

    auto level = report.level == flow::Report::Level::error  ? NGX_LOG_ERR
                 : report.level == flow::Report::Level::warn ? NGX_LOG_WARN
                                                             : NGX_LOG_INFO;
    ngx::log(level, log, report.text);
}

} // namespace bff::module
