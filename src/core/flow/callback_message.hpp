// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// How the provider's answer reached the callback: in the query of a
// navigation, in a form that the provider's page had the browser send
// (form_post), or told by a page that took the callback itself.

#pragma once

#include <string>

#include "core/base/result.hpp"
#include "core/flow/story.hpp"

namespace bff::flow {

struct CallbackMessage {
    enum class By { query, form, page };

    By by = By::query;
    // Of a page's URL that is the callback's; a page may ask about any.
    bool is_callback = true;
    std::string parameters; // form-encoded, not looked into

    // Errors: refused (a body of another type, or not what its type says).
    static Result<CallbackMessage> read(const Visit &visit);

    // CB-6: the way that was asked for when the login began.
    bool fits(oidc::ResponseMode asked) const;
};

} // namespace bff::flow
