// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// A key as the numbers it is made of, read from PEM or from a JWK.
//
// PEM is OpenSSL's to read, with a password callback that refuses: its own
// would ask at the terminal and wait there. A JWK is read by us, strictly;
// the numbers in it are believed by nobody until a signature was tried.

#include "core/oidc/key_material.hpp"

#include <algorithm>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "core/base/base64url.hpp"
#include "core/base/text.hpp"
#include "core/crypto/digest.hpp"
#include "core/oidc/jwks.hpp"

namespace bff::oidc {
namespace {

constexpr std::string_view kTypes =
    "an RSA key, an EC key on P-256, P-384 or P-521, or an Ed25519 key";
constexpr size_t kEd25519Octets = 32;

Result<KeyMaterial> of_pem(std::string_view pem);
Result<KeyMaterial> of_jwk(std::string_view json);

Result<Done> take_rsa(EVP_PKEY *key, KeyMaterial &material);
Result<Done> take_ec(EVP_PKEY *key, KeyMaterial &material);
Result<Done> take_ed25519(EVP_PKEY *key, KeyMaterial &material);

Error unusable(std::string detail);
Error unknown_type(std::string_view type);

} // namespace

Result<KeyMaterial> KeyMaterial::parse(std::string_view file)
{
    if (file.size() > kMostKeyOctets) {
        return unusable("it is too large for a key");
    }

    auto first = file.find_first_not_of(" \t\r\n");
    bool is_json = first != std::string_view::npos && file[first] == '{';

    return is_json ? of_jwk(file) : of_pem(file);
}

Result<KeyMaterial> KeyMaterial::of(EVP_PKEY *key)
{
    KeyMaterial material;
    const char *type = EVP_PKEY_get0_type_name(key);

    auto taken = EVP_PKEY_is_a(key, "RSA")  ? take_rsa(key, material)
                 : EVP_PKEY_is_a(key, "EC") ? take_ec(key, material)
                 : EVP_PKEY_is_a(key, "ED25519")
                     ? take_ed25519(key, material)
                     : unknown_type(type ? type : "");
    ERR_clear_error(); // a number that is absent leaves something there
    if (!taken) {
        return std::move(taken).error();
    }

    return material;
}

std::string_view KeyMaterial::number(std::string_view name) const
{
    auto found = numbers.find(name);
    return found == numbers.end() ? "" : found->second.reveal();
}

json::Value KeyMaterial::public_jwk() const
{
    auto jwk = json::object();
    auto put_number = [&](std::string_view name) {
        if (!number(name).empty()) {
            json::put(jwk.get(), name,
                      std::string_view{base64url::encode(number(name))});
        }
    };

    if (!crv.empty()) {
        json::put(jwk.get(), "crv", std::string_view{crv});
    }
    put_number("e");
    json::put(jwk.get(), "kty", std::string_view{kty});
    put_number("n");
    put_number("x");
    put_number("y");

    return jwk;
}

std::string KeyMaterial::thumbprint() const
{
    return base64url::encode(crypto::sha256(json::print(public_jwk().get())));
}

namespace {

Error unusable(std::string detail)
{
    return Error{Code::misconfigured, std::move(detail)};
}

Error unknown_type(std::string_view type)
{
    return unusable("its key is of type \"" + text::for_log(type, 20) +
                    "\"; use " + std::string{kTypes});
}

// --- PEM ---

int no_password(char *, int, int, void *was_asked)
{
    *static_cast<bool *>(was_asked) = true;
    return -1;
}

Result<KeyMaterial> of_pem(std::string_view pem)
{
    auto key = private_key_of_pem(pem);
    return key ? KeyMaterial::of(key->get())
               : Result<KeyMaterial>{std::move(key).error()};
}

// Padded to `octets`; nullopt when the key has no such number.
std::optional<Secret> number_of(EVP_PKEY *key, const char *name,
                                size_t octets = 0)
{
    BIGNUM *taken = nullptr;
    if (EVP_PKEY_get_bn_param(key, name, &taken) != 1) {
        return std::nullopt;
    }
    Handle<BIGNUM> number{taken};

    auto length = std::max<size_t>(octets, BN_num_bytes(taken));
    std::string bytes(length, '\0');
    BN_bn2binpad(taken, reinterpret_cast<unsigned char *>(bytes.data()),
                 static_cast<int>(length));
    BN_clear(taken);

    return Secret{std::move(bytes)};
}

void take_number(EVP_PKEY *key, const char *openssl_name, std::string_view name,
                 size_t octets, KeyMaterial &material)
{
    auto number = number_of(key, openssl_name, octets);
    if (number) {
        material.numbers.emplace(name, std::move(*number));
    }
}

Result<Done> take_rsa(EVP_PKEY *key, KeyMaterial &material)
{
    if (number_of(key, OSSL_PKEY_PARAM_RSA_FACTOR3)) {
        return unusable("its RSA key has more than two primes, which no JWK "
                        "can say here; make another one");
    }

    material.kty = "RSA";
    const std::pair<const char *, std::string_view> numbers[] = {
        {OSSL_PKEY_PARAM_RSA_N, "n"},
        {OSSL_PKEY_PARAM_RSA_E, "e"},
        {OSSL_PKEY_PARAM_RSA_D, "d"},
        {OSSL_PKEY_PARAM_RSA_FACTOR1, "p"},
        {OSSL_PKEY_PARAM_RSA_FACTOR2, "q"},
        {OSSL_PKEY_PARAM_RSA_EXPONENT1, "dp"},
        {OSSL_PKEY_PARAM_RSA_EXPONENT2, "dq"},
        {OSSL_PKEY_PARAM_RSA_COEFFICIENT1, "qi"},
    };
    for (const auto &[openssl_name, name] : numbers) {
        take_number(key, openssl_name, name, 0, material);
    }

    return Done{};
}

std::string_view curve_name(std::string_view group)
{
    return group == "prime256v1"  ? "P-256"
           : group == "secp384r1" ? "P-384"
           : group == "secp521r1" ? "P-521"
                                  : "";
}

Result<Done> take_ec(EVP_PKEY *key, KeyMaterial &material)
{
    char group[80] = "";
    size_t length = 0;
    EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group,
                                   sizeof(group), &length);

