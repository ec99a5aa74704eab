// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// As NGINX's mirror module reads a body in its phase: see
// ngx_http_mirror_handler().

#include "ngx/request_body.hpp"

#include "core/base/apart.hpp"

namespace bff::ngx {
namespace {

// NGINX writes what exceeds its buffer into a file, and reads it like this.
bool append_file(const ngx_buf_t &b, std::string &body)
{
    auto at = body.size();
    auto octets = static_cast<size_t>(b.file_last - b.file_pos);

    body.resize(at + octets);
    auto *target = reinterpret_cast<u_char *>(body.data() + at);
    return ngx_read_file(b.file, target, octets, b.file_pos) ==
           static_cast<ssize_t>(octets);
}

} // namespace

ngx_int_t read_body(ngx_http_request_t *r, ngx_http_client_body_handler_pt then)
{
    MeasuredApart apart{Apart::nginx};
    auto rc = ngx_http_read_client_request_body(r, then);
    if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        return rc;
    }

    ngx_http_finalize_request(r, NGX_DONE); // the reader's own reference
    return NGX_DONE;
}

std::optional<std::string> body_of(ngx_http_request_t *r, size_t octets)
{
    std::string body;

    auto *cl = r->request_body != nullptr ? r->request_body->bufs : nullptr;
    for (; cl != nullptr; cl = cl->next) {
        auto &b = *cl->buf;
        auto size = static_cast<size_t>(ngx_buf_size(&b));

        if (size > octets - body.size()) {
            return std::nullopt;
        }
        if (ngx_buf_in_memory(&b)) {
            body.append(reinterpret_cast<char *>(b.pos), size);
        } else if (b.in_file && !append_file(b, body)) {
            return std::nullopt;
        }
    }

    return body;
}

size_t octets_in(const ngx_chain_t *chain)
{
    size_t octets = 0;
    for (; chain != nullptr; chain = chain->next) {
        octets += static_cast<size_t>(ngx_buf_size(chain->buf));
    }
    return octets;
}

void drop_octets(ngx_chain_t *chain)
{
    for (; chain != nullptr; chain = chain->next) {
        chain->buf->pos = chain->buf->last;
    }
}

} // namespace bff::ngx
