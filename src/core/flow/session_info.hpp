// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The little JSON a page may ask for: who am I, until when.

#pragma once

#include "core/flow/story.hpp"

namespace bff::flow {

// GET session
class SessionEndpoint final : public Story {
public:
    Step begin(const Visit &visit) override;
    Step resume(const Visit &visit, const Answer &answer) override;
};

// GET user
class UserEndpoint final : public Story {
public:
    Step begin(const Visit &visit) override;
    Step resume(const Visit &visit, const Answer &answer) override;
};

// The per-session token that logout_url carries: it tells nothing about the
// session, and nobody who does not hold the session can make it.
std::string logout_token(const session::Session &session);

} // namespace bff::flow