    material.kty = "EC";
    material.crv = curve_name(group);
    if (material.crv.empty()) {
        return unknown_type("EC " + std::string{group});
    }

    auto octets = coordinate_octets(material.crv);
    take_number(key, OSSL_PKEY_PARAM_EC_PUB_X, "x", octets, material);
    take_number(key, OSSL_PKEY_PARAM_EC_PUB_Y, "y", octets, material);
    take_number(key, OSSL_PKEY_PARAM_PRIV_KEY, "d", octets, material);

    return Done{};
}

Result<Done> take_ed25519(EVP_PKEY *key, KeyMaterial &material)
{
    material.kty = "OKP";
    material.crv = "Ed25519";

    std::string octets(kEd25519Octets, '\0');
    auto *bytes = reinterpret_cast<unsigned char *>(octets.data());
    size_t length = octets.size();

    if (EVP_PKEY_get_raw_public_key(key, bytes, &length) == 1) {
        material.numbers.emplace("x", Secret{std::string_view{octets}});
    }
    if (EVP_PKEY_get_raw_private_key(key, bytes, &length) == 1) {
        material.numbers.emplace("d", Secret{std::move(octets)});
    }

    return Done{};
}

// --- JWK ---

// What Jansson holds of a private key does not stay in freed memory.
class WipedAtEnd {
public:
    explicit WipedAtEnd(json_t *jwk) : jwk_{jwk} {}
    WipedAtEnd(const WipedAtEnd &) = delete;
    WipedAtEnd &operator=(const WipedAtEnd &) = delete;

