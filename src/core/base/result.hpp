// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// A value or a reason, never both, never ignored.
//
// The names match std::expected (C++23), so that a later change is one alias.

#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "core/base/instant.hpp"

namespace bff {

// What the caller does next.
enum class Code {
    refused,       // answer 4xx, the request itself is wrong
    expired,       // as if there were no session: log in
    forged,        // the same, and forget the cookie
    unavailable,   // keep what we have, try later
    no_room,       // the same, but only more memory will help
    unsupported,   // provider and configuration do not fit
    misconfigured, // only while loading: refuse to start
};

// `detail` is one line for the log, never for the browser, never a secret.
struct Error {
    Code code;
    std::string detail;
    std::optional<Seconds> retry_after = {}; // no use in asking before
};

// Success that has nothing to tell.
struct Done {};

template <class T> class [[nodiscard]] Result {
public:
    Result(T value) : state_{std::move(value)} {}
    Result(Error error) : state_{std::move(error)} {}

    explicit operator bool() const noexcept { return state_.index() == 0; }

    T &operator*() & { return std::get<0>(state_); }
    const T &operator*() const & { return std::get<0>(state_); }
    T &&operator*() && { return std::get<0>(std::move(state_)); }
    T *operator->() { return &std::get<0>(state_); }
    const T *operator->() const { return &std::get<0>(state_); }

    Error &error() & { return std::get<1>(state_); }
    const Error &error() const & { return std::get<1>(state_); }
    Error &&error() && { return std::get<1>(std::move(state_)); }

private:
    std::variant<T, Error> state_;
};

} // namespace bff
