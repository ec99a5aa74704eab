// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Claims as text: for NGINX variables.

#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace bff::session {

// The claim of that name, or, when there is none, the one that the dotted
// path leads to. Names of variables in NGINX have neither capitals nor dots:
// case is ignored where no claim has the exact name, and "__" may stand for a
// dot. Strings as they are, numbers and booleans printed, arrays
// joined by commas, objects as JSON; control characters become '?', since
// the text may end up in a header. nullopt: absent or null.
std::optional<std::string> claim_text(std::string_view claims_json,
                                      std::string_view path);

} // namespace bff::session