    ~WipedAtEnd()
    {
        const char *name;
        json_t *value;

        json_object_foreach(jwk_, name, value)
        {
            auto *text = const_cast<char *>(json_string_value(value));
            if (text != nullptr) {
                OPENSSL_cleanse(text, json_string_length(value));
            }
        }
    }

private:
    json_t *jwk_;
};

// Public and private members of each type; RFC 7518, 6.3.2: the last five
// are all there, or none of them.
std::vector<std::string_view> members_of(std::string_view kty, bool has_primes)
{
    if (kty == "RSA" && has_primes) {
        return {"n", "e", "d", "p", "q", "dp", "dq", "qi"};
    }

    return kty == "RSA"  ? std::vector<std::string_view>{"n", "e", "d"}
           : kty == "EC" ? std::vector<std::string_view>{"x", "y", "d"}
                         : std::vector<std::string_view>{"x", "d"};
}

Result<Done> check_type(const KeyMaterial &material)
{
    const auto &kty = material.kty;
    const auto &crv = material.crv;
    bool is_known = kty == "RSA" ||
                    (kty == "EC" && coordinate_octets(crv) != 0) ||
                    (kty == "OKP" && crv == "Ed25519");

    return is_known ? Result<Done>{Done{}} : unknown_type(kty + " " + crv);
}

// "use" and "key_ops" are optional (RFC 7517, 4.2 and 4.3).
Result<Done> check_purpose(const json_t *jwk)
{
    auto operations = json::strings_at(jwk, "key_ops");
    bool may_sign = !json::has(jwk, "key_ops") ||
                    (operations && std::ranges::find(*operations, "sign") !=
                                       operations->end());

    if (!may_sign ||
        (json::has(jwk, "use") && json::string_at(jwk, "use") != "sig")) {
        return unusable("its \"use\" or \"key_ops\" says that the key is not "
                        "for signing");
    }

    return Done{};
}

Result<Done> check_form(const json_t *jwk)
{
    if (json::has(jwk, "keys")) {
        return unusable("it holds a set of keys; write each key into a file "
                        "of its own");
    }
    if (!json::has(jwk, "d")) {
        return unusable("its JWK is not private: it has no \"d\"");
    }
    if (json::has(jwk, "oth")) {
        return unusable("its RSA key has more than two primes; make another "
                        "one");
    }

    return check_purpose(jwk);
}

// Absent ("") or a string.
Result<std::string> text_of(const json_t *jwk, std::string_view name)
{
    auto value = json::string_at(jwk, name);
    if (!value && json::has(jwk, name)) {
        return unusable("its \"" + std::string{name} + "\" is no string");
    }

    return std::string{value.value_or("")};
}

Result<Done> take_texts(const json_t *jwk, KeyMaterial &material)
{
    const std::pair<std::string_view, std::string &> texts[] = {
        {"kty", material.kty},
        {"crv", material.crv},
        {"kid", material.kid},
        {"alg", material.alg},
    };

    for (const auto &[name, taken] : texts) {
        auto text = text_of(jwk, name);
        if (!text) {
            return std::move(text).error();
        }
        taken = std::move(*text);
    }

    if (material.kty == "RSA") {
        material.crv.clear();
    }
    return check_type(material);
}

// The length that a number of this name has (RFC 7518, 6.2.1 and RFC 8037,
// 2); 0 when it may have any.
size_t octets_of(std::string_view name, const KeyMaterial &material)
{
    if (material.kty == "OKP") {
        return kEd25519Octets;
    }

    return material.kty == "EC" && name != "d" ? coordinate_octets(material.crv)
                                               : 0;
}

std::optional<Secret> decoded(const json_t *jwk, std::string_view name)
{
    auto text = json::string_at(jwk, name);
    auto octets = text ? base64url::decode(*text) : std::nullopt;
    if (!octets) {
        return std::nullopt;
    }

    // Numbers of RSA have no leading zeros (RFC 7518, 2), others keep them.
    bool is_fixed = name == "x" || name == "y" || name == "d";
    auto first = is_fixed ? 0 : octets->find_first_not_of('\0');
    Secret number{first == std::string::npos
                      ? std::string_view{}
                      : std::string_view{*octets}.substr(first)};
    wipe(*octets);

    return number;
}

Result<Done> take_numbers(const json_t *jwk, KeyMaterial &material)
{
    for (auto name : members_of(material.kty, json::has(jwk, "p"))) {
        auto number = decoded(jwk, name);
        auto octets = octets_of(name, material);

        if (!number || number->empty() ||
            (octets != 0 && number->size() != octets)) {
            return unusable("its \"" + std::string{name} +
                            "\" is missing, or not base64url of the right "
                            "length");
        }
        material.numbers.emplace(name, std::move(*number));
    }

    return Done{};
}

Result<KeyMaterial> of_jwk(std::string_view json)
{
    auto jwk = json::parse_object(json, {.octets = kMostKeyOctets, .depth = 8});
    if (!jwk) {
        return unusable("it is no JWK: " + std::move(jwk).error().detail);
    }
    WipedAtEnd wiped{jwk->get()};

    KeyMaterial material;
    auto good = check_form(jwk->get());
    if (good) {
        good = take_texts(jwk->get(), material);
    }
    if (good) {
        good = take_numbers(jwk->get(), material);
    }
    if (!good) {
        return std::move(good).error();
    }

    return material;
}

} // namespace

Result<Handle<EVP_PKEY>> private_key_of_pem(std::string_view pem)
{
    bool was_asked = false;
    Handle<BIO> bio{BIO_new_mem_buf(pem.data() != nullptr ? pem.data() : "",
                                    static_cast<int>(pem.size()))};
    Handle<EVP_PKEY> key{bio ? PEM_read_bio_PrivateKey(bio.get(), nullptr,
                                                       no_password, &was_asked)
                             : nullptr};
    ERR_clear_error();

    if (key) {
        return key;
    }

    if (was_asked) {
        return unusable("its key is encrypted, and NGINX has nobody to ask "
                        "for the password; decrypt it, as \"openssl pkey\" "
                        "does, and let only root read it");
    }

    return unusable(pem.find("-----BEGIN ") != std::string_view::npos
                        ? "its PEM holds no private key that OpenSSL can read"
                        : "it is neither PEM nor a JWK");
}

} // namespace bff::oidc
