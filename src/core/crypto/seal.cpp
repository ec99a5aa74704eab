// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Authenticated encryption whose nonces cannot collide at any scale:
// XAES-256-GCM as the C2SP specification has it, on OpenSSL's AES.
//
// An envelope comes from the browser and is trusted in nothing until the tag
// was checked; whatever is wrong with it, the answer is the same.

#include "core/crypto/seal.hpp"

#include <algorithm>
#include <array>
#include <climits>
#include <cstring>
#include <span>

#include <openssl/err.h>
#include <openssl/evp.h>

#include "core/base/apart.hpp"
#include "core/base/handle.hpp"

namespace bff::crypto {
namespace {

constexpr char kVersion = 1;
constexpr size_t kNonceOctets = 24;
constexpr size_t kHeadOctets = 1 + kKeyIdOctets + kNonceOctets;
constexpr size_t kTagOctets = 16;
constexpr size_t kMostOctets = INT_MAX / 2; // OpenSSL counts in int

// Octets as secret as the key they come from.
template <size_t size> struct Wiped : std::array<unsigned char, size> {
    ~Wiped() { explicit_bzero(this->data(), size); }
};

using Block = Wiped<16>;
using MessageKey = Wiped<kKeyOctets>;

using Octets = std::span<const unsigned char>;
using Room = std::span<unsigned char>;

Octets octets_of(std::string_view bytes);
Room octets_of(std::string &bytes);

std::string_view authenticated(std::string_view key_id, const Binding &binding);
std::optional<MessageKey> derive(std::string_view key, std::string_view nonce);
std::string sealed_behind(std::string_view head, std::string_view key,
                          std::string_view nonce, std::string_view plain,
                          std::string_view aad);
bool encrypt(const MessageKey &key, std::string_view iv, std::string_view plain,
             std::string_view aad, unsigned char *out);
std::optional<size_t> open(std::string_view key, std::string_view nonce,
                           Room sealed, std::string_view aad);

} // namespace

Result<std::string> seal(std::string_view plain, const Keyring &keys,
                         const Binding &binding, Entropy &entropy)
{
    auto nonce = entropy.bytes(kNonceOctets);
    if (!nonce) {
        return std::move(nonce).error();
    }

    const Key &key = keys.current();
    auto sealed = sealed_behind(kVersion + key.id + *nonce,
                                key.for_purpose(binding.purpose).reveal(),
                                *nonce, plain, authenticated(key.id, binding));
    if (sealed.empty()) {
        return Error{Code::unavailable, "OpenSSL could not encrypt"};
    }

    return sealed;
}

Result<std::string> unseal(std::string envelope, const Keyring &keys,
                           const Binding &binding)
{
    if (envelope.size() < kSealOverhead) {
        return Error{Code::forged, "envelope is too short"};
    }

    if (envelope.front() != kVersion) {
        return Error{Code::forged, "envelope has an unknown version"};
    }

    std::string_view head{envelope.data(), kHeadOctets};
    const Key *key = keys.find(head.substr(1, kKeyIdOctets));
    if (key == nullptr) {
        return Error{Code::forged, "envelope names a key that is not ours"};
    }

    auto octets = open(key->for_purpose(binding.purpose).reveal(),
                       head.substr(1 + kKeyIdOctets),
                       octets_of(envelope).subspan(kHeadOctets),
                       authenticated(key->id, binding));
    if (!octets) {
        return Error{Code::forged, "envelope was not sealed for this"};
    }

    envelope.erase(0, kHeadOctets);
    envelope.resize(*octets);
    return envelope;
}

Result<std::string> seal_with(const Secret &key, std::string_view plain,
                              const Binding &binding, Entropy &entropy)
{
    auto nonce = entropy.bytes(kNonceOctets);
    if (!nonce) {
        return std::move(nonce).error();
    }

    auto sealed = sealed_behind(*nonce, key.reveal(), *nonce, plain,
                                authenticated({}, binding));
    if (sealed.empty()) {
        return Error{Code::unavailable, "OpenSSL could not encrypt"};
    }

    return sealed;
}

Result<std::string> unseal_with(const Secret &key, std::string_view sealed,
                                const Binding &binding)
{
    auto nonce = sealed.substr(0, kNonceOctets);
    auto plain =
        xaes_256_gcm_open(key.reveal(), nonce, sealed.substr(nonce.size()),
                          authenticated({}, binding));
    if (!plain) {
        return Error{Code::forged, "it was not sealed for this"};
    }

    return std::move(*plain);
}

bool has_old_key(std::string_view envelope, const Keyring &keys)
{
    return envelope.size() > kKeyIdOctets &&
           envelope.substr(1, kKeyIdOctets) != keys.current().id;
}

std::string xaes_256_gcm_seal(std::string_view key, std::string_view nonce,
                              std::string_view plain, std::string_view aad)
{
    return sealed_behind({}, key, nonce, plain, aad);
}

std::optional<std::string> xaes_256_gcm_open(std::string_view key,
                                             std::string_view nonce,
                                             std::string_view sealed,
                                             std::string_view aad)
{
    std::string plain{sealed};
    auto octets = open(key, nonce, octets_of(plain), aad);
    if (!octets) {
        return std::nullopt;
    }

    plain.resize(*octets);
    return plain;
}

namespace {

// Each field with its length in front, so no two bindings look alike.
void add_field(std::string &fields, std::string_view field)
{
    auto size = field.size();
    const char length[] = {
        static_cast<char>(size >> 24), static_cast<char>(size >> 16),
        static_cast<char>(size >> 8), static_cast<char>(size)};

    fields.append(length, sizeof(length)).append(field);
}

// Good until the next call: small pieces of memory that come and go with each
// session would touch many pages that workers share.
std::string_view authenticated(std::string_view key_id, const Binding &binding)
{
    const char purpose = static_cast<char>(binding.purpose);

    static std::string fields;
    fields.clear();
    add_field(fields, {&kVersion, 1});
    add_field(fields, key_id);
    add_field(fields, {&purpose, 1});
    add_field(fields, binding.name);
    add_field(fields, binding.provider);

    return fields;
}

Octets octets_of(std::string_view bytes)
{
    return {reinterpret_cast<const unsigned char *>(bytes.data()),
            bytes.size()};
}

Room octets_of(std::string &bytes)
{
    return {reinterpret_cast<unsigned char *>(bytes.data()), bytes.size()};
}

// Fetched once, as finding an algorithm costs as much as using it.
const EVP_CIPHER *aes_256_ecb()
{
    static const Handle<EVP_CIPHER> fetched{
        EVP_CIPHER_fetch(nullptr, "AES-256-ECB", nullptr)};
    return fetched.get();
}

const EVP_CIPHER *aes_256_gcm()
{
    static const Handle<EVP_CIPHER> fetched{
        EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr)};
    return fetched.get();
}

enum class Way { decrypt = 0, encrypt = 1 }; // the numbers are OpenSSL's

// Kept from one use to the next, each with a key of its own: to make one
// costs as much as to use it.
class Context {
public:
    Context(const EVP_CIPHER *cipher, Way way)
        : ctx_{EVP_CIPHER_CTX_new()}, way_{way}
    {
        if (ctx_ && EVP_CipherInit_ex2(ctx_.get(), cipher, nullptr, nullptr,
                                       static_cast<int>(way), nullptr) != 1) {
            ctx_.reset();
        }
    }

