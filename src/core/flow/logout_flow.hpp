// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Ends the session here and at the provider (RIL-*).

#pragma once

#include <string>

#include "core/flow/story.hpp"

namespace bff::flow {

class LogoutFlow final : public Story {
public:
    Step begin(const Visit &visit) override;
    Step resume(const Visit &visit, const Answer &answer) override;

private:
    Reply end_session(const Visit &visit) const;
    web::HttpResponse goodbye(const Visit &visit) const;

    std::string landing_; // an absolute URL, checked
};

} // namespace bff::flow
