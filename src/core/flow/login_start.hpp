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

// What whoever wants a login may choose.
struct LoginWish {
    // The browser is redirected, or a page is told where to go.
    enum class Answer { redirect, url };

    web::ReturnPath return_path;
    std::vector<std::pair<std::string, std::string>> args = {}; // login_args
    Answer answer = Answer::redirect;
};

class LoginStart final : public Story {
public:
    explicit LoginStart(LoginWish wish) : wish_{std::move(wish)} {}

    Step begin(const Visit &visit) override;
    Step resume(const Visit &visit, const Answer &answer) override;

private:
    Step send_to_provider(const Visit &visit) const;
    Reply answer_with(const std::string &url) const;
    Reply not_started(const Visit &visit, const Error &error) const;
    Reply failed(Reply refusal) const;

    LoginWish wish_;
};

} // namespace bff::flow
