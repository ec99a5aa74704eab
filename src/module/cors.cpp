// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// One place for all answers: who may read them does not depend on who gives
// them. Where origins are trusted, the list alone decides; what an upstream
// says about it is taken out, for others as well.

#include "module/cors.hpp"

#include "core/flow/preflight.hpp"
#include "core/web/cors.hpp"
#include "module/driver.hpp"
#include "module/endpoint_handler.hpp"
#include "module/request_view.hpp"
#include "ngx/headers.hpp"

namespace bff::module {
namespace {

// Null: no request for us. An error_page and an internal redirect answer in
// the name of the location that was asked first.
const web::OriginPolicy *policy_of(ngx_http_request_t *r)
{
    auto &location = loc_conf(r);
    if (location.use != nullptr || endpoint_of(r) != nullptr) {
        return location.origins;
    }

    auto *ctx = find_context(r);
    return ctx != nullptr ? ctx->origins : nullptr;
}

void remove_cors_headers(ngx_http_request_t *r)
{
    ngx::each_response_header(r, [](ngx_table_elt_t &header) {
        if (web::is_cors_header(ngx::view(header.key))) {
            ngx::remove_response_header(&header);
        }
    });
}

// Whatever keeps the answer must not show it to another origin.
void vary_by_origin(ngx_http_request_t *r)
{
    std::vector<ngx_table_elt_t *> lines;
    std::string all;

    ngx::each_response_header(r, [&](ngx_table_elt_t &header) {
        if (text::equal_ignoring_case(ngx::view(header.key), "vary")) {
            lines.push_back(&header);
            all.append(all.empty() ? "" : ", ").append(ngx::view(header.value));
        }
    });

    auto vary = web::vary_with(all, "Origin");
    if (!vary) {
        return;
    }
    for (auto *line : lines) {
        ngx::remove_response_header(line);
    }
    ngx::add_response_header(r, "Vary", *vary);
}

} // namespace

bool is_preflight_options(ngx_http_request_t *r)
{
    return flow::is_preflight(view_of(r, context(r)));
}

ngx_int_t answer_preflight(ngx_http_request_t *r, Provider &provider)
{
    return say(
        r, provider,
        flow::preflight_reply(*loc_conf(r).origins, view_of(r, context(r))));
}

void add_cors(ngx_http_request_t *r)
{
    if (r != r->main || main_conf(r).providers.empty()) {
        return;
    }

    auto *policy = policy_of(r);
    if (policy == nullptr || policy->trusted.empty()) {
        return;
    }

    auto origin = ngx::find_lines(r, "origin");

    remove_cors_headers(r);
    for (const auto &header : web::cors_headers(
             *policy, ngx::value_of(r, origin, "origin"), origin.lines)) {
        ngx::add_response_header(r, header.name, header.value);
    }
    vary_by_origin(r);
}

} // namespace bff::module
