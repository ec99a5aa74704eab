// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The provider's key set: parse, and pick keys by id and algorithm (KEY-*).
//
// Each entry is read by us first, strictly; cjose and OpenSSL get only the
// numbers, in an object of our own making. An entry that is weak, private,
// malformed, unknown or not for signatures is skipped, the rest is used.

#include "core/oidc/jwks.hpp"

#include <algorithm>

#include <openssl/err.h>

#include "core/base/base64url.hpp"
#include "core/base/json.hpp"
#include "core/base/text.hpp"

namespace bff::oidc {
namespace {

constexpr size_t kMostEntries = 64;
constexpr size_t kMostCandidates = 8;

// Within these a verification costs microseconds, and OpenSSL agrees.
constexpr size_t kLeastModulusBits = 2048;
constexpr size_t kMostModulusBits = 8192;
constexpr size_t kMostExponentOctets = 8;

std::optional<PublicKey> public_key(const json_t *entry);
Handle<json_t> plain_key(const json_t *entry, const PublicKey &key);
Handle<EVP_PKEY> okp_key(const json_t *entry, std::string_view crv);
bool fits(const PublicKey &key, Algorithm algorithm);

} // namespace

Result<Jwks> Jwks::parse(std::string_view json)
{
    auto document = json::parse_object(json);
    if (!document) {
        return Error{Code::unsupported,
                     "key set refused: " + std::move(document).error().detail};
    }

    const json_t *entries = json::array_at(document->get(), "keys");
    if (entries == nullptr) {
        return Error{Code::unsupported,
                     "key set refused: it has no \"keys\" array"};
    }

    Jwks jwks;
    auto count = std::min(json_array_size(entries), kMostEntries);
    for (size_t i = 0; i < count; i++) {
        const auto *entry = json_array_get(entries, i);
        auto key = public_key(entry);
        if (!key) {
            continue;
        }

        auto plain = plain_key(entry, *key);
        if (plain || key->pkey) {
            jwks.entries_.push_back({std::move(*key), std::move(plain)});
        }
    }

    // OpenSSL's queue of errors is NGINX's too: leave nothing in it.
    ERR_clear_error();
    return jwks;
}

std::vector<const PublicKey *>
Jwks::candidates(Algorithm algorithm, std::optional<std::string_view> kid) const
{
    std::vector<const PublicKey *> found;

    for (auto &entry : entries_) {
        if (found.size() == kMostCandidates) {
            break;
        }
        if (fits(entry.key, algorithm) && (!kid || *kid == entry.key.kid) &&
            entry.is_usable()) {
            found.push_back(&entry.key);
        }
    }

    ERR_clear_error(); // as above
    return found;
}

size_t Jwks::size() const
{
    auto usable = std::ranges::count_if(
        entries_, [](Entry &entry) { return entry.is_usable(); });

    ERR_clear_error();
    return static_cast<size_t>(usable);
}

// cjose finds out whether an EC key's point is on its curve.
bool Jwks::Entry::is_usable()
{
    if (plain) {
        cjose_err ignored{};
        key.jwk.reset(cjose_jwk_import_json(plain.get(), &ignored));
        plain.reset();
    }
    return key.jwk || key.pkey;
}

KeyType key_type(Algorithm algorithm)
{
    switch (algorithm) {
    case Algorithm::rs256:
    case Algorithm::rs384:
    case Algorithm::rs512:
    case Algorithm::ps256:
    case Algorithm::ps384:
    case Algorithm::ps512:
        return {"RSA", ""};
    case Algorithm::es256:
        return {"EC", "P-256"};
    case Algorithm::es384:
        return {"EC", "P-384"};
    case Algorithm::es512:
        return {"EC", "P-521"};
    case Algorithm::eddsa:
        return {"OKP", "Ed25519"};
    default:
        return {}; // KEY-2: a MAC has no key here
    }
}

size_t coordinate_octets(std::string_view crv)
{
    return crv == "P-256" ? 32 : crv == "P-384" ? 48 : crv == "P-521" ? 66 : 0;
}

namespace {

bool fits(const PublicKey &key, Algorithm alg)
{
    auto type = key_type(alg);
    return key.kty == type.kty && key.crv == type.crv &&
           (key.alg.empty() || algorithm(key.alg) == alg);
}

// A member that is absent ("") or a string; nullopt when it is neither.
std::optional<std::string> text_or_absent(const json_t *entry,
                                          std::string_view name)
{
    if (!json::has(entry, name)) {
        return "";
    }

    auto value = json::string_at(entry, name);
    if (!value) {
        return std::nullopt;
    }

    return std::string{*value};
}

// KEY-8: who publishes a private key has lost it.
bool is_private(const json_t *entry)
{
    constexpr std::string_view members[] = {"d",  "p",  "q",   "dp",
                                            "dq", "qi", "oth", "k"};
    return std::ranges::any_of(
        members, [&](auto name) { return json::has(entry, name); });
}

bool is_for_verifying(const json_t *entry)
{
    if (json::has(entry, "use") && json::string_at(entry, "use") != "sig") {
        return false;
    }

    if (!json::has(entry, "key_ops")) {
        return true;
    }

    if (json::array_at(entry, "key_ops") == nullptr) {
        return false;
    }

    auto operations = json::strings_at(entry, "key_ops");
    return operations &&
           std::ranges::find(*operations, "verify") != operations->end();
}

std::optional<std::string> octets_at(const json_t *entry, std::string_view name)
{
    auto text = json::string_at(entry, name);
    return text ? base64url::decode(*text) : std::nullopt;
}

bool is_odd(std::string_view number)
{
    return !number.empty() && (number.back() & 1) != 0;
}

std::string_view without_leading_zeros(std::string_view number)
{
    auto first = number.find_first_not_of('\0');
    return first == std::string_view::npos ? "" : number.substr(first);
}

size_t bits_of(std::string_view number)
{
    number = without_leading_zeros(number);
    if (number.empty()) {
        return 0;
    }

    size_t bits = number.size() * 8;
    for (int first = static_cast<unsigned char>(number[0]); first < 128;
         first *= 2) {
        bits--;
    }

    return bits;
}

// An exponent of 1 makes every number its own signature.
bool is_sound_rsa(std::string_view modulus, std::string_view exponent)
{
    auto bits = bits_of(modulus);
    exponent = without_leading_zeros(exponent);

    return bits >= kLeastModulusBits && bits <= kMostModulusBits &&
           is_odd(modulus) && is_odd(exponent) &&
           exponent.size() <= kMostExponentOctets && bits_of(exponent) > 1;
}

// cjose sees what we have read, and no other member (private ones least).
Handle<json_t> plain_object(
    std::initializer_list<std::pair<std::string_view, std::string>> members)
{
    auto plain = json::object();
    for (const auto &[name, value] : members) {
        json::put(plain.get(), name, std::string_view{value});
    }

    return plain;
}

Handle<json_t> rsa_key(const json_t *entry)
{
    auto n = octets_at(entry, "n");
    auto e = octets_at(entry, "e");
    if (!n || !e || !is_sound_rsa(*n, *e)) {
        return nullptr;
    }

    return plain_object({{"kty", "RSA"},
                         {"n", base64url::encode(without_leading_zeros(*n))},
                         {"e", base64url::encode(without_leading_zeros(*e))}});
}

Handle<json_t> ec_key(const json_t *entry, const std::string &crv)
{
    auto octets = coordinate_octets(crv);
    auto x = octets_at(entry, "x");
    auto y = octets_at(entry, "y");
    if (octets == 0 || !x || !y || x->size() != octets || y->size() != octets) {
        return nullptr;
    }

    return plain_object({{"kty", "EC"},
                         {"crv", crv},
                         {"x", base64url::encode(*x)},
                         {"y", base64url::encode(*y)}});
}

// Of a point of small order everybody can sign: with such a key the hash of
// what is signed counts for nothing. Their y coordinates, in all spellings,
// the sign of x apart (RFC 8032, 5.1.3).
bool is_of_small_order(std::string_view point)
{
    constexpr std::string_view kOfSmallOrder[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    };

    std::string y{point};
    y.back() = static_cast<char>(y.back() & 0x7f);
    return std::ranges::find(kOfSmallOrder, text::hex(y)) !=
           std::end(kOfSmallOrder);
}

// RFC 8037. cjose does not know OKP.
Handle<EVP_PKEY> okp_key(const json_t *entry, std::string_view crv)
{
    auto x = octets_at(entry, "x");
    if (crv != "Ed25519" || !x || x->size() != 32 || is_of_small_order(*x)) {
        return nullptr;
    }

    const auto &octets = *x;
    return Handle<EVP_PKEY>{EVP_PKEY_new_raw_public_key(
        EVP_PKEY_ED25519, nullptr,
        reinterpret_cast<const unsigned char *>(octets.data()), octets.size())};
}

// Null for an OKP key, which needs none, and for one that cannot be used.
Handle<json_t> plain_key(const json_t *entry, const PublicKey &key)
{
    if (key.kty == "RSA") {
        return rsa_key(entry);
    }
    return key.kty == "EC" ? ec_key(entry, key.crv) : nullptr;
}

std::optional<PublicKey> public_key(const json_t *entry)
{
    if (!json_is_object(entry) || is_private(entry) ||
        !is_for_verifying(entry)) {
        return std::nullopt;
    }

    auto kid = text_or_absent(entry, "kid");
    auto kty = text_or_absent(entry, "kty");
    auto crv = text_or_absent(entry, "crv");
    auto alg = text_or_absent(entry, "alg");
    if (!kid || !kty || !crv || !alg) {
        return std::nullopt;
    }

    PublicKey key{.kid = std::move(*kid),
                  .kty = std::move(*kty),
                  .crv = std::move(*crv),
                  .alg = std::move(*alg),
                  .jwk = nullptr,
                  .pkey = nullptr};
    if (key.kty == "RSA") {
        key.crv.clear();
    } else if (key.kty == "OKP") {
        key.pkey = okp_key(entry, key.crv);
    }

    return key;
}

} // namespace
} // namespace bff::oidc
