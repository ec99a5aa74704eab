// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Nothing foreign passes, and nothing without a proof.
//
// A line each: method, Origin, Sec-Fetch-Site, Sec-Fetch-Mode, Accept, the
// CSRF header, flags ("u" an upgrade, "2" two Origin lines). A line "-" is a
// header that is absent.

#include <array>

#include "core/web/origin_policy.hpp"
#include "core/web/request_kind.hpp"
#include "property.hpp"

namespace {

using bff::fuzz::must;
using bff::web::OriginPolicy;
using bff::web::RequestView;

constexpr std::string_view kOwn = "https://shop.example.com";
constexpr std::string_view kTrusted = "https://www.example.com";

using Lines = std::array<std::string_view, 7>;

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

std::optional<std::string_view> optional(std::string_view line)
{
    return line == "-" ? std::nullopt : std::optional{line};
}

RequestView request_of(const Lines &lines)
{
    RequestView request;
    request.method = lines[0];
    request.origin = optional(lines[1]);
    request.sec_fetch_site = optional(lines[2]);
    request.sec_fetch_mode = optional(lines[3]);
    request.accept = lines[4];
    request.sec_purpose = lines[4];
    request.csrf_header = lines[5];
    request.is_upgrade = lines[6].find('u') != std::string_view::npos;
    request.is_websocket = lines[6].find('w') != std::string_view::npos;
    request.is_upgrade = request.is_upgrade || request.is_websocket;
    request.origins = request.origin ? 1 : 0;
    request.origins += lines[6].find('2') != std::string_view::npos ? 1 : 0;
    return request;
}

bool allows(OriginPolicy::Mode mode, const RequestView &request)
{
    OriginPolicy policy;
    policy.mode = mode;
    policy.trusted = {std::string{kTrusted}};
    return bool{policy.allows(request, kOwn)};
}

// Said again, in another way.
void must_be_ours(const RequestView &request, bool strict)
{
    bool good_origin = request.origin == kOwn || request.origin == kTrusted;
    must(!request.origin || good_origin);
    must(request.origins < 2);

    if (request.is_upgrade) {
        must(good_origin);
        must(request.sec_fetch_site != "cross-site");
    }
    if (request.is_websocket ||
        (request.method == "GET" && !request.is_upgrade &&
         bff::web::is_navigation(request))) {
        return;
    }

    must(request.sec_fetch_site != "cross-site");
    bool has_header = std::string_view{request.csrf_header} == "1";
    bool is_free = !strict || bff::web::is_navigation(request);
    must(has_header ||
         (is_free && (good_origin || request.sec_fetch_site == "same-origin")));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto request = request_of(lines_of(bff::fuzz::view(data, size)));

    bool automatic = allows(OriginPolicy::Mode::automatic, request);
    bool strict = allows(OriginPolicy::Mode::strict, request);

    must(allows(OriginPolicy::Mode::off, request));
    must(automatic || !strict);
    if (automatic) {
        must_be_ours(request, false);
    }
    if (strict) {
        must_be_ours(request, true);
    }

    bool is_page = bff::web::is_navigation(request);
    must(!is_page || request.sec_fetch_mode || request.method == "GET" ||
         request.method == "HEAD");
    must(!bff::web::is_prefetch(request) || !request.sec_purpose.empty());

    return 0;
}
