// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What decodes encodes to the same text, and what was encoded decodes to the
// same bytes.

#include "core/base/base64url.hpp"

#include "property.hpp"

using namespace bff;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto input = fuzz::view(data, size);

    auto decoded = base64url::decode(input);
    if (decoded) {
        fuzz::must(base64url::encode(*decoded) == input,
                   "what decodes encodes to the same text");
        fuzz::must(base64url::encoded_size(decoded->size()) == size,
                   "the size of what decodes is foretold");
    }

    auto encoded = base64url::encode(input);
    fuzz::must(base64url::decode(encoded) == input,
               "what was encoded decodes to the same bytes");
    fuzz::must(base64url::encode_standard(input).size() == (size + 2) / 3 * 4,
               "padded base64 comes in groups of four");

    return 0;
}
