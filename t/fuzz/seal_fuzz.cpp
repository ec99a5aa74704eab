// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What opens was sealed: sealing the opened text again, with the nonce that
// stands in the envelope, gives the same envelope. And what was sealed opens
// to the same text, until one octet of it is changed.

#include "core/crypto/seal.hpp"

#include "property.hpp"
#include "support/tape_entropy.hpp"

using namespace bff;

namespace {

constexpr crypto::Binding kBinding{crypto::Purpose::session, "__Host-Http-bff",
                                   "main"};

const crypto::Keyring &keys()
{
    static const auto ring =
        *crypto::Keyring::make({Secret{std::string(32, 'k')}});
    return ring;
}

std::string sealed_with(std::string_view nonce, std::string_view plain)
{
    unit::TapeEntropy entropy{nonce};
    return *crypto::seal(plain, keys(), kBinding, entropy);
}

void check_that_what_opens_was_sealed(std::string_view envelope)
{
    auto plain = crypto::unseal(std::string{envelope}, keys(), kBinding);
    if (!plain) {
        fuzz::must(plain.error().code == Code::forged,
                   "what does not open is forged");
        return;
    }

    auto nonce = envelope.substr(1 + crypto::kKeyIdOctets, 24);
    fuzz::must(sealed_with(nonce, *plain) == envelope, "what opens was sealed");
}

// The input's first four octets say where to change what was sealed.
void check_that_what_was_sealed_opens(std::string_view input)
{
    if (input.size() < 4) {
        return;
    }

    auto plain = input.substr(4);
    auto envelope = sealed_with(input, plain);
    auto opened = crypto::unseal(std::string{envelope}, keys(), kBinding);
    fuzz::must(opened && *opened == plain, "what was sealed opens");

    auto octet = [&](size_t i) { return static_cast<uint8_t>(input[i]); };
    size_t place = (octet(0) << 16 | octet(1) << 8 | octet(2));
    place %= envelope.size();
    uint8_t change = octet(3) == 0 ? 1 : octet(3);
    envelope[place] = static_cast<char>(envelope[place] ^ change);
    fuzz::must(!crypto::unseal(std::string{envelope}, keys(), kBinding),
               "what was changed does not open");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto input = fuzz::view(data, size);

    check_that_what_opens_was_sealed(input);
    check_that_what_was_sealed_opens(input);
    return 0;
}