    // Null: OpenSSL has no memory, or no such cipher.
    EVP_CIPHER_CTX *start(Octets key, Octets iv)
    {
        bool is_started =
            ctx_ &&
            EVP_CipherInit_ex2(ctx_.get(), nullptr, key.data(), iv.data(),
                               static_cast<int>(way_), nullptr) == 1;
        return is_started ? ctx_.get() : nullptr;
    }

private:
    Handle<EVP_CIPHER_CTX> ctx_;
    Way way_;
};

bool update(EVP_CIPHER_CTX *ctx, unsigned char *out, Octets in)
{
    int written = 0; // always all of it: both modes hold nothing back here
    return in.size() <= kMostOctets &&
           EVP_CipherUpdate(ctx, out, &written, in.data(),
                            static_cast<int>(in.size())) == 1;
}

// Checks the tag when decrypting; GCM writes nothing here.
bool finish(EVP_CIPHER_CTX *ctx)
{
    unsigned char nothing[EVP_MAX_BLOCK_LENGTH];
    int written = 0;
    return EVP_CipherFinal_ex(ctx, nothing, &written) == 1;
}

// The block times x in GF(2^128), without a branch on its secret bits.
void double_block(Block &block)
{
    const unsigned carry = block[0] >> 7;

    for (size_t i = 0; i + 1 < block.size(); i++) {
        unsigned shifted = block[i] << 1U | block[i + 1] >> 7;
        block[i] = static_cast<unsigned char>(shifted);
    }

    unsigned last = block.back() << 1U ^ carry * 0x87;
    block.back() = static_cast<unsigned char>(last);
}

// XORs a block of the key derivation into 16 octets.
void add_counter_block(unsigned char *octets, unsigned char counter,
                       std::string_view nonce)
{
    octets[1] ^= counter;
    octets[2] ^= 'X';
    for (size_t i = 0; i < 12; i++) {
        octets[4 + i] ^= static_cast<unsigned char>(nonce[i]);
    }
}

// What comes of a key alone: the one of before is hardly ever another one.
class KeySchedule {
public:
    bool use(std::string_view key)
    {
        if (ctx_ != nullptr && equal_in_constant_time(view(key_), key)) {
            return true;
        }

        ctx_ = kept_.start(octets_of(key), {});
        k1_.fill(0);
        if (ctx_ == nullptr || !update(ctx_, k1_.data(), k1_)) {
            ctx_ = nullptr;
            return false;
        }
        double_block(k1_);
        std::copy(key.begin(), key.end(), key_.begin());
        return true;
    }

