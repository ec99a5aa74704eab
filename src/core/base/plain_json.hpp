// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Plain JSON, quickly: the kind that providers send.
//
// Jansson reads octet by octet, which for the tokens of one login cost more
// than to verify their signature. This takes all that is well-formed, but for
// numbers out of range. It refuses nothing: whatever is anything else is
// Jansson's to read, and Jansson's to judge.

#pragma once

#include <string_view>

#include "core/base/json.hpp"

namespace bff::json {

// Null: not of that kind, or perhaps no JSON at all. Goes as deep as the text
// does, so its depth is to be known before.
Value plain(std::string_view text);

} // namespace bff::json
