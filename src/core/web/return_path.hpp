// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Where the browser may be sent after login and logout.
//
// The value comes from outside, so it is never trusted: it must be a plain
// absolute path on this site, or a URL of this origin or a trusted one.
// Anything a browser could read as another host is refused.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"

namespace bff::web {

constexpr size_t kReturnPathOctets = 2048;

class ReturnPath {
public:
    // A path that starts with one '/', at most 2048 octets, without
    // backslash or control character, or a second
    // slash or backslash after the first, also after percent-decoding (once
    // and again, until nothing is left to decode), nor dot segments before
    // an empty one, since "/.//host" collapses to "//host"; or an
    // absolute URL of `own_origin` or one of `trusted`. Query and fragment
    // are data: only what stands in them raw is checked. A space and what is
    // not ASCII is percent-encoded, as browsers do. Errors: refused.
    static Result<ReturnPath> parse(std::string_view text,
                                    std::string_view own_origin,
                                    const std::vector<std::string> &trusted);

    // What a protected page was asked for (the raw request target), or "/".
    static ReturnPath remembered(std::string_view target);

    // The same for a page that leads to itself: as long as it came.
    static ReturnPath once_more(std::string_view target);

    static ReturnPath home() { return ReturnPath{"/"}; }

    const std::string &text() const noexcept { return text_; }

private:
    explicit ReturnPath(std::string_view text) : text_{text} {}

    std::string text_;
};

} // namespace bff::web
