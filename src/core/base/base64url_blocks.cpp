// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Sixteen characters of base64url at once, after Wojciech Mula's description
// of base64 with pshufb, a look-up of sixteen octets in a table of sixteen.
//
// A character is told by the two halves of its octet:
//
//   upper   2     3      4      5      6      7
//   what    '-'   0..9   A..O   P..Z_  a..o   p..z

#include "core/base/base64url_blocks.hpp"

#if defined(__x86_64__)
#include <tmmintrin.h>
#endif

namespace bff::base64url {

#if defined(__x86_64__)

namespace {

#define BFF_SSSE3 __attribute__((target("ssse3")))

bool can_shuffle() noexcept
{
    static const bool can = __builtin_cpu_supports("ssse3") != 0;
    return can;
}

// One bit for each upper half that has characters, 0x40 for all others; and
// for each lower half the upper ones with which it is none.
BFF_SSSE3 __m128i bad_ones(__m128i upper, __m128i lower)
{
    const auto by_upper =
        _mm_setr_epi8(0x40, 0x40, 0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40,
                      0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40);
    const auto by_lower =
        _mm_setr_epi8(0x55, 0x41, 0x41, 0x41, 0x41, 0x41, 0x41, 0x41, 0x41,
                      0x41, 0x43, 0x6b, 0x6b, 0x6a, 0x6b, 0x63);

    return _mm_and_si128(_mm_shuffle_epi8(by_upper, upper),
                         _mm_shuffle_epi8(by_lower, lower));
}

// From characters to their six bits: by the upper half, but for '_'.
BFF_SSSE3 __m128i sextets(__m128i characters, __m128i upper)
{
    const auto by_upper =
        _mm_setr_epi8(0, 0, 62 - '-', 52 - '0', 0 - 'A', 0 - 'A', 26 - 'a',
                      26 - 'a', 0, 0, 0, 0, 0, 0, 0, 0);
    const auto is_underscore = _mm_cmpeq_epi8(characters, _mm_set1_epi8('_'));
    const auto more =
        _mm_and_si128(is_underscore, _mm_set1_epi8(63 - '_' + 'A'));

    return _mm_add_epi8(characters,
                        _mm_add_epi8(_mm_shuffle_epi8(by_upper, upper), more));
}

// 16 times six bits to 12 octets.
BFF_SSSE3 __m128i packed(__m128i sextets)
{
    const auto twelves = _mm_maddubs_epi16(sextets, _mm_set1_epi32(0x01400140));
    const auto triples = _mm_madd_epi16(twelves, _mm_set1_epi32(0x00011000));

    return _mm_shuffle_epi8(triples, _mm_setr_epi8(2, 1, 0, 6, 5, 4, 10, 9, 8,
                                                   14, 13, 12, -1, -1, -1, -1));
}

BFF_SSSE3 size_t decode(const unsigned char *in, size_t characters, char *out,
                        bool &bad) noexcept
{
    const auto halves = _mm_set1_epi8(0x0f);
    auto found = _mm_setzero_si128();
    size_t done = 0;

    for (; done + 32 <= characters; done += 16, out += 12) {
        auto text =
            _mm_loadu_si128(reinterpret_cast<const __m128i *>(in + done));
        auto upper = _mm_and_si128(_mm_srli_epi32(text, 4), halves);
        auto lower = _mm_and_si128(text, halves);
        found = _mm_or_si128(found, bad_ones(upper, lower));
        _mm_storeu_si128(reinterpret_cast<__m128i *>(out),
                         packed(sextets(text, upper)));
    }

    bad =
        _mm_movemask_epi8(_mm_cmpeq_epi8(found, _mm_setzero_si128())) != 0xffff;
    return done;
}

// 12 octets to 16 times six bits.
BFF_SSSE3 __m128i unpacked(__m128i octets)
{
    const auto spread =
        _mm_shuffle_epi8(octets, _mm_setr_epi8(1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8,
                                               7, 10, 9, 11, 10));
    const auto odd =
        _mm_mulhi_epu16(_mm_and_si128(spread, _mm_set1_epi32(0x0fc0fc00)),
                        _mm_set1_epi32(0x04000040));
    const auto even =
        _mm_mullo_epi16(_mm_and_si128(spread, _mm_set1_epi32(0x003f03f0)),
                        _mm_set1_epi32(0x01000010));

    return _mm_or_si128(odd, even);
}

// 0 for a..z, 1 to 10 for the digits, 11 and 12 for '-' and '_', 13 for A..Z.
BFF_SSSE3 __m128i characters_of(__m128i sextets)
{
    const auto is_capital = _mm_cmpgt_epi8(_mm_set1_epi8(26), sextets);
    const auto which =
        _mm_or_si128(_mm_subs_epu8(sextets, _mm_set1_epi8(51)),
                     _mm_and_si128(is_capital, _mm_set1_epi8(13)));
    const auto to_character = _mm_setr_epi8(
        'a' - 26, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52,
        '0' - 52, '0' - 52, '0' - 52, '0' - 52, '-' - 62, '_' - 63, 'A', 0, 0);

    return _mm_add_epi8(sextets, _mm_shuffle_epi8(to_character, which));
}

BFF_SSSE3 size_t encode(const unsigned char *in, size_t octets,
                        char *out) noexcept
{
    size_t done = 0;

    for (; done + 16 <= octets; done += 12, out += 16) {
        auto bits =
            _mm_loadu_si128(reinterpret_cast<const __m128i *>(in + done));
        _mm_storeu_si128(reinterpret_cast<__m128i *>(out),
                         characters_of(unpacked(bits)));
    }
    return done;
}

} // namespace

size_t decode_blocks(const unsigned char *in, size_t characters, char *out,
                     bool &bad) noexcept
{
    bad = false;
    return can_shuffle() ? decode(in, characters, out, bad) : 0;
}

size_t encode_blocks(const unsigned char *in, size_t octets, char *out) noexcept
{
    return can_shuffle() ? encode(in, octets, out) : 0;
}

#else

size_t decode_blocks(const unsigned char *, size_t, char *, bool &bad) noexcept
{
    bad = false;
    return 0;
}

size_t encode_blocks(const unsigned char *, size_t, char *) noexcept
{
    return 0;
}

#endif

} // namespace bff::base64url
