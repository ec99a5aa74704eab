// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What is read alike in every JWT, whatever it is for (RFC 7519).

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/base/instant.hpp"
#include "core/base/json.hpp"
#include "core/base/result.hpp"
#include "core/oidc/client_settings.hpp"
#include "core/oidc/jws.hpp"

namespace bff::oidc {

// A NumericDate (RFC 7519, 2). IDT-17: nothing else than a number will do,
// and one beyond the year 9999 is somebody's milliseconds.
std::optional<Instant> date_at(const json_t *claims, std::string_view name);

// IDT-2: a "something+jwt" was made for something else (RFC 8725, 3.11).
bool is_of_another_kind(const Jws &jws);

// IDT-4: a string of 1 to 255 printable ASCII characters, by which a person
// or a session can be found again.
bool is_name(const json_t *claims, std::string_view name);

// "12 s"
std::string seconds_text(Seconds seconds);

// What a provider makes for this client, be it an ID token or a logout token:
// these checks are the same for both. Errors of all of them: forged.
struct TokenCase {
    std::string_view name; // begins every detail: "ID token"
    const json_t *claims;
    const ClientSettings &client;
    Instant now;
};

// IDT-3.
Result<Done> check_issuer(const TokenCase &token);

// IDT-5, IDT-6: how many audiences there are, this client among them.
Result<size_t> check_audience(const TokenCase &token);

// IDT-8, IDT-9, IDT-10.
Result<Done> check_times(const TokenCase &token);

} // namespace bff::oidc