    EVP_CIPHER_CTX *ctx() const { return ctx_; }
    const Block &k1() const { return k1_; }

private:
    static std::string_view view(const MessageKey &key)
    {
        return {reinterpret_cast<const char *>(key.data()), key.size()};
    }

    Context kept_{aes_256_ecb(), Way::encrypt};
    EVP_CIPHER_CTX *ctx_ = nullptr;
    MessageKey key_{};
    Block k1_{};
};

// CMAC(key, M1) || CMAC(key, M2), the KDF in counter mode of NIST SP 800-108.
// Both messages are one full block, so CMAC is AES(key, M ^ K1), where K1 is
// AES(key, 0) doubled:
//
//   octets   0  1   2  3   4 .. 15
//   M1       0  1  'X' 0   nonce, the first 12
//   M2       0  2  'X' 0   the same
std::optional<MessageKey> derive(std::string_view key, std::string_view nonce)
{
    static KeySchedule kept;

    if (key.size() != kKeyOctets || nonce.size() != kNonceOctets ||
        !kept.use(key)) {
        return std::nullopt;
    }

    MessageKey derived{};
    for (unsigned char half : {0, 1}) {
        auto *octets = derived.data() + half * kept.k1().size();
        std::copy(kept.k1().begin(), kept.k1().end(), octets);
        add_counter_block(octets, half + 1, nonce);
    }

    if (!update(kept.ctx(), derived.data(), derived)) {
        return std::nullopt;
    }

    return derived;
}

// Empty: OpenSSL could not.
std::string sealed_behind(std::string_view head, std::string_view key,
                          std::string_view nonce, std::string_view plain,
                          std::string_view aad)
{
    MeasuredPart part{Part::cipher, plain.size()};
    std::string sealed(head.size() + plain.size() + kTagOctets, '\0');
    std::copy(head.begin(), head.end(), sealed.begin());

    auto message_key = derive(key, nonce);
    if (!message_key || !encrypt(*message_key, nonce.substr(12), plain, aad,
                                 octets_of(sealed).data() + head.size())) {
        ERR_clear_error(); // NGINX's TLS must not find our errors
        return {};
    }

    return sealed;
}

bool encrypt(const MessageKey &key, std::string_view iv, std::string_view plain,
             std::string_view aad, unsigned char *out)
{
    static Context kept{aes_256_gcm(), Way::encrypt};
    auto *ctx = kept.start(key, octets_of(iv));

    return ctx != nullptr && update(ctx, nullptr, octets_of(aad)) &&
           update(ctx, out, octets_of(plain)) && finish(ctx) &&
           EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, kTagOctets,
                               out + plain.size()) == 1;
}

bool decrypt(const MessageKey &key, std::string_view iv, Room sealed,
             std::string_view aad)
{
    static Context kept{aes_256_gcm(), Way::decrypt};
    auto text = sealed.first(sealed.size() - kTagOctets);
    auto tag = sealed.last(kTagOctets);
    auto *ctx = kept.start(key, octets_of(iv));

    return ctx != nullptr && update(ctx, nullptr, octets_of(aad)) &&
           update(ctx, text.data(), text) &&
           EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, kTagOctets,
                               tag.data()) == 1 &&
           finish(ctx);
}

// In place; how many octets it has become.
std::optional<size_t> open(std::string_view key, std::string_view nonce,
                           Room sealed, std::string_view aad)
{
    MeasuredPart part{Part::cipher, sealed.size()};
    auto message_key =
        sealed.size() < kTagOctets ? std::nullopt : derive(key, nonce);
    if (!message_key || !decrypt(*message_key, nonce.substr(12), sealed, aad)) {
        ERR_clear_error();
        explicit_bzero(sealed.data(), sealed.size()); // nobody vouches for it
        return std::nullopt;
    }

    return sealed.size() - kTagOctets;
}

} // namespace
} // namespace bff::crypto
