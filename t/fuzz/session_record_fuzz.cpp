// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What a store gives back for a handle is the session that was put there, or
// forged: also when its octets were changed, when they are another session's,
// or when they open and hold anything at all.
//
// Input: a record, a handle, or what a record holds.

#include "core/crypto/seal.hpp"
#include "core/session/session_codec.hpp"
#include "core/session/session_handle.hpp"
#include "property.hpp"
#include "session/sample_session.hpp"
#include "support/tape_entropy.hpp"

namespace {

using namespace bff;
using namespace bff::session;
using fuzz::must;

const CookieStyle &style()
{
    static const auto corp = unit::cookie_style();
    return corp;
}

const Session &stored()
{
    static const auto session = [] {
        auto sample = unit::sample_session(20);
        sample.handle = Secret{std::string(kHandleOctets, 'h')};
        return sample;
    }();
    return session;
}

void must_be_forged(std::string_view record, const Session &handle,
                    const CookieStyle &name)
{
    auto session = open_record(record, handle, name);
    must(!session && session.error().code == Code::forged, "forged");
}

void check_record(std::string_view record)
{
    auto session = open_record(record, stored(), style());
    if (!session) {
        must(session.error().code == Code::forged, "nothing else");
        return;
    }

    must(session->id == stored().id, "the session that was asked for");
    must(session->handle.reveal() == stored().handle.reveal(), "its handle");
}

// As if our own key had sealed it.
void check_content(std::string_view plain)
{
    unit::TapeEntropy entropy;
    std::string key{stored().handle.reveal()};
    key += stored().id;
    auto record = *crypto::seal_with(
        Secret{std::move(key)}, plain,
        {crypto::Purpose::session, style().name, style().provider}, entropy);
    auto session = open_record(record, stored(), style());
    must(!session || (session->id == stored().id && encode(*session) == plain),
         "what opens means what was sealed");
}

void check_change(std::string_view recipe)
{
    if (recipe.size() < 3) {
        return;
    }

    unit::TapeEntropy entropy;
    auto record = *seal_record(stored(), style(), entropy);
    auto octet = [&](size_t i) { return static_cast<uint8_t>(recipe[i]); };
    auto place = (octet(0) << 8 | octet(1)) % record.size();
    auto changed = record;
    changed[place] = static_cast<char>(changed[place] ^ (octet(2) | 1));
    must_be_forged(changed, stored(), style());
    must_be_forged(record.substr(0, place), stored(), style());

    auto other = stored();
    other.handle = Secret{std::string(kHandleOctets, 'x')};
    must_be_forged(record, other, style());
    other = stored();
    other.id[place % other.id.size()] ^= 1;
    must_be_forged(record, other, style());
    auto elsewhere = style();
    elsewhere.name += 'x';
    must_be_forged(record, stored(), elsewhere);
}

void check_handle(std::string_view bytes)
{
    auto handle = decode_handle(bytes);
    if (!handle) {
        must(handle.error().code == Code::forged, "nothing else");
        return;
    }

    must(encode_handle(*handle) == bytes, "what decodes encodes the same");
    must(handle->access_token.empty() && handle->packed_details.empty(),
         "no token stands in it");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto input = fuzz::view(data, size);

    check_record(input);
    check_content(input);
    check_change(input);
    check_handle(input);
    return 0;
}
