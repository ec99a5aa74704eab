// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What all answers of the provider have in common, whatever was asked.
//
// Nothing is followed, unpacked or guessed: what is no plain 200 is an error,
// and the only question left is whether it may pass by itself.

#include "core/oidc/provider_answer.hpp"

#include "core/web/retry_after.hpp"

namespace bff::oidc {
namespace {

Error other_status(const web::HttpResponse &response, std::string_view what);

// RFC 9110, 8.4; "identity" is how some spell none.
bool is_plain(const web::HttpResponse &response);

} // namespace

bool may_pass(int status)
{
    return status == 408 || status == 429 || (status >= 500 && status < 600);
}

Result<std::string_view> body_of(const web::HttpResponse &response,
                                 std::string_view what)
{
    if (response.status != 200) {
        return other_status(response, what);
    }

    if (!is_plain(response)) {
        return Error{Code::unsupported,
                     std::string{what} +
                         " answered with a Content-Encoding, though none was "
                         "asked for"};
    }

    return std::string_view{response.body};
}

namespace {

Error other_status(const web::HttpResponse &response, std::string_view what)
{
    auto status = response.status;
    auto detail = std::string{what} + " answered with HTTP status " +
                  std::to_string(status);

    if (status >= 300 && status < 400) {
        detail += ", and redirects are not followed";
    }

    return Error{may_pass(status) ? Code::unavailable : Code::unsupported,
                 std::move(detail), web::retry_after(response)};
}

bool is_plain(const web::HttpResponse &response)
{
    for (const auto &[name, value] : response.headers) {
        if (text::equal_ignoring_case(name, "Content-Encoding") &&
            !value.empty() && !text::equal_ignoring_case(value, "identity")) {
            return false;
        }
    }
    return true;
}

} // namespace
} // namespace bff::oidc
