// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Begins a login: an attempt, its sealed cookie, the way to the provider.
//
// Used by protected pages and by the login endpoint.

#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/flow/story.hpp"
#include "core/web/return_path.hpp"

namespace bff::flow {

class LoginStart final : public Story {
public:
    using Args = std::vector<std::pair<std::string, std::string>>;

    explicit LoginStart(web::ReturnPath return_path, Args login_args = {});

    Step begin(const Visit &visit) override;
    Step resume(const Visit &visit, const Answer &answer) override;

private:
    Step redirect_to_provider(const Visit &visit) const;

    web::ReturnPath return_path_;
    Args login_args_;
};

// GET login?returnUrl=...&prompt=...: reads the query, then as above.
class LoginEndpoint final : public Story {
public:
    Step begin(const Visit &visit) override;
    Step resume(const Visit &visit, const Answer &answer) override;

private:
    std::unique_ptr<LoginStart> start_;
};

} // namespace bff::flow
