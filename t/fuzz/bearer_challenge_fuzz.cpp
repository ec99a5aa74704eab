// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// An error is read only where it is written, and another challenge behind it
// does not take it back.

#include "core/oidc/bearer_challenge.hpp"

#include <string>

#include "property.hpp"

using namespace bff;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    std::string input{fuzz::view(data, size)};

    if (oidc::is_invalid_token(input)) {
        fuzz::must(input.find("invalid_token") != input.npos,
                   "it is written there");
        fuzz::must(oidc::is_invalid_token(input + ", Basic realm=\"x\""),
                   "what follows does not take it back");
    }
    return 0;
}
