// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Edits NGINX's header lists without moving elements: others point at them.

#include "ngx/headers.hpp"

#include <algorithm>
#include <functional>
#include <new>

#include "core/base/text.hpp"

namespace bff::ngx {

u_char kEmptied[] = "";

namespace {

struct Place {
    ngx_list_part_t *before = nullptr; // the part before, null for the first
    ngx_list_part_t *part = nullptr;
    ngx_uint_t index = 0;

    ngx_table_elt_t *element() const
    {
        return static_cast<ngx_table_elt_t *>(part->elts) + index;
    }
};

template <class Visit> // bool visit(const Place &): true ends the walk
void walk(ngx_list_t &list, Visit visit)
{
    ngx_list_part_t *before = nullptr;

    for (auto *part = &list.part; part != nullptr; part = part->next) {
        for (ngx_uint_t i = 0; i < part->nelts; i++) {
            if (visit(Place{before, part, i})) {
                return;
            }
        }
        before = part;
    }
}

// One line as it is, several in the pool.
std::string_view joined(ngx_pool_t *pool,
                        const std::vector<std::string_view> &lines,
                        std::string_view separator)
{
    if (lines.empty()) {
        return {};
    }
    if (lines.size() == 1) {
        return lines.front();
    }

    std::string all{lines.front()};
    for (size_t i = 1; i < lines.size(); i++) {
        all.append(separator).append(lines[i]);
    }

    return view(in_pool(pool, all));
}

// NGINX reads element 0 of every further part unchecked, so a part that has
// become empty must leave the list.
void unlink_part(ngx_list_t &list, const Place &place)
{
    auto *next = place.part->next;

    if (place.before != nullptr) {
        place.before->next = next;
        if (list.last == place.part) {
            list.last = place.before;
        }
        return;
    }

    if (next == nullptr) {
        place.part->nelts = 0;
        return;
    }

    if (list.last == next) {
        list.last = &list.part;
    }
    list.part = *next;
}

void split_part(ngx_pool_t *pool, ngx_list_t &list, const Place &place)
{
    auto *rest = static_cast<ngx_list_part_t *>(
        ngx_palloc(pool, sizeof(ngx_list_part_t)));
    if (rest == nullptr) {
        throw std::bad_alloc{};
    }

    rest->elts = place.element() + 1;
    rest->nelts = place.part->nelts - place.index - 1;
    rest->next = place.part->next;

    place.part->nelts = place.index;
    place.part->next = rest;
    if (list.last == place.part) {
        list.last = rest;
    }
}

void remove_at(ngx_pool_t *pool, ngx_list_t &list, const Place &place)
{
    auto *part = place.part;

    if (part->nelts == 1) {
        unlink_part(list, place);
    } else if (place.index == 0) {
        part->elts = place.element() + 1;
        part->nelts--;
    } else if (place.index == part->nelts - 1) {
        part->nelts--;
    } else {
        split_part(pool, list, place);
    }

    // The next push opens a part of its own; of an emptied list, whose part
    // keeps its memory, it takes the first element again.
    list.nalloc = std::max<ngx_uint_t>(list.last->nelts, 1);
}

u_char kAuthorization[] = "authorization";

constexpr ngx_uint_t hash_of(std::string_view lower)
{
    ngx_uint_t hash = 0;
    for (char c : lower) {
        hash = ngx_hash(hash, static_cast<u_char>(c));
    }
    return hash;
}
constexpr ngx_uint_t kAuthorizationHash = hash_of("authorization");

ngx_table_elt_t *take_line(ngx_list_t &list)
{
    auto *header = static_cast<ngx_table_elt_t *>(ngx_list_push(&list));
    if (header == nullptr) {
        throw std::bad_alloc{};
    }

    *header = {};
    return header;
}

ngx_table_elt_t *push(ngx_pool_t *pool, ngx_list_t &list, std::string_view name,
                      std::string_view value)
{
    auto *header = take_line(list);
    header->key = in_pool(pool, name);
    header->value = in_pool(pool, value);

    auto lower = text::lower(name);
    header->lowcase_key = in_pool(pool, lower).data;
    header->hash = ngx_hash_key(header->lowcase_key, lower.size());

    return header;
}

// Where NGINX remembers the Cookie lines: here and in each_cookie_line() both
// forms are known (an array before 1.23.0, a linked list since).
#if (nginx_version >= 1023000)

void forget_cookie(ngx_http_request_t *r, ngx_table_elt_t *gone)
{
    for (auto **h = &r->headers_in.cookie; *h != nullptr; h = &(*h)->next) {
        if (*h == gone) {
            *h = gone->next;
            return;
        }
    }
}

void forget_all_cookies(ngx_http_request_t *r)
{
    r->headers_in.cookie = nullptr;
}

// fastcgi_pass and its like have linked lines of one name, once for a request:
// of a copied list the links lead into the other one.
void link_again(ngx_http_request_t *r)
{
    r->headers_in.multi_linked = 0;
}

void remember_cookie(ngx_http_request_t *r, ngx_table_elt_t *header)
{
    auto **last = &r->headers_in.cookie;
    while (*last != nullptr) {
        last = &(*last)->next;
    }
    header->next = nullptr;
    *last = header;
}

#else

void forget_cookie(ngx_http_request_t *r, ngx_table_elt_t *gone)
{
    auto &cookies = r->headers_in.cookies;
    auto **h = static_cast<ngx_table_elt_t **>(cookies.elts);
    ngx_uint_t kept = 0;

    for (ngx_uint_t i = 0; i < cookies.nelts; i++) {
        if (h[i] != gone) {
            h[kept++] = h[i];
        }
    }
    cookies.nelts = kept;
}

void forget_all_cookies(ngx_http_request_t *r)
{
    if (ngx_array_init(&r->headers_in.cookies, r->pool, 1,
                       sizeof(ngx_table_elt_t *)) != NGX_OK) {
        throw std::bad_alloc{};
    }
}

void link_again(ngx_http_request_t *) {} // there are no links

void remember_cookie(ngx_http_request_t *r, ngx_table_elt_t *header)
{
    auto **slot =
        static_cast<ngx_table_elt_t **>(ngx_array_push(&r->headers_in.cookies));
    if (slot == nullptr) {
        throw std::bad_alloc{};
    }
    *slot = header;
}

#endif

bool is_in(const ngx_list_part_t &part, const ngx_table_elt_t *header)
{
    auto *first = static_cast<ngx_table_elt_t *>(part.elts);

    return std::less_equal<>{}(first, header) &&
           std::less<>{}(header, first + part.nelts);
}

void remove_element(ngx_http_request_t *r, ngx_table_elt_t *header)
{
    auto &list = r->headers_in.headers;
    ngx_list_part_t *before = nullptr;

    for (auto *part = &list.part; part != nullptr; part = part->next) {
        if (is_in(*part, header)) {
            auto *first = static_cast<ngx_table_elt_t *>(part->elts);
            auto index = static_cast<ngx_uint_t>(header - first);
            remove_at(r->pool, list, Place{before, part, index});
            return;
        }
        before = part;
    }
}

} // namespace

ngx_table_elt_t *find_header(ngx_http_request_t *r, std::string_view name)
{
    ngx_table_elt_t *found = nullptr;

    walk(r->headers_in.headers, [&](const Place &place) {
        if (has_name(*place.element(), name)) {
            found = place.element();
        }
        return found != nullptr;
    });

    return found;
}

FoundHeader find_lines(ngx_http_request_t *r, std::string_view name)
{
    FoundHeader found;
    each_header(r, [&](ngx_table_elt_t &line) {
        if (has_name(line, name)) {
            found.add(line);
        }
    });
    return found;
}

std::string_view value_of_lines(ngx_http_request_t *r, std::string_view name)
{
    std::vector<std::string_view> lines;
    each_header(r, [&](ngx_table_elt_t &line) {
        if (has_name(line, name)) {
            lines.push_back(view(line.value));
        }
    });
    return joined(r->pool, lines, ", ");
}

std::vector<std::string> take_headers(ngx_http_request_t *r,
                                      std::string_view name)
{
    std::vector<std::string> values;

    while (auto *header = find_header(r, name)) {
        values.emplace_back(view(header->value));
        remove_element(r, header);
    }

    return values;
}

void remove_authorization(ngx_http_request_t *r)
{
    while (auto *header = find_header(r, "authorization")) {
        remove_element(r, header);
    }
    r->headers_in.authorization = nullptr;
}

std::string_view joined_cookie_lines(ngx_http_request_t *r)
{
    std::vector<std::string_view> lines;
    each_cookie_line(
        r, [&](ngx_table_elt_t *h) { lines.push_back(view(h->value)); });
    return joined(r->pool, lines, "; ");
}

void set_authorization(ngx_http_request_t *r, std::string_view scheme,
                       std::string_view credentials)
{
    auto value = in_pool(r->pool, scheme, credentials);

    if (auto *header = r->headers_in.authorization; header != nullptr) {
        header->value = value;
        return;
    }

    auto *header = take_line(r->headers_in.headers);
    header->key = ngx_string("Authorization");
    header->value = value;
    header->lowcase_key = kAuthorization;
    header->hash = kAuthorizationHash;
    r->headers_in.authorization = header;
}

void add_header(ngx_http_request_t *r, std::string_view name,
                std::string_view value)
{
    push(r->pool, r->headers_in.headers, name, value);
}

void remove_emptied_cookies(ngx_http_request_t *r, size_t lines)
{
    while (lines-- > 0) {
        ngx_table_elt_t *emptied = nullptr;
        each_cookie_line(r, [&](ngx_table_elt_t *h) {
            emptied = h->value.data == kEmptied ? h : emptied;
        });
        forget_cookie(r, emptied);
        remove_element(r, emptied);
    }
}

void own_header_list(ngx_http_request_t *sr)
{
    auto shared = sr->headers_in.headers;

    if (ngx_list_init(&sr->headers_in.headers, sr->pool, 20,
                      sizeof(ngx_table_elt_t)) != NGX_OK) {
        throw std::bad_alloc{};
    }

    auto *authorization = sr->headers_in.authorization;
    std::vector<ngx_table_elt_t *> cookies;
    each_cookie_line(sr, [&](ngx_table_elt_t *h) { cookies.push_back(h); });
    forget_all_cookies(sr);
    link_again(sr);

    walk(shared, [&](const Place &place) {
        auto *copy = static_cast<ngx_table_elt_t *>(
            ngx_list_push(&sr->headers_in.headers));
        if (copy == nullptr) {
            throw std::bad_alloc{};
        }
        *copy = *place.element();
        if (place.element() == authorization) {
            sr->headers_in.authorization = copy;
        }
        for (auto *cookie : cookies) {
            if (cookie == place.element()) {
                remember_cookie(sr, copy);
            }
        }
        return false;
    });
}

void each_response_header(ngx_http_request_t *r, const HeaderVisit &visit)
{
    walk(r->headers_out.headers, [&](const Place &place) {
        if (place.element()->hash != 0) {
            visit(*place.element());
        }
        return false;
    });
}

ngx_table_elt_t *add_response_header(ngx_http_request_t *r,
                                     std::string_view name,
                                     std::string_view value)
{
    return push(r->pool, r->headers_out.headers, name, value);
}

// "expires" takes the lines that NGINX's own pointers name, where there are
// some.
void leave_out_expires(ngx_http_request_t *r)
{
    ngx_list_t unsent{};
    if (ngx_list_init(&unsent, r->pool, 2, sizeof(ngx_table_elt_t)) != NGX_OK) {
        throw std::bad_alloc{};
    }

    auto *line = push(r->pool, unsent, "Cache-Control", "no-store");
    r->headers_out.expires =
        push(r->pool, unsent, "Expires", "Thu, 01 Jan 1970 00:00:01 GMT");
#if (nginx_version >= 1023000)
    r->headers_out.cache_control = line;
#else
    auto &lines = r->headers_out.cache_control;
    if (ngx_array_init(&lines, r->pool, 1, sizeof(ngx_table_elt_t *)) !=
        NGX_OK) {
        throw std::bad_alloc{};
    }
    *static_cast<ngx_table_elt_t **>(ngx_array_push(&lines)) = line;
#endif
}

} // namespace bff::ngx
