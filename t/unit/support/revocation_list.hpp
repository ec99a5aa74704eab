// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Revocations as a plain list, for tests.

#pragma once

#include <algorithm>
#include <vector>

#include "core/session/revocations.hpp"

namespace bff::unit {

class RevocationList final : public session::Revocations {
public:
    void add(const session::Revocation &revocation) override
    {
        proven.push_back(revocation);
    }

    void add_unproven(const session::Revocation &revocation) override
    {
        unproven.push_back(revocation);
    }

    uint64_t epoch() const noexcept override
    {
        return proven.size() + unproven.size();
    }

    bool is_empty() override { return proven.empty() && unproven.empty(); }

    bool ends(const session::RevokedName &name, Moment created) override
    {
        auto matches = [&](const session::Revocation &one) {
            return one.name == name && created <= one.not_before;
        };
        return std::ranges::any_of(proven, matches) ||
               std::ranges::any_of(unproven, matches);
    }

    std::vector<session::Revocation> proven, unproven;
};

} // namespace bff::unit
