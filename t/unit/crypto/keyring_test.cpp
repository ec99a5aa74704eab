// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// That keys come in as 32 octets or not at all, and that what is derived
// from them never changes: a release that derives otherwise logs all out.

#include "core/crypto/keyring.hpp"

#include <set>

#include "core/base/text.hpp"
#include "unit.hpp"

namespace bff::crypto {
namespace {

const std::string kHexA(64, 'a');
const std::string kHexB(64, 'b');

Secret key_of(char octet)
{
    return Secret{std::string(kKeyOctets, octet)};
}

std::string counting_key()
{
    std::string key;
    for (size_t i = 0; i < kKeyOctets; i++) {
        key.push_back(static_cast<char>(i));
    }

    return key;
}

bool is_misconfigured(const std::vector<Secret> &keys)
{
    auto ring = Keyring::make(keys);
    return !ring && ring.error().code == Code::misconfigured;
}

// HKDF with Python's hmac gives the same.
TEST(derived_keys_never_change) // CK-28
{
    auto ring = Keyring::make({Secret{counting_key()}});
    ck_assert(bool(ring));
    const auto &key = ring->current();
    auto derived = [&](Purpose purpose) {
        return text::hex(key.for_purpose(purpose).reveal());
    };

    ck_assert(text::hex(key.id) == "0c93b8b4");
    ck_assert(derived(Purpose::session) == "f21ef0d358856f347606166e929b4665"
                                           "f30fca1b70dc4adf58050c509c3fc6b8");
    ck_assert(derived(Purpose::login) == "b776c5e2b5c90133bf0a2a265f8b98cf"
                                         "ff523e1d171a4bce777835f445cc5d57");
    ck_assert(derived(Purpose::handle) == "6f79a179c67744edcd98a22c165698e1"
                                          "28b91931c8b68105580296afbad36ada");
}

TEST(every_purpose_of_every_key_has_a_key_of_its_own)
{
    auto ring = Keyring::make({key_of('a'), key_of('b')});
    ck_assert(bool(ring));
    std::set<std::string_view> seen;

    for (const auto &configured : {key_of('a'), key_of('b')}) {
        auto alone = Keyring::make({configured});
        const auto *key = ring->find(alone->current().id);
        ck_assert(key != nullptr);
        for (const auto &derived : key->by_purpose) {
            ck_assert(derived.size() == kKeyOctets);
            ck_assert(derived.reveal() != configured.reveal());
            ck_assert(seen.insert(derived.reveal()).second);
        }
    }
}

TEST(the_first_key_is_the_current_one) // CK-26
{
    auto ring = Keyring::make({key_of('n'), key_of('o')});
    auto alone = Keyring::make({key_of('n')});

    ck_assert(ring && alone);
    ck_assert(ring->current().id == alone->current().id);
    ck_assert(ring->current().id.size() == kKeyIdOctets);
}

TEST(a_key_is_found_by_its_id_only) // CK-26
{
    auto ring = Keyring::make({key_of('n'), key_of('o')});
    auto other = Keyring::make({key_of('x')});
    ck_assert(ring && other);
    const auto &id = ring->current().id;

    ck_assert(ring->find(id) == &ring->current());
    ck_assert(ring->find(other->current().id) == nullptr);
    ck_assert(ring->find("") == nullptr);
    ck_assert(ring->find(id.substr(0, 3)) == nullptr);
    ck_assert(ring->find(id + "x") == nullptr);
}

TEST(a_ring_of_no_keys_or_odd_keys_is_refused)
{
    ck_assert(is_misconfigured({}));
    ck_assert(is_misconfigured({Secret{}}));
    ck_assert(is_misconfigured({Secret{std::string(31, 'k')}}));
    ck_assert(is_misconfigured({Secret{std::string(33, 'k')}}));
    ck_assert(is_misconfigured({key_of('a'), Secret{std::string(5, 'b')}}));
}

TEST(the_same_key_twice_is_refused)
{
    ck_assert(is_misconfigured({key_of('a'), key_of('a')}));
    ck_assert(is_misconfigured({key_of('a'), key_of('b'), key_of('a')}));
}

TEST(a_key_is_64_hex_digits_of_any_case)
{
    auto key = parse_key("00FFff" + std::string(58, '1'));

    ck_assert(bool(key));
    ck_assert(key->size() == kKeyOctets);
    ck_assert(key->reveal().substr(0, 4) ==
              std::string_view("\0\xff\xff\x11", 4));
}

TEST(a_key_of_another_form_is_refused_without_its_text)
{
    for (const auto &text :
         {std::string{}, std::string(63, 'a'), std::string(65, 'a'),
          std::string(63, 'a') + "g", " " + std::string(63, 'a'),
          std::string(32, 'a'), "0x" + std::string(62, 'a')}) {
        auto key = parse_key(text);
        ck_assert(!key);
        ck_assert(key.error().code == Code::misconfigured);
        ck_assert(key.error().detail.find("aaaa") == std::string::npos);
    }
}

TEST(a_key_file_has_one_key_a_line)
{
    auto keys = parse_key_file("# made by openssl rand -hex 32\n" + kHexA +
                               "\n\n   \n  " + kHexB + " \t\r\n#" + kHexA);

    ck_assert(keys && keys->size() == 2);
    ck_assert(keys->front().reveal() == std::string(32, '\xaa'));
    ck_assert(keys->back().reveal() == std::string(32, '\xbb'));
}

TEST(a_last_line_needs_no_end)
{
    ck_assert(parse_key_file(kHexA)->size() == 1);
    ck_assert(parse_key_file(kHexA + "\n")->size() == 1);
    ck_assert(parse_key_file(kHexA + "\n" + kHexB)->size() == 2);
}

TEST(a_key_file_without_a_key_makes_no_ring)
{
    for (auto text : {"", "\n\n", "# nothing\n"}) {
        auto keys = parse_key_file(text);
        ck_assert(keys && keys->empty());
        ck_assert(is_misconfigured(*keys));
    }
}

TEST(a_bad_line_is_named_by_its_number_only)
{
    auto keys = parse_key_file("# first\n" + kHexA + "\n" +
                               std::string(63, 'c') + "z\n");

    ck_assert(!keys);
    ck_assert(keys.error().code == Code::misconfigured);
    ck_assert(keys.error().detail == "a key is not hexadecimal, line 3");
}

TEST(two_keys_on_one_line_are_refused)
{
    ck_assert(!parse_key_file(kHexA + " " + kHexB));
    ck_assert(!parse_key_file(kHexA + " # current"));
}

} // namespace
} // namespace bff::crypto
