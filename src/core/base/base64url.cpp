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
#include <cstring>

#include <endian.h>

#include "core/base/base64url_blocks.hpp"

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

using Pair = std::array<char, 2>;
using Pairs = std::array<Pair, 4096>;
const Pairs &url_pairs();
const Pairs &standard_pairs();

void encode_with(const Pairs &pairs, std::string_view bytes, char *out);
uint32_t decode_groups(const unsigned char *in, size_t groups, char *out);
uint32_t decode_rest(const unsigned char *in, size_t characters, char *out);

} // namespace

std::string encode(std::string_view bytes)
{
    std::string text;
    append(text, bytes);
    return text;
}

void append(std::string &text, std::string_view bytes)
{
    auto size = text.size();
    text.resize(size + encoded_size(bytes.size()));
    encode_with(url_pairs(), bytes, text.data() + size);
}

// Room for one octet too many, which the last group may write.
std::optional<std::string> decode(std::string_view text)
{
    size_t groups = text.size() / 4;
    size_t rest = text.size() % 4;
    if (rest == 1) {
        return std::nullopt; // six bits are no octet
    }

    std::string bytes(groups * 3 + rest + 1, '\0');
    const auto *in = reinterpret_cast<const unsigned char *>(text.data());
    bool is_bad = false;
    auto done = decode_blocks(in, groups * 4, bytes.data(), is_bad) / 4;
    uint32_t bad =
        decode_groups(in + done * 4, groups - done, bytes.data() + done * 3) |
        decode_rest(in + groups * 4, rest, bytes.data() + groups * 3);
    if (is_bad || bad != 0) {
        return std::nullopt;
    }

    bytes.resize(groups * 3 + (rest == 0 ? 0 : rest - 1));
    return bytes;
}

std::string encode_standard(std::string_view bytes)
{
    std::string text(encoded_size(bytes.size()), '\0');
    encode_with(standard_pairs(), bytes, text.data());
    while (text.size() % 4 != 0) {
        text.push_back('=');
    }

    return text;
}

namespace {

// Two characters at once.
constexpr Pairs pairs_of(std::string_view alphabet)
{
    Pairs pairs{};
    for (size_t i = 0; i < pairs.size(); i++) {
        pairs[i] = {alphabet[i >> 6], alphabet[i & 63]};
    }
    return pairs;
}

constexpr Pairs kUrlPairs = pairs_of(kUrlAlphabet);
constexpr Pairs kStandardPairs = pairs_of(kStandardAlphabet);

const Pairs &url_pairs()
{
    return kUrlPairs;
}

const Pairs &standard_pairs()
{
    return kStandardPairs;
}

void put(const Pair &pair, char *out)
{
    std::memcpy(out, pair.data(), pair.size());
}

void encode_with(const Pairs &pairs, std::string_view bytes, char *out)
{
    const auto *in = reinterpret_cast<const unsigned char *>(bytes.data());
    size_t left = bytes.size();

    if (&pairs == &kUrlPairs) {
        auto done = encode_blocks(in, left, out);
        in += done;
        left -= done;
        out += done / 3 * 4;
    }

    for (; left >= 3; left -= 3, in += 3, out += 4) {
        uint32_t group = in[0] << 16 | in[1] << 8 | in[2];
        put(pairs[group >> 12], out);
        put(pairs[group & 4095], out + 2);
    }

    if (left > 0) {
        uint32_t group = in[0] << 16 | (left == 2 ? in[1] << 8 : 0);
        put(pairs[group >> 12], out);
        if (left == 2) {
            out[2] = pairs[group & 4095][0];
        }
    }
}

// What is not 0 tells that something was no base64url. Four octets are
// written for three.
uint32_t decode_groups(const unsigned char *in, size_t groups, char *out)
{
    uint32_t bad = 0;

    for (size_t i = 0; i < groups; i++, in += 4, out += 3) {
        uint32_t bits =
            kFirst[in[0]] | kSecond[in[1]] | kThird[in[2]] | kFourth[in[3]];
        uint32_t octets = htobe32(bits << 8);
        std::memcpy(out, &octets, sizeof(octets));
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
