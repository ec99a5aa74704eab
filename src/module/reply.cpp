// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Everything that is sent lives in the request's pool.

#include "module/reply.hpp"

#include "core/base/apart.hpp"
#include "ngx/headers.hpp"
#include "ngx/text.hpp"

namespace bff::module {
namespace {

// An error page that is refused itself, with the same words, would be looked
// for again and again under "recursive_error_pages".
bool has_error_page(ngx_http_request_t *r, const RequestContext &ctx,
                    int status)
{
    auto *core = static_cast<ngx_http_core_loc_conf_t *>(
        ngx_http_get_module_loc_conf(r, ngx_http_core_module));

    if (status < 400 || r->error_page || core->error_pages == nullptr ||
        status == ctx.left_to_error_page) {
        return false;
    }

    auto *pages = static_cast<ngx_http_err_page_t *>(core->error_pages->elts);
    for (ngx_uint_t i = 0; i < core->error_pages->nelts; i++) {
        if (pages[i].status == status) {
            return true;
        }
    }
    return false;
}

void set_content_type(ngx_http_request_t *r, std::string_view type)
{
    auto &out = r->headers_out;

    out.content_type = ngx::in_pool(r->pool, type);
    out.content_type_len = type.size();
    out.content_type_lowcase = nullptr;
}

void set_headers(ngx_http_request_t *r, RequestContext &ctx,
                 const web::HttpResponse &response)
{
    // An error_page that leads to a protected place answers a second time.
    for (auto *header : std::exchange(ctx.answer_headers, {})) {
        ngx::remove_response_header(header);
    }

    for (const auto &header : response.headers) {
        if (text::equal_ignoring_case(header.name, "content-type")) {
            set_content_type(r, header.value);
        } else if (text::equal_ignoring_case(header.name, "set-cookie")) {
            ctx.set_cookies.push_back(header.value);
        } else {
            ctx.answer_headers.push_back(
                ngx::add_response_header(r, header.name, header.value));
        }
    }
}

// Nothing of ours is a copy of what the client has, or will be.
void keep_from_caches(ngx_http_request_t *r)
{
    r->disable_not_modified = 1;
    ngx::leave_out_expires(r);
}

ngx_int_t send_body(ngx_http_request_t *r, std::string_view body)
{
    auto *b = static_cast<ngx_buf_t *>(ngx_calloc_buf(r->pool));
    if (b == nullptr) {
        return NGX_ERROR;
    }

    auto text = ngx::in_pool(r->pool, body);
    b->pos = text.data;
    b->last = text.data + text.len;
    b->memory = text.len ? 1 : 0;
    b->last_buf = 1;
    b->last_in_chain = 1;

    ngx_chain_t out{b, nullptr};
    return ngx_http_output_filter(r, &out);
}

} // namespace

ngx_int_t send(ngx_http_request_t *r, RequestContext &ctx,
               const web::HttpResponse &response)
{
    set_headers(r, ctx, response);
    keep_from_caches(r);
    if (has_error_page(r, ctx, response.status)) {
        ctx.left_to_error_page = response.status;
        return response.status;
    }

    auto rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    r->headers_out.status = response.status;
    r->headers_out.content_length_n = static_cast<off_t>(response.body.size());

    rc = ngx_http_send_header(r);
    if (rc != NGX_ERROR && rc <= NGX_OK && !r->header_only) {
        rc = send_body(r, response.body);
    }
    MeasuredApart apart{Apart::nginx};
    ngx_http_finalize_request(r, rc);

    return NGX_DONE;
}

} // namespace bff::module
