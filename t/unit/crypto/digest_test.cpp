// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The vectors of FIPS 180-4, RFC 4231 and RFC 5869.

#include "core/crypto/digest.hpp"

#include <openssl/err.h>

#include "core/base/text.hpp"
#include "unit.hpp"

namespace bff::crypto {
namespace {

using text::hex;

// The octets first, first + 1, ..., last.
std::string octets(int first, int last)
{
    std::string bytes;
    for (int octet = first; octet <= last; octet++) {
        bytes.push_back(static_cast<char>(octet));
    }

    return bytes;
}

TEST(sha2_of_abc_is_as_published) // FIPS 180-4
{
    ck_assert(hex(sha256("abc")) == "ba7816bf8f01cfea414140de5dae2223"
                                    "b00361a396177a9cb410ff61f20015ad");
    ck_assert(hex(sha384("abc")) ==
              "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded163"
              "1a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7");
    ck_assert(hex(sha512("abc")) ==
              "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea2"
              "0a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd"
              "454d4423643ce80e2a9ac94fa54ca49f");
}

TEST(sha256_of_nothing_is_as_published)
{
    constexpr std::string_view kEmpty = "e3b0c44298fc1c149afbf4c8996fb924"
                                        "27ae41e4649b934ca495991b7852b855";
    ck_assert(hex(sha256("")) == kEmpty);
    ck_assert(hex(sha256({})) == kEmpty);
}

TEST(a_digest_does_not_end_at_a_nul)
{
    ck_assert(sha256({"a\0b", 3}) != sha256({"a\0c", 3}));
    ck_assert(hmac_sha256("k", {"a\0b", 3}) != hmac_sha256("k", {"a\0c", 3}));
}

TEST(hmac_is_as_published) // RFC 4231
{
    ck_assert(hex(hmac_sha256(std::string(20, '\x0b'), "Hi There")) ==
              "b0344c61d8db38535ca8afceaf0bf12b"
              "881dc200c9833da726e9376c2e32cff7");
    ck_assert(hex(hmac_sha256("Jefe", "what do ya want for nothing?")) ==
              "5bdcc146bf60754e6a042426089575c7"
              "5a003f089d2739839dec58b964ec3843");
    ck_assert(hex(hmac_sha256(std::string(131, '\xaa'),
                              "Test Using Larger Than Block-Size Key - "
                              "Hash Key First")) ==
              "60e431591ee0b67f0d8a26aacbf5b77f"
              "8e0bc6213728c5140546040f0ee37f54");
}

TEST(hmac_takes_an_empty_key_and_empty_data)
{
    constexpr std::string_view kEmpty = "b613679a0814d9ec772f95d778c35fc5"
                                        "ff1697c493715653c6c712144292c5ad";
    ck_assert(hex(hmac_sha256("", "")) == kEmpty);
    ck_assert(hex(hmac_sha256({}, {})) == kEmpty);
}

TEST(hkdf_is_as_published) // RFC 5869, appendix A.1
{
    auto okm = hkdf_sha256(std::string(22, '\x0b'), octets(0x00, 0x0c),
                           octets(0xf0, 0xf9), 42);
    ck_assert(hex(okm.reveal()) ==
              "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c"
              "5db02d56ecc4c5bf34007208d5b887185865");
}

TEST(hkdf_with_long_inputs_is_as_published) // RFC 5869, appendix A.2
{
    auto okm = hkdf_sha256(octets(0x00, 0x4f), octets(0x60, 0xaf),
                           octets(0xb0, 0xff), 82);
    ck_assert(hex(okm.reveal()) ==
              "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8"
              "a050cc4c19afa97c59045a99cac7827271cb41c65e590e09"
              "da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87"
              "c14c01d5c1f3434f1d87");
}

TEST(hkdf_without_salt_and_info_is_as_published) // RFC 5869, appendix A.3
{
    auto okm = hkdf_sha256(std::string(22, '\x0b'), {}, {}, 42);
    ck_assert(hex(okm.reveal()) ==
              "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879e"
              "c3454e5f3c738d2d9d201395faa4b61a96c8");
}

TEST(hkdf_gives_as_much_as_asked)
{
    ck_assert(hkdf_sha256("key", "", "info", 0).empty());
    ck_assert(hkdf_sha256("", "", "", 1).size() == 1);
    ck_assert(hkdf_sha256("key", "", "info", 255 * 32).size() == 255 * 32);
}

TEST(hkdf_of_more_than_the_limit_is_no_key) // RFC 5869, 2.3
{
    ERR_raise(ERR_LIB_USER, 1); // as a failing call may
    bool thrown = false;
    try {
        hkdf_sha256("key", "", "info", 255 * 32 + 1);
    } catch (const std::bad_alloc &) {
        thrown = true;
    }

    ck_assert(thrown);
    ck_assert(ERR_peek_error() == 0); // NGINX's TLS would find it
}

} // namespace
} // namespace bff::crypto
