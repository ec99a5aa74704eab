// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What decodes encodes to the same octets; details that unpack mean the same
// after packing them again.

#include "core/session/session_codec.hpp"

#include "core/session/token_packing.hpp"
#include "property.hpp"

using namespace bff;
using namespace bff::session;

namespace {

bool are_equal(const Details &a, const Details &b)
{
    return a.id_token.reveal() == b.id_token.reveal() &&
           a.refresh_token.reveal() == b.refresh_token.reveal() &&
           a.token_type == b.token_type && a.scope == b.scope &&
           a.sub == b.sub && a.sid == b.sid &&
           a.session_state == b.session_state && a.claims == b.claims &&
           a.nonce == b.nonce && a.auth_time == b.auth_time && a.azp == b.azp;
}

void check_session(std::string_view bytes)
{
    auto session = decode(bytes);
    if (!session) {
        fuzz::must(session.error().code == Code::forged,
                   "what does not decode is forged");
        return;
    }

    fuzz::must(encode(*session) == bytes,
               "what decodes encodes to the same octets");
    fuzz::must(session->id.size() == 16, "an id has 16 octets");
    (void)session->left(instant(0)); // no time overflows
}

void check_details(std::string_view packed)
{
    auto details = unpack_details(Secret{packed});
    if (!details) {
        fuzz::must(details.error().code == Code::forged,
                   "what does not unpack is forged");
        return;
    }

    auto again = unpack_details(pack_details(*details));
    fuzz::must(again && are_equal(*again, *details),
               "details that unpack mean the same packed again");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto input = fuzz::view(data, size);

    check_session(input);
    check_details(input);
    // as the record itself, which deflate would hide from the fuzzer
    check_details(deflate(input));
    return 0;
}
