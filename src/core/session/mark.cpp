// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What a session is known by when its provider ends it.

#include "core/session/mark.hpp"

#include "core/crypto/digest.hpp"

namespace bff::session {

std::string mark(std::string_view issuer, std::string_view name,
                 std::string_view value)
{
    if (value.empty()) {
        return std::string(kMarkOctets, '\0');
    }

    std::string text{issuer};
    for (auto part : {name, value}) {
        text.append("\n").append(part);
    }

    return crypto::sha256(text).substr(0, kMarkOctets);
}

} // namespace bff::session
