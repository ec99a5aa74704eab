// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// A story's sentence in NGINX's log.

#pragma once

#include "core/flow/log_budget.hpp"
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

// Of a request, whose client may send many. What an operator has to look at,
// and the life of sessions, is told in full.
inline void write_report(ngx_log_t *log, flow::Report report,
                         flow::LogBudget &warnings)
{
    if (report.level != flow::Report::Level::warn || report.text.empty()) {
        write_report(log, report);
        return;
    }

    auto left_out = warnings.spend(instant(ngx_time()));
    if (!left_out) {
        return;
    }
    if (*left_out > 0) {
        report.text.append("; lines left out before this one: ");
        report.text += std::to_string(*left_out);
    }
    write_report(log, report);
}

} // namespace bff::module
