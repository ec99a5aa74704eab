// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What was packed or deflated comes back; what unpacks was packed; what
// inflates is never more than allowed.

#include "core/session/token_packing.hpp"

#include "property.hpp"

using namespace bff;
using namespace bff::session;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto input = fuzz::view(data, size);

    auto packed = pack_token(input);
    auto token = unpack_token(packed);
    fuzz::must(token && *token == input, "what was packed comes back");
    fuzz::must(packed.size() <= size + 5, "packing makes nothing large");

    auto unpacked = unpack_token(input);
    fuzz::must(!unpacked || pack_token(*unpacked) == input,
               "what unpacks was packed");

    auto deflated = deflate(input);
    auto plain = inflate(deflated, size);
    fuzz::must(plain && *plain == input, "what was deflated comes back");
    fuzz::must(deflated.size() <= size + 1, "deflate makes nothing larger");
    fuzz::must(size == 0 || !inflate(deflated, size - 1),
               "one octet more than allowed is refused");

    constexpr size_t limit = 4096;
    auto inflated = inflate(input, limit);
    fuzz::must(!inflated || inflated->size() <= limit,
               "what inflates is not more than allowed");

    return 0;
}
