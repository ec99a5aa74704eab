// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// login: where a page sends the browser, or asks where to send it.

#pragma once

#include <memory>

#include "core/flow/login_start.hpp"

namespace bff::flow {

// GET ?returnUrl=...&prompt=...: a redirect to the provider.
// POST {"returnUrl": ..., "params": {...}}, or nothing: its address as JSON.
class LoginEndpoint final : public Story {
public:
    Step begin(const Visit &visit) override;
    Step resume(const Visit &visit, const Answer &answer) override;

private:
    std::unique_ptr<LoginStart> start_;
};

} // namespace bff::flow
