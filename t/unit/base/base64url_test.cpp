// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The published vectors, and that no two texts decode to the same octets.

#include "core/base/base64url.hpp"

#include "support/tape_entropy.hpp"
#include "unit.hpp"

namespace bff::base64url {
namespace {

struct Vector {
    std::string_view bytes;
    std::string_view text;   // base64url without padding
    std::string_view padded; // plain base64
};

constexpr Vector kVectors[] = {
    // RFC 4648, 10
    {"", "", ""},
    {"f", "Zg", "Zg=="},
    {"fo", "Zm8", "Zm8="},
    {"foo", "Zm9v", "Zm9v"},
    {"foob", "Zm9vYg", "Zm9vYg=="},
    {"fooba", "Zm9vYmE", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
    // RFC 7515, appendix C
    {"\x03\xec\xff\xe0\xc1", "A-z_4ME", "A+z/4ME="},
    // RFC 7515, appendix A.1.1
    {"{\"typ\":\"JWT\",\r\n \"alg\":\"HS256\"}",
     "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9",
     "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9"},
};

// Whatever decodes must be the one text for its octets.
bool is_canonical_or_refused(std::string_view text)
{
    auto bytes = decode(text);
    return !bytes || encode(*bytes) == text;
}

TEST(published_vectors_encode_and_decode)
{
    for (const auto &vector : kVectors) {
        ck_assert(encode(vector.bytes) == vector.text);
        ck_assert(decode(vector.text) == std::string{vector.bytes});
        ck_assert(encode_standard(vector.bytes) == vector.padded);
    }
}

TEST(every_length_comes_back_the_same)
{
    unit::TapeEntropy entropy;
    for (size_t octets = 0; octets < 200; octets++) {
        auto bytes = *entropy.bytes(octets);
        auto text = encode(bytes);

        ck_assert(text.size() == encoded_size(octets));
        ck_assert(decode(text) == bytes);
    }
}

TEST(every_octet_comes_back_in_every_place)
{
    for (int octet = 0; octet < 256; octet++) {
        for (size_t place = 0; place < 5; place++) {
            std::string bytes(5, '\x55');
            bytes[place] = static_cast<char>(octet);
            ck_assert(decode(encode(bytes)) == bytes);
        }
    }
}

TEST(padding_is_refused) // KEY-9
{
    ck_assert(!decode("Zg=="));
    ck_assert(!decode("Zm8="));
    ck_assert(!decode("Zg="));
    ck_assert(!decode("="));
    ck_assert(!decode("===="));
}

TEST(a_lone_last_character_is_refused) // KEY-9
{
    ck_assert(!decode("A"));
    ck_assert(!decode("Zm9vY"));
    ck_assert(!decode(std::string_view{"AAAA"}.substr(0, 1)));
}

TEST(only_the_64_characters_are_read_in_any_place) // KEY-9
{
    constexpr std::string_view kAlphabet =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    for (int c = 0; c < 256; c++) {
        bool good = kAlphabet.find(static_cast<char>(c)) != kAlphabet.npos;
        for (size_t place = 0; place < 8; place++) {
            std::string text(8, 'A');
            text[place] = static_cast<char>(c);
            ck_assert(decode(text).has_value() == good);
        }
        for (size_t size : {2, 3}) { // in front of the unused bits
            std::string text(size, 'A');
            text[size - 2] = static_cast<char>(c);
            ck_assert(decode(text).has_value() == good);
        }
    }
}

TEST(unused_bits_that_are_not_zero_are_refused) // KEY-9
{
    ck_assert(decode("AA") && !decode("AB") && !decode("AP"));
    ck_assert(decode("AQ") && !decode("Zh") && !decode("Zv"));
    ck_assert(decode("AAA") && !decode("AAB") && !decode("AAD"));
    ck_assert(decode("AAE") && !decode("Zm9"));
}

TEST(no_two_short_texts_mean_the_same) // KEY-9
{
    for (int a = 0; a < 256; a++) {
        for (int b = 0; b < 256; b++) {
            std::string text{static_cast<char>(a), static_cast<char>(b)};
            ck_assert(is_canonical_or_refused(text));
            ck_assert(is_canonical_or_refused("A" + text));
            ck_assert(is_canonical_or_refused("Zm9v" + text));
        }
    }
}

TEST(white_space_and_nul_are_refused)
{
    ck_assert(!decode("Zm9v\n"));
    ck_assert(!decode(" Zm9"));
    ck_assert(!decode("Zm 9v"));
    ck_assert(!decode({"Zm9v\0", 5}));
    ck_assert(!decode({"Zm\0v", 4}));
}

// Octet by octet, as the RFC tells it.
std::string encoded_slowly(std::string_view bytes)
{
    std::string text;
    for (size_t bit = 0; bit < bytes.size() * 8; bit += 6) {
        unsigned sextet = 0;
        for (size_t i = bit; i < bit + 6; i++) {
            unsigned octet = i / 8 < bytes.size()
                                 ? static_cast<unsigned char>(bytes[i / 8])
                                 : 0;
            sextet = sextet << 1 | (octet >> (7 - i % 8) & 1);
        }
        text += "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                "0123456789-_"[sextet];
    }
    return text;
}

TEST(every_length_is_the_same_as_told_octet_by_octet)
{
    std::string bytes;
    unsigned char octet = 7;

    for (int length = 0; length < 300; length++) {
        auto text = base64url::encode(bytes);
        ck_assert(text == encoded_slowly(bytes));
        ck_assert(base64url::decode(text) == bytes);
        octet = static_cast<unsigned char>(octet * 37 + 11);
        bytes += static_cast<char>(octet);
    }
}

TEST(every_octet_counts_at_every_place)
{
    constexpr std::string_view alphabet =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    for (size_t place = 0; place < 68; place++) {
        for (int octet = 0; octet < 256; octet++) {
            std::string text(68, 'A');
            text[place] = static_cast<char>(octet);
            auto decoded = base64url::decode(text);
            bool is_in = alphabet.find(text[place]) != alphabet.npos;
            ck_assert(decoded.has_value() == is_in);
            ck_assert(!is_in || base64url::encode(*decoded) == text);
        }
    }
}

} // namespace
} // namespace bff::base64url
