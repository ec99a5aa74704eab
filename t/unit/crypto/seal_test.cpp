// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The published vectors of XAES-256-GCM, and that an envelope opens for what
// it was sealed for and for nothing else, however it was changed.

#include "core/crypto/seal.hpp"

#include <set>

#include <openssl/err.h>
#include <openssl/evp.h>

#include "core/base/handle.hpp"
#include "core/base/text.hpp"
#include "support/tape_entropy.hpp"
#include "unit.hpp"

namespace bff::crypto {
namespace {

constexpr std::string_view kNonce = "ABCDEFGHIJKLMNOPQRSTUVWX";
constexpr std::string_view kPlain = "a session with an access_token";
constexpr Binding kBinding{Purpose::session, "__Host-Http-bff", "main"};

Keyring ring_of(std::string_view octets)
{
    std::vector<Secret> keys;
    for (char octet : octets) {
        keys.emplace_back(std::string(kKeyOctets, octet));
    }

    return *Keyring::make(keys);
}

std::string sealed_by(const Keyring &keys, std::string_view plain = kPlain,
                      const Binding &binding = kBinding)
{
    unit::TapeEntropy entropy;
    return *seal(plain, keys, binding, entropy);
}

// Refused as forged, with a clean queue (NGINX's TLS would find an error).
bool is_forged(std::string_view envelope, const Keyring &keys,
               const Binding &binding = kBinding)
{
    auto plain = unseal(std::string{envelope}, keys, binding);
    return !plain && plain.error().code == Code::forged &&
           ERR_peek_error() == 0;
}

std::string shake128(std::string_view data, size_t octets)
{
    std::string out(octets, '\0');
    Handle<EVP_MD_CTX> ctx{EVP_MD_CTX_new()};
    EVP_DigestInit_ex(ctx.get(), EVP_shake128(), nullptr);
    EVP_DigestUpdate(ctx.get(), data.data(), data.size());
    EVP_DigestFinalXOF(ctx.get(), reinterpret_cast<unsigned char *>(out.data()),
                       octets);
    return out;
}

// Reads opaque fields from a stream, as the specification's test has them.
class Stream {
public:
    explicit Stream(std::string bytes) : bytes_{std::move(bytes)} {}

    std::string take(size_t octets)
    {
        at_ += octets;
        return bytes_.substr(at_ - octets, octets);
    }

