// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What an operator may write about origins: which ones to trust, and which
// header proves that a request is a page's own.

#pragma once

#include <string>
#include <string_view>

#include "core/base/result.hpp"

namespace bff::web {

// scheme://host[:port] and nothing else, https unless the host is a loopback
// one; as browsers write it, so that origins compare octet by octet. Errors:
// misconfigured, with the remedy.
Result<std::string> trusted_origin(std::string_view text);

// A header that no page of another site can send without being asked first.
// Errors: misconfigured, with the remedy.
Result<Done> check_csrf_header(std::string_view name, std::string_view value);

} // namespace bff::web
