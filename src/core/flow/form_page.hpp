// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// A page that posts a form by itself, for what is too long for a URL (RIL-3).

#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/web/http_message.hpp"

namespace bff::flow {

// For navigations only: the page holds what a script of this site must not
// see, and is sandboxed, so that none can look into it.
web::HttpResponse
form_page(std::string_view action,
          const std::vector<std::pair<std::string, std::string>> &fields);

} // namespace bff::flow