    std::string take_counted()
    {
        return take(static_cast<unsigned char>(take(1).front()));
    }

private:
    std::string bytes_;
    size_t at_ = 0;
};

TEST(xaes_256_gcm_is_as_published) // c2sp.org/XAES-256-GCM
{
    ck_assert(text::hex(xaes_256_gcm_seal(std::string(32, '\x01'), kNonce,
                                          "XAES-256-GCM", "")) ==
              "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271");
    ck_assert(
        text::hex(xaes_256_gcm_seal(std::string(32, '\x03'), kNonce,
                                    "XAES-256-GCM", "c2sp.org/XAES-256-GCM")) ==
        "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d");
}

TEST(ten_thousand_random_sealings_are_as_published) // c2sp.org/XAES-256-GCM
{
    constexpr size_t kRounds = 10000;
    constexpr size_t kMostOfOne = 32 + 24 + 256 + 256;

    Stream random{shake128("", kRounds * kMostOfOne)};
    std::string all;
    for (size_t i = 0; i < kRounds; i++) {
        auto key = random.take(32);
        auto nonce = random.take(24);
        auto plain = random.take_counted();
        auto aad = random.take_counted();
        auto sealed = xaes_256_gcm_seal(key, nonce, plain, aad);
        ck_assert(xaes_256_gcm_open(key, nonce, sealed, aad) == plain);
        all += sealed;
    }

    ck_assert(text::hex(shake128(all, 32)) ==
              "e6b9edf2df6cec60c8cbd864e2211b59"
              "7fb69a529160cd040d56c0c210081939");
}

TEST(odd_sizes_seal_and_open_nothing)
{
    std::string key(32, 'k');

    ck_assert(xaes_256_gcm_seal(key.substr(1), kNonce, "x", "").empty());
    ck_assert(xaes_256_gcm_seal(key + "k", kNonce, "x", "").empty());
    ck_assert(xaes_256_gcm_seal(key, kNonce.substr(1), "x", "").empty());
    ck_assert(!xaes_256_gcm_open(key, kNonce, std::string(15, '\0'), ""));
    ck_assert(!xaes_256_gcm_open(key, kNonce, "", ""));
    ck_assert(!xaes_256_gcm_open("", "", "", ""));
    ck_assert(ERR_peek_error() == 0);
}

// Computed apart from this code, with Python's cryptography: a release that
// seals otherwise without a new version octet logs everybody out.
TEST(the_envelope_never_changes) // CK-28
{
    std::string key;
    for (size_t i = 0; i < kKeyOctets; i++) {
        key.push_back(static_cast<char>(i));
    }

    auto keys = *Keyring::make({Secret{key}});
    unit::TapeEntropy entropy{kNonce};
    auto envelope = seal("a session", keys, kBinding, entropy);

    ck_assert(bool(envelope));
    ck_assert(text::hex(*envelope) ==
              "01"
              "0c93b8b4"
              "4142434445464748494a4b4c4d4e4f505152535455565758"
              "ab9b4a7dbed2ad4739"
              "b34eba65bd91d69b7871dac61bce7794");
}

TEST(what_was_sealed_opens)
{
    auto keys = ring_of("k");
    unit::TapeEntropy entropy;

    for (size_t octets : {0, 1, 15, 16, 17, 2900, 100000}) {
        auto plain = *entropy.bytes(octets);
        auto envelope = seal(plain, keys, kBinding, entropy);
        ck_assert(envelope && envelope->size() == octets + kSealOverhead);

        auto opened = unseal(*envelope, keys, kBinding);
        ck_assert(opened && *opened == plain);
    }
}

TEST(any_worker_with_the_same_keys_opens) // CK-28
{
    ck_assert(bool(unseal(sealed_by(ring_of("k")), ring_of("k"), kBinding)));
}

TEST(nothing_of_the_plain_text_shows) // BFF-9
{
    auto envelope = sealed_by(ring_of("k"));

    for (size_t i = 0; i + 3 <= kPlain.size(); i++) {
        ck_assert(envelope.find(kPlain.substr(i, 3)) == std::string::npos);
    }
}

TEST(every_sealing_draws_a_nonce_of_its_own)
{
    auto keys = ring_of("k");
    unit::TapeEntropy entropy;
    std::set<std::string> nonces;

    for (int i = 1; i <= 1000; i++) {
        auto envelope = seal(kPlain, keys, kBinding, entropy);
        ck_assert(nonces.insert(envelope->substr(5, 24)).second);
        ck_assert(entropy.drawn() == i * 24u);
    }
}

TEST(one_flipped_bit_anywhere_is_forged) // BFF-9
{
    auto keys = ring_of("ko");
    auto envelope = sealed_by(keys);

    for (size_t bit = 0; bit < envelope.size() * 8; bit++) {
        auto flipped = envelope;
        flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ 1 << bit % 8);
        ck_assert(is_forged(flipped, keys));
    }
}

TEST(a_cut_or_longer_envelope_is_forged) // CK-20, CK-23
{
    auto keys = ring_of("k");
    auto envelope = sealed_by(keys);

    for (size_t octets = 0; octets < envelope.size(); octets++) {
        ck_assert(is_forged(envelope.substr(0, octets), keys));
        ck_assert(is_forged(envelope.substr(envelope.size() - octets), keys));
    }
    ck_assert(is_forged(envelope + '\0', keys));
    ck_assert(is_forged(envelope + envelope, keys));
}

TEST(two_envelopes_do_not_mix) // CK-24
{
    auto keys = ring_of("k");
    unit::TapeEntropy entropy;
    auto a = *seal(std::string(100, 'a'), keys, kBinding, entropy);
    auto b = *seal(std::string(100, 'b'), keys, kBinding, entropy);

    for (size_t cut = 6; cut < a.size(); cut++) {
        ck_assert(is_forged(a.substr(0, cut) + b.substr(cut), keys));
    }
}

TEST(an_envelope_under_another_cookie_name_is_forged) // CK-25
{
    auto keys = ring_of("k");
    auto envelope = sealed_by(keys);

    for (auto name : {"__Host-Http-other", "__Host-Http-bff.1",
                      "__host-http-bff", "__Host-Http-bf", ""}) {
        ck_assert(is_forged(envelope, keys, {Purpose::session, name, "main"}));
    }
}

TEST(an_envelope_of_another_provider_is_forged) // CK-25, BFF-44
{
    auto keys = ring_of("k");
    auto envelope = sealed_by(keys);
    auto name = kBinding.name;

    for (auto provider : {"other", "Main", "mai", "main ", ""}) {
        ck_assert(
            is_forged(envelope, keys, {Purpose::session, name, provider}));
    }
}

TEST(an_envelope_for_another_purpose_is_forged) // CK-25
{
    constexpr Purpose kAll[] = {Purpose::session, Purpose::login,
                                Purpose::handle};

    auto keys = ring_of("k");
    for (auto sealed_for : kAll) {
        auto envelope = sealed_by(keys, kPlain, {sealed_for, "name", "main"});
        for (auto opened_for : kAll) {
            Binding binding{opened_for, "name", "main"};
            ck_assert(is_forged(envelope, keys, binding) ==
                      (sealed_for != opened_for));
        }
    }
}

TEST(fields_that_join_to_the_same_text_stay_apart) // CK-25
{
    auto keys = ring_of("k");
    auto envelope = sealed_by(keys, kPlain, {Purpose::session, "ab", "c"});
    using namespace std::string_view_literals;

    ck_assert(is_forged(envelope, keys, {Purpose::session, "a", "bc"}));
    ck_assert(is_forged(envelope, keys, {Purpose::session, "abc", ""}));
    ck_assert(is_forged(envelope, keys, {Purpose::session, "", "abc"}));
    ck_assert(is_forged(envelope, keys, {Purpose::session, "ab\0"sv, "c"}));
}

TEST(the_newest_key_seals_and_older_ones_open) // CK-26
{
    auto before = sealed_by(ring_of("o"));
    auto rotated = ring_of("no");
    auto after = sealed_by(rotated);

    ck_assert(bool(unseal(before, rotated, kBinding)));
    ck_assert(bool(unseal(after, rotated, kBinding)));
    ck_assert(bool(unseal(after, ring_of("n"), kBinding)));
    ck_assert(after.substr(1, 4) == rotated.current().id);
}

TEST(a_key_that_left_the_ring_opens_nothing) // CK-26
{
    auto before = sealed_by(ring_of("o"));

    ck_assert(is_forged(before, ring_of("n")));
    ck_assert(is_forged(before, ring_of("nm")));
}

TEST(another_keys_id_does_not_help) // CK-26
{
    auto keys = ring_of("no");
    auto envelope = sealed_by(ring_of("o"));
    envelope.replace(1, kKeyIdOctets, keys.current().id);

    ck_assert(is_forged(envelope, keys));
}

TEST(another_version_is_forged)
{
    auto keys = ring_of("k");
    auto envelope = sealed_by(keys);

    for (char version : {'\x00', '\x02', '1', '\xff'}) {
        envelope.front() = version;
        ck_assert(is_forged(envelope, keys));
    }
}

TEST(what_openssl_left_in_its_queue_is_cleared_after_a_failure)
{
    auto keys = ring_of("k");
    auto envelope = sealed_by(keys);
    envelope.back() ^= 1;

    ERR_raise(ERR_LIB_USER, 1);
    ck_assert(is_forged(envelope, keys));

    ERR_raise(ERR_LIB_USER, 1);
    ck_assert(xaes_256_gcm_seal("no key", kNonce, "x", "").empty());
    ck_assert(ERR_peek_error() == 0);
}

TEST(no_random_bytes_seal_nothing)
{
    unit::BrokenEntropy entropy;
    auto envelope = seal(kPlain, ring_of("k"), kBinding, entropy);

    ck_assert(!envelope);
    ck_assert(envelope.error().code == Code::unavailable);
}

TEST(a_short_draw_seals_nothing)
{
    class Short final : public Entropy {
        Result<std::string> bytes(size_t octets) override
        {
            return std::string(octets - 1, 'x');
        }
    } entropy;

    auto envelope = seal(kPlain, ring_of("k"), kBinding, entropy);
    ck_assert(!envelope);
    ck_assert(envelope.error().code == Code::unavailable);
    ck_assert(ERR_peek_error() == 0);
}

TEST(empty_views_are_as_good_as_empty_texts)
{
    auto keys = ring_of("k");
    auto envelope = sealed_by(keys, {}, {Purpose::login, {}, {}});
    auto plain = unseal(envelope, keys, {Purpose::login, "", ""});

    ck_assert(plain && plain->empty());
    ck_assert(is_forged({}, keys));
}

TEST(tells_an_envelope_of_an_older_key)
{
    auto envelope = sealed_by(ring_of("a"));

    ck_assert(!has_old_key(envelope, ring_of("a")));
    ck_assert(!has_old_key(envelope, ring_of("ab")));
    ck_assert(has_old_key(envelope, ring_of("ba")));
    for (size_t i = 0; i < 5; i++) {
        ck_assert(!has_old_key(envelope.substr(0, i), ring_of("ba")));
    }
}

// --- with a key that is in no ring ---

TEST(what_was_sealed_with_a_key_opens_with_it_and_for_nothing_else)
{
    unit::TapeEntropy entropy;
    const Secret key{std::string(kKeyOctets, 'k')};
    auto sealed = *seal_with(key, kPlain, kBinding, entropy);
    ck_assert_uint_eq(sealed.size(), 24 + kPlain.size() + 16);
    ck_assert(*unseal_with(key, sealed, kBinding) == kPlain);

    auto opens = [&](const Secret &with, const Binding &binding) {
        auto plain = unseal_with(with, sealed, binding);
        return plain || plain.error().code != Code::forged;
    };
    ck_assert(!opens(Secret{std::string(kKeyOctets, 'x')}, kBinding));
    ck_assert(!opens(Secret{std::string{"short"}}, kBinding));
    ck_assert(!opens(key, {Purpose::login, kBinding.name, kBinding.provider}));
    ck_assert(!opens(key, {kBinding.purpose, "other", kBinding.provider}));
    ck_assert(!opens(key, {kBinding.purpose, kBinding.name, "other"}));
    ck_assert(ERR_peek_error() == 0);
}

TEST(what_was_sealed_with_a_key_and_cut_or_changed_does_not_open)
{
    unit::TapeEntropy entropy;
    const Secret key{std::string(kKeyOctets, 'k')};
    auto sealed = *seal_with(key, kPlain, kBinding, entropy);

    for (size_t i = 0; i < sealed.size(); i++) {
        auto changed = sealed;
        changed[i] ^= 1;
        ck_assert(!unseal_with(key, changed, kBinding));
        ck_assert(!unseal_with(key, sealed.substr(0, i), kBinding));
    }
}

TEST(sealing_with_a_key_needs_random_octets)
{
    unit::BrokenEntropy none;
    const Secret key{std::string(kKeyOctets, 'k')};
    auto sealed = seal_with(key, kPlain, kBinding, none);
    ck_assert(!sealed && sealed.error().code == Code::unavailable);
}

} // namespace
} // namespace bff::crypto
