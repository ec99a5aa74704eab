// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Belongs to the worker: no request waits, and none can take it along when it
// ends. Only a session that was alive sends one, and it does so once.

#include "module/errands.hpp"

#include "module/report.hpp"

namespace bff::module {

void Errands::run(ngx::HttpClient &http, flow::Errand errand)
{
    auto at = calls_.emplace(calls_.end());

    *at = http.start(
        errand.request,
        [this, at, report = std::move(errand.report)](const auto &answer) {
            auto call = std::move(*at); // this function's caller
            calls_.erase(at);

            write_report(ngx_cycle->log, report(answer));
        },
        errand.within);
}

} // namespace bff::module
