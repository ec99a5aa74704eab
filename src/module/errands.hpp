// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What this worker still tells the provider when the browser has its answer.

#pragma once

#include <list>

#include "core/flow/step.hpp"
#include "ngx/http_client.hpp"

namespace bff::module {

class Errands {
public:
    // Not before the request that it belongs to has been answered.
    void run(ngx::HttpClient &http, flow::Errand errand);

    // This worker ends: what is under way is given up.
    void stop() { calls_.clear(); }

private:
    std::list<std::unique_ptr<ngx::HttpCall>> calls_; // under way
};

} // namespace bff::module
