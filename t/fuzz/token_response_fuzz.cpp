// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Accepted tokens came with status 200 and fit a header; a lifetime is
// bounded; an error is one printable line, of the right kind for its status,
// and no token stands in it.
//
// Input: one octet that picks the status, then the body.

#include "core/oidc/token_response.hpp"

#include <algorithm>

#include "core/base/json.hpp"
#include "core/base/text.hpp"
#include "property.hpp"

using namespace bff;
using namespace bff::oidc;
using fuzz::must;

namespace {

// '0' picks the first one.
constexpr int kStatus[] = {200, 400, 401, 403, 404, 408, 429, 500,
                           502, 503, 301, 204, 201, 206, 999, 0};

bool is_visible(std::string_view text)
{
    return std::ranges::all_of(text, [](char c) { return c > 32 && c < 127; });
}

void check_accepted(const TokenResponse &tokens, const json_t *answer)
{
    auto access = tokens.access_token.reveal();
    must(!access.empty() && access.size() <= 128 * 1024 && is_visible(access),
         "CB-8: fits a header");
    must(json::string_at(answer, "access_token") == access);
    must(text::equal_ignoring_case(tokens.token_type, "bearer"), "CB-8");

    auto refresh = tokens.refresh_token.reveal();
    must(is_visible(refresh) && refresh.size() <= 128 * 1024);
    must(json::string_at(answer, "refresh_token").value_or("") == refresh);

    auto id_token = tokens.id_token.reveal();
    must(id_token.size() <= 128 * 1024);
    must(json::string_at(answer, "id_token").value_or("") == id_token);

    must(!tokens.expires_in || (*tokens.expires_in >= Seconds{0} &&
                                *tokens.expires_in <= Seconds{315360000}),
         "0 to 10 years");
    must(text::is_printable(tokens.scope));
}

void check_kind(Code code, int status)
{
    if (status == 200) {
        must(code == Code::unsupported || code == Code::refused);
    } else if (status >= 500 && status < 600) {
        must(code == Code::unavailable, "RT-6: may pass");
    } else if (status == 408 || status == 429) {
        must(code == Code::unavailable, "RT-6: may pass");
    } else if (status >= 400 && status < 500) {
        must(code == Code::refused, "the provider said no");
    } else {
        must(code == Code::unsupported);
    }
}

void check_error(const Error &error, const json_t *answer)
{
    must(error.detail.size() < 200 && !error.detail.empty());
    must(text::for_log(error.detail, 200) == error.detail,
         "one printable line");

    // a provider's own words may be anything, ours never hold a token
    if (error.code != Code::unsupported || answer == nullptr) {
        return;
    }
    for (auto name : {"access_token", "refresh_token", "id_token"}) {
        auto token = json::string_at(answer, name).value_or("");
        must(token.size() < 20 || error.detail.find(token) == std::string::npos,
             "CB-9: no token in an error");
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }

    web::HttpResponse response;
    response.status = kStatus[(data[0] - '0') & 15];
    response.body = fuzz::view(data + 1, size - 1);

    auto answer = json::parse_object(response.body);
    auto tokens = TokenResponse::parse(response);
    if (tokens) {
        must(response.status == 200, "CB-8: 200");
        must(static_cast<bool>(answer), "CB-8: a JSON object");
        check_accepted(*tokens, answer->get());
        return 0;
    }

    check_kind(tokens.error().code, response.status);
    check_error(tokens.error(), answer ? answer->get() : nullptr);

    return 0;
}
