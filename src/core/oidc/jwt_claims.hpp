// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What is read alike in every JWT, whatever it is for (RFC 7519).

#pragma once

#include <optional>
#include <string_view>

#include "core/base/instant.hpp"
#include "core/base/json.hpp"
#include "core/oidc/jws.hpp"

namespace bff::oidc {

// A NumericDate (RFC 7519, 2). IDT-17: nothing else than a number will do,
// and one beyond the year 9999 is somebody's milliseconds.
std::optional<Instant> date_at(const json_t *claims, std::string_view name);

// IDT-2: a "something+jwt" was made for something else (RFC 8725, 3.11).
bool is_of_another_kind(const Jws &jws);

} // namespace bff::oidc
