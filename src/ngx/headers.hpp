// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Finds, sets, adds and removes request and response headers.
//
// Request headers are edited in place, so that NGINX's own pointers into the
// list stay right. A subrequest shares its parent's list: give it one of its
// own before touching it.

#pragma once

#include <span>

#include "core/base/text.hpp"
#include "ngx/ngx.hpp"
#include "ngx/text.hpp"

namespace bff::ngx {

// --- request ---

// The first line of that name (lower case); nullptr when absent.
ngx_table_elt_t *find_header(ngx_http_request_t *r, std::string_view name);

// `name` in lower case, not empty; NGINX has made its key so, other modules
// perhaps not.
inline bool has_name(const ngx_table_elt_t &line, std::string_view name)
{
    if (line.key.len != name.size()) {
        return false;
    }

    if (line.lowcase_key == nullptr) {
        return text::equal_ignoring_case(view(line.key), name);
    }

    // of names of one length and one beginning few end alike
    auto last = static_cast<u_char>(name.back());
    return line.lowcase_key[name.size() - 1] == last &&
           ngx_memcmp(line.lowcase_key, name.data(), name.size()) == 0;
}

template <class Visit> void each_header(ngx_http_request_t *r, Visit visit)
{
    for (auto *part = &r->headers_in.headers.part; part != nullptr;
         part = part->next) {
        auto *lines = static_cast<ngx_table_elt_t *>(part->elts);
        for (auto &line : std::span{lines, part->nelts}) {
            visit(line);
        }
    }
}

// Where the list ends: as long as that stays the same, no line has come.
struct HeadersEnd {
    const ngx_list_part_t *part = nullptr; // null: nowhere
    ngx_uint_t lines = 0;                  // of that part

    bool operator==(const HeadersEnd &) const = default;
};
inline HeadersEnd end_of_headers(ngx_http_request_t *r)
{
    // none, where NGINX has refused the request line, or HTTP/0.9 has no more
    const auto *last = r->headers_in.headers.last;
    return last == nullptr ? HeadersEnd{} : HeadersEnd{last, last->nelts};
}

// The lines of one name.
struct FoundHeader {
    ngx_table_elt_t *first = nullptr;
    int lines = 0;

    void add(ngx_table_elt_t &line) { first = lines++ == 0 ? &line : first; }
};
FoundHeader find_lines(ngx_http_request_t *r, std::string_view name);

// Their value; that of several lines is one list (RFC 9110, 5.3), so who looks
// for a single word does not find it there. A view into the request or its
// pool.
std::string_view value_of_lines(ngx_http_request_t *r, std::string_view name);
inline std::optional<std::string_view>
value_of(ngx_http_request_t *r, const FoundHeader &found, std::string_view name)
{
    if (found.lines == 0) {
        return std::nullopt;
    }
    return found.lines == 1 ? view(found.first->value)
                            : value_of_lines(r, name);
}
inline std::optional<std::string_view> header(ngx_http_request_t *r,
                                              std::string_view name)
{
    return value_of(r, find_lines(r, name), name);
}

// Exactly one Authorization line with this value, which is both together,
// whatever stood there.
void set_authorization(ngx_http_request_t *r, std::string_view scheme,
                       std::string_view credentials);
void remove_authorization(ngx_http_request_t *r);
void add_header(ngx_http_request_t *r, std::string_view name,
                std::string_view value);
// Removes all lines of that name, and tells what stood there.
std::vector<std::string> take_headers(ngx_http_request_t *r,
                                      std::string_view name);

template <class Visit> void each_cookie_line(ngx_http_request_t *r, Visit visit)
{
#if (nginx_version >= 1023000)
    for (auto *h = r->headers_in.cookie; h != nullptr; h = h->next) {
        visit(h);
    }
#else
    auto **h = static_cast<ngx_table_elt_t **>(r->headers_in.cookies.elts);
    for (ngx_uint_t i = 0; i < r->headers_in.cookies.nelts; i++) {
        visit(h[i]);
    }
#endif
}

// The Cookie lines, joined by "; "; "" without any. A view into the request or
// its pool.
std::string_view joined_cookie_lines(ngx_http_request_t *r);
inline std::string_view cookie_header(ngx_http_request_t *r)
{
    std::string_view first;
    int count = 0;
    each_cookie_line(r, [&](ngx_table_elt_t *h) {
        first = count++ == 0 ? view(h->value) : first;
    });
    return count <= 1 ? first : joined_cookie_lines(r);
}

extern u_char kEmptied[];
void remove_emptied_cookies(ngx_http_request_t *r, size_t lines);

// Rewrites every Cookie line: `edit` gives what is left of its value, "" for
// nothing, nullopt for no change.
template <class Edit> void edit_cookies(ngx_http_request_t *r, Edit edit)
{
    size_t emptied = 0;
    each_cookie_line(r, [&](ngx_table_elt_t *h) {
        auto left = edit(view(h->value));
        if (left && left->empty()) {
            h->value = {0, kEmptied};
            emptied++;
        } else if (left) {
            h->value = in_pool(r->pool, *left);
        }
    });

    remove_emptied_cookies(r, emptied);
}

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
