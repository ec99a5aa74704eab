// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What opens was written by write_session: writing the opened session again,
// with the nonce that stands in the cookies, gives the same characters.
//
// An input that begins with a zero octet is a recipe: chunks of real sessions
// mixed, cut and changed, so that the fuzzer starts where an attacker would.

#include "core/session/session_cookie.hpp"

#include <algorithm>

#include "core/session/session_handle.hpp"
#include "property.hpp"
#include "session/sample_session.hpp"
#include "support/tape_entropy.hpp"

using namespace bff;
using namespace bff::session;

namespace {

constexpr size_t kHeaderOctets = 8192; // what NGINX lets through

const CookieStyle &style()
{
    static const auto corp = unit::cookie_style();
    return corp;
}

const crypto::Keyring &keys()
{
    static const auto ring = unit::keyring();
    return ring;
}

Session stored_session()
{
    auto session = unit::sample_session();
    session.handle = Secret{std::string(kHandleOctets, 'h')};
    return session;
}

// Sessions of one, two and three cookies, the last one once more, and one
// that a store keeps.
const std::vector<std::string> &real_values()
{
    static const auto values = [] {
        std::vector<std::string> all{"", "1", "3"};
        uint64_t seed = 0;
        for (size_t octets : {20, 3000, 6000, 6000}) {
            unit::TapeEntropy entropy{seed++};
            auto cookies = *write_session(unit::sample_session(octets), style(),
                                          keys(), entropy, "");
            for (auto &cookie : cookies) {
                all.push_back(std::move(cookie.value));
            }
        }
        unit::TapeEntropy entropy{seed};
        auto handle =
            *write_handle(stored_session(), style(), keys(), entropy, "");
        all.push_back(handle[0].value);
        return all;
    }();
    return values;
}

// Four octets for each cookie: its name, its value, and a change to it.
std::string cooked(std::string_view recipe)
{
    const std::string names[] = {style().name, style().name + ".1",
                                 style().name + ".2", "__HOST-HTTP-bff-corp"};
    std::string header;

    for (; recipe.size() >= 4 && header.size() < kHeaderOctets;
         recipe.remove_prefix(4)) {
        auto octet = [&](size_t i) { return static_cast<uint8_t>(recipe[i]); };
        auto value = real_values()[octet(1) % real_values().size()];
        auto place = std::min<size_t>(value.size(), octet(2) * 16);
        if (octet(3) < 128 && place < value.size()) {
            value[place] = static_cast<char>(octet(3));
        } else if (octet(3) > 250) {
            value.resize(place);
        }
        header += names[octet(0) % std::size(names)] + '=' + value + "; ";
    }

    return header;
}

// The characters of the first `count` chunks, in order.
std::string characters(std::string_view header, size_t count)
{
    std::string text;
    for (size_t i = 0; i < count; i++) {
        auto name =
            i == 0 ? style().name : style().name + '.' + std::to_string(i);
        auto found = web::find_cookie(header, name);
        fuzz::must(found.times == 1, "a chunk that counts comes once");
        text += found.value;
    }
    return text;
}

void check_that_it_was_written(std::string_view header, const Session &session)
{
    auto first = web::find_cookie(header, style().name).value;
    bool is_handle = first.starts_with('0');
    auto count = is_handle ? 1 : static_cast<size_t>(first.front() - '0');
    auto text = characters(header, count);
    auto envelope = base64url::decode(text.substr(1));
    fuzz::must(envelope.has_value(), "what opens is base64url");

    unit::TapeEntropy entropy{
        std::string_view{*envelope}.substr(1 + crypto::kKeyIdOctets, 24)};
    fuzz::must(is_handle == !session.handle.empty(), "a handle says so");
    auto cookies = is_handle
                       ? write_handle(session, style(), keys(), entropy, "")
                       : write_session(session, style(), keys(), entropy, "");
    fuzz::must(cookies && (is_handle || cookies->size() == count),
               "it has as many chunks");
    fuzz::must(characters(unit::cookie_header(*cookies), count) == text,
               "what opens was written by write_session");
}

void check_deletions(std::string_view header)
{
    static const auto small = unit::sample_session(20);
    unit::TapeEntropy entropy;
    auto cookies = *write_session(small, style(), keys(), entropy, header);
    for (const auto &cookie : cookies) {
        fuzz::must(is_chunk_name(cookie.name, style()), "the name is ours");
        fuzz::must(!cookie.max_age ||
                       web::find_cookie(header, cookie.name).times > 0,
                   "what is deleted was sent");
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto input = fuzz::view(data, size);
    bool is_recipe = input.starts_with('\0');
    auto header = is_recipe ? cooked(input.substr(1)) : std::string{input};

    auto session = read_session(header, style(), keys(), unit::kNow);
    if (session) {
        check_that_it_was_written(header, *session);
    } else {
        bool is_silent = session.error().code == Code::expired;
        fuzz::must(is_silent || session.error().code == Code::forged,
                   "what does not open is expired or forged");
    }

    check_deletions(header);
    return 0;
}
