// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Page navigation, API call, upgrade or prefetch: what is this request?

#pragma once

#include "core/web/request_view.hpp"

namespace bff::web {

// Sec-Fetch-Mode: navigate; without that header, GET or HEAD whose Accept
// names text/html (contract: bff_unauthenticated auto).
bool is_navigation(const RequestView &request) noexcept;

// What a browser's WebSocket begins with (RFC 6455, 4.1): no other request can
// say that it cannot send headers.
bool is_websocket_handshake(std::string_view method, std::string_view upgrade,
                            std::string_view connection) noexcept;

// The browser fetches ahead of the user (Sec-Purpose or Purpose: prefetch).
bool is_prefetch(const RequestView &request) noexcept;

} // namespace bff::web
