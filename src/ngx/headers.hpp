// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Finds, sets, adds and removes request and response headers.
//
// Request headers are edited in place, so that NGINX's own pointers into the
// list stay right. A subrequest shares its parent's list: give it one of its
// own before touching it.

#pragma once

#include <span>

#include "ngx/ngx.hpp"
#include "ngx/text.hpp"

namespace bff::ngx {

// --- request ---

// The first line of that name (lower case); nullptr when absent.
ngx_table_elt_t *find_header(ngx_http_request_t *r, std::string_view name);

// Its value; that of several lines is one list (RFC 9110, 5.3), so who looks
// for a single word does not find it there. A view into the request or its
// pool.
std::optional<std::string_view> header(ngx_http_request_t *r,
                                       std::string_view name);

// A name (lower case) to look for, and what was found of it.
struct SoughtHeader {
    std::string_view name;
    ngx_table_elt_t *first = nullptr;
    int lines = 0;
};
// All of them in one pass over the list; the shorter names stand first.
void seek_headers(ngx_http_request_t *r, std::span<SoughtHeader> sought);
// As header().
std::optional<std::string_view> value_of(ngx_http_request_t *r,
                                         const SoughtHeader &sought);

// The Cookie lines, joined by "; "; "" without any. A view into the pool.
std::string_view cookie_header(ngx_http_request_t *r);

// Exactly one Authorization line with this value, which is both together,
// whatever stood there.
void set_authorization(ngx_http_request_t *r, std::string_view scheme,
                       std::string_view credentials);
void add_header(ngx_http_request_t *r, std::string_view name,
                std::string_view value);
// Removes all lines of that name, and tells what stood there.
std::vector<std::string> take_headers(ngx_http_request_t *r,
                                      std::string_view name);

// Rewrites every Cookie line: `edit` gives what is left of it, "" for
// nothing, nullopt for no change.
using CookieEdit =
    std::function<std::optional<std::string>(std::string_view value)>;
void edit_cookies(ngx_http_request_t *r, const CookieEdit &edit);

// A copy of the request's list for this subrequest alone.
void own_header_list(ngx_http_request_t *subrequest);

// --- response ---

// All lines of the answer, those that were removed left out.
using HeaderVisit = std::function<void(ngx_table_elt_t &header)>;
void each_response_header(ngx_http_request_t *r, const HeaderVisit &visit);

ngx_table_elt_t *add_response_header(ngx_http_request_t *r,
                                     std::string_view name,
                                     std::string_view value);
// What "expires" would write into the answer is not sent: neither line is in
// the list.
void leave_out_expires(ngx_http_request_t *r);
// One that is in the answer's list.
inline void remove_response_header(ngx_table_elt_t *header)
{
    header->hash = 0;
}

} // namespace bff::ngx
