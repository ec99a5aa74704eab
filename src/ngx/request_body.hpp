// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The body of a client's request, read without blocking.

#pragma once

#include <optional>
#include <string>

#include "ngx/ngx.hpp"

namespace bff::ngx {

// For a phase handler: reads the body, then runs the phases once more from
// the same handler on, which must see for itself that the body is there.
// Returns what the handler has to return.
ngx_int_t read_body(ngx_http_request_t *r,
                    ngx_http_client_body_handler_pt then);

// What was read; nullopt: more than `octets`.
std::optional<std::string> body_of(ngx_http_request_t *r, size_t octets);

// For a filter of request bodies.
size_t octets_in(const ngx_chain_t *chain);
void drop_octets(ngx_chain_t *chain);

} // namespace bff::ngx
