// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What an answer says of who may keep it (RFC 9111, 5.2.2).

#pragma once

#include <string>
#include <string_view>

namespace bff::web {

// The same without what lets a shared cache keep the answer: public, s-maxage
// and proxy-revalidate, nor private, which may be about single fields. All
// else stays as it is; empty when nothing is left.
std::string without_sharing(std::string_view cache_control);

} // namespace bff::web
