// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Revocations in shared memory: two rings, in which the newest entry takes
// the place of the oldest.
//
// Each worker keeps a copy that is found by name, and reads only what has
// come since it last looked: while nothing was revoked, a request costs one
// read of a number. Nobody who looks takes a lock.

#pragma once

#include <unordered_map>

#include "core/session/revocations.hpp"
#include "store/shared.hpp"

namespace bff::store {

class Revocations final : public session::Revocations {
public:
    explicit Revocations(const SharedZone &zone) : zone_{zone} {}

    void add(const session::Revocation &revocation) override;
    void add_unproven(const session::Revocation &revocation) override;
    uint64_t epoch() const noexcept override;
    bool is_empty() override;
    bool ends(const session::RevokedName &name, Moment created) override;

private:
    struct Hash {
        size_t operator()(const session::RevokedName &name) const noexcept;
    };
    struct Times {
        int64_t not_before; // milliseconds since 1970
        int64_t until;      // seconds
    };

    // What this worker has read of one ring.
    struct Copy {
        RevocationRing *Shared::*ring;
        uint64_t seen = 0;
        std::unordered_map<session::RevokedName, Times, Hash> entries = {};
    };

    void add(Copy &copy, const session::Revocation &revocation);
    void take_over(Copy &copy);
    void read(Copy &copy, const RevocationRing &ring, uint64_t from,
              uint64_t to);
    bool has(const Copy &copy, const session::RevokedName &name,
             Moment created) const;

    const SharedZone &zone_;
    Copy proven_{&Shared::revocations};
    Copy unproven_{&Shared::unproven_revocations};
    int64_t next_complaint_ = 0; // no word about a full ring before
};

} // namespace bff::store
