// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Takes a session's refresh token back at the provider, when the browser has
// its answer already (REV-*).

#pragma once

#include <optional>

#include "core/flow/story.hpp"

namespace bff::flow {

// Nothing when there is nothing to take back, or the provider cannot, or
// "revoke" is off. Errors: as of authenticate().
Result<std::optional<Errand>> revocation(const Visit &visit,
                                         const session::Session &session);

} // namespace bff::flow
