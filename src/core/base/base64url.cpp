// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Strict base64url, both ways, and the plain base64 of HTTP Basic (one way).
//
// Every API request decodes its cookie here, so four characters become three
// octets by four look-ups and no branch: each table holds the value of a
// character already shifted to its place, and a bit above the 24 tells that
// it is none. Bad characters are noticed once, at the end.

#include "core/base/base64url.hpp"

#include <array>
#include <cstdint>

namespace bff::base64url {
namespace {

constexpr std::string_view kUrlAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::string_view kStandardAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

using Table = std::array<uint32_t, 256>;

constexpr uint32_t kBad = 1U << 24;

constexpr Table table_shifted_by(int bits)
{
    Table table{};
    table.fill(kBad);
    for (uint32_t i = 0; i < kUrlAlphabet.size(); i++) {
        table[static_cast<unsigned char>(kUrlAlphabet[i])] = i << bits;
    }

    return table;
}

constexpr Table kFirst = table_shifted_by(18);
constexpr Table kSecond = table_shifted_by(12);
constexpr Table kThird = table_shifted_by(6);
constexpr Table kFourth = table_shifted_by(0);

std::string encode_with(std::string_view alphabet, std::string_view bytes);
uint32_t decode_groups(const unsigned char *in, size_t groups, char *out);
uint32_t decode_rest(const unsigned char *in, size_t characters, char *out);

} // namespace

std::string encode(std::string_view bytes)
{
    return encode_with(kUrlAlphabet, bytes);
}

std::optional<std::string> decode(std::string_view text)
{
    size_t groups = text.size() / 4;
    size_t rest = text.size() % 4;
    if (rest == 1) {
        return std::nullopt; // six bits are no octet
    }

    std::string bytes(groups * 3 + (rest == 0 ? 0 : rest - 1), '\0');
    const auto *in = reinterpret_cast<const unsigned char *>(text.data());
    uint32_t bad =
        decode_groups(in, groups, bytes.data()) |
        decode_rest(in + groups * 4, rest, bytes.data() + groups * 3);
    if (bad != 0) {
        return std::nullopt;
    }

    return bytes;
}

std::string encode_standard(std::string_view bytes)
{
    auto text = encode_with(kStandardAlphabet, bytes);
    while (text.size() % 4 != 0) {
        text.push_back('=');
    }

    return text;
}

namespace {

std::string encode_with(std::string_view alphabet, std::string_view bytes)
{
    std::string text(encoded_size(bytes.size()), '\0');
    const auto *in = reinterpret_cast<const unsigned char *>(bytes.data());
    auto *out = text.data();
    size_t left = bytes.size();

    for (; left >= 3; left -= 3, in += 3, out += 4) {
        uint32_t group = in[0] << 16 | in[1] << 8 | in[2];
        out[0] = alphabet[group >> 18];
        out[1] = alphabet[group >> 12 & 63];
        out[2] = alphabet[group >> 6 & 63];
        out[3] = alphabet[group & 63];
    }

    if (left > 0) {
        uint32_t group = in[0] << 16 | (left == 2 ? in[1] << 8 : 0);
        out[0] = alphabet[group >> 18];
        out[1] = alphabet[group >> 12 & 63];
        if (left == 2) {
            out[2] = alphabet[group >> 6 & 63];
        }
    }

    return text;
}

// What is not 0 tells that something was no base64url.
uint32_t decode_groups(const unsigned char *in, size_t groups, char *out)
{
    uint32_t bad = 0;

    for (size_t i = 0; i < groups; i++, in += 4, out += 3) {
        uint32_t bits =
            kFirst[in[0]] | kSecond[in[1]] | kThird[in[2]] | kFourth[in[3]];
        out[0] = static_cast<char>(bits >> 16);
        out[1] = static_cast<char>(bits >> 8);
        out[2] = static_cast<char>(bits);
        bad |= bits;
    }

    return bad & kBad;
}

// Two characters are one octet and four bits, three are two octets and two
// bits; those bits are zero, else two texts would decode to the same octets.
uint32_t decode_rest(const unsigned char *in, size_t characters, char *out)
{
    if (characters == 0) {
        return 0;
    }

    uint32_t bits = kFirst[in[0]] | kSecond[in[1]];
    out[0] = static_cast<char>(bits >> 16);
    if (characters == 2) {
        return bits & (kBad | 0xffff);
    }

    bits |= kThird[in[2]];
    out[1] = static_cast<char>(bits >> 8);
    return bits & (kBad | 0xff);
}

} // namespace
} // namespace bff::base64url
