// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Only a trusted origin gets leave, and only for what is well-formed.
//
// A line each: Origin, Access-Control-Request-Method,
// Access-Control-Request-Headers, what an operator wrote as an origin, Vary.

#include <algorithm>
#include <array>

#include "core/base/text.hpp"
#include "core/flow/preflight.hpp"
#include "core/web/cors.hpp"
#include "core/web/origin_settings.hpp"
#include "core/web/url.hpp"
#include "property.hpp"

namespace {

using bff::fuzz::must;
using bff::web::OriginPolicy;
using bff::web::RequestView;

constexpr std::string_view kTrusted = "https://app.example.com";

using Lines = std::array<std::string_view, 5>;

Lines lines_of(std::string_view text)
{
    Lines lines;
    for (auto &line : lines) {
        auto end = text.find('\n');
        line = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size()
                                                         : end + 1);
    }
    return lines;
}

RequestView request_of(const Lines &lines)
{
    RequestView request;
    request.method = "OPTIONS";
    request.origin = lines[0];
    request.origins = 1;
    request.access_control_request_method = lines[1];
    request.access_control_request_headers = lines[2];
    return request;
}

void must_be_right(const RequestView &request, const OriginPolicy &policy)
{
    auto reply = bff::flow::preflight_reply(policy, request);
    const auto &response = reply.response;
    bool is_trusted = request.origin == kTrusted;

    must(response.status == 204 || response.status == (is_trusted ? 400 : 403));
    must(response.status != 204 || is_trusted);
    must(bff::web::cors_headers(policy, request.origin, 1).empty() !=
         is_trusted);

    for (const auto &header : response.headers) {
        must(bff::text::is_printable(header.value));
        must(header.value.size() <= 2 * 2048);
    }

    auto method = response.header("Access-Control-Allow-Methods");
    must(method.has_value() == (response.status == 204));
    must(!method || method == request.access_control_request_method);
}

// What is accepted is what a browser would write, and stays so.
void must_be_origin(std::string_view text)
{
    auto origin = bff::web::trusted_origin(text);
    if (!origin) {
        return;
    }

    auto again = bff::web::trusted_origin(*origin);
    must(again && *again == *origin);
    must(origin->starts_with("https://") || origin->starts_with("http://"));
    must(origin->find_first_of("*?#@ ,\\") == std::string::npos);
    must(std::ranges::count(*origin, '/') == 2);
}

void must_vary(std::string_view vary)
{
    auto with = bff::web::vary_with(vary, "Origin");
    must(!with || !bff::web::vary_with(*with, "Origin"));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto lines = lines_of(bff::fuzz::view(data, size));

    OriginPolicy policy;
    policy.trusted = {std::string{kTrusted}};
    must_be_right(request_of(lines), policy);
    must_be_origin(lines[3]);
    must_vary(lines[4]);

    return 0;
}
