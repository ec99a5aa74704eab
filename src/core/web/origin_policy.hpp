// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// May this page make this request? The CSRF rule (BFF-10, 11, 13).
//
// SameSite alone does not stop sibling subdomains, so every request that
// carries a session must show that it comes from our own pages or from
// trusted ones. What browsers tell (Origin, Sec-Fetch-Site) is believed,
// since script cannot forge it; what says "foreign" refuses whatever else
// is there.

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/web/request_view.hpp"

namespace bff::web {

struct OriginPolicy {
    enum class Mode { automatic, strict, off };

    Mode mode = Mode::automatic;
    std::string csrf_header_name = "X-CSRF";
    std::string csrf_header_key = "x-csrf"; // the same in lower case
    std::string csrf_header_value = "1";
    std::vector<std::string> trusted; // normalised origins

    // `own_origin` as Url::origin() writes it. Errors: refused, with why.
    Result<Done> allows(const RequestView &request,
                        std::string_view own_origin) const;

    bool trusts(std::string_view origin) const noexcept;

    // An empty csrf_header_value is nobody's.
    bool has_csrf_header(const RequestView &request) const;
};

// auto, strict, off
std::optional<OriginPolicy::Mode> csrf_mode(std::string_view name);

} // namespace bff::web
