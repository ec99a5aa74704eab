// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What a story may know of the browser's request.
//
// Views into NGINX's memory, good until the story returns: who wants to keep
// something copies it.

#pragma once

#include <concepts>
#include <optional>
#include <string_view>

namespace bff::web {

// A text that is made when somebody reads it; hardly anybody does.
class LateText {
public:
    using Make = std::string_view (*)(void *of);

    LateText() = default;
    LateText(Make make, void *of) : make_{make}, of_{of} {}
    template <class Text> // as it is
    requires std::convertible_to<const Text &, std::string_view>
    LateText(const Text &text) : text_{text}
    {
    }

    operator std::string_view() const
    {
        return make_ != nullptr ? make_(of_) : text_;
    }

private:
    std::string_view text_;
    Make make_ = nullptr;
    void *of_ = nullptr;
};

struct RequestView {
    std::string_view method; // GET, POST, ...
    std::string_view scheme; // "https" or "http", as NGINX received it
    std::string_view host;   // the Host header, with its port if any
    std::string_view target; // path and query as they stood on the wire
    std::string_view path;   // decoded and normalised, without query
    std::string_view query;  // raw, without '?'
    std::string_view cookie; // all Cookie lines, joined by "; "
    std::string_view accept;
    std::string_view content_type;
    std::string_view sec_purpose; // Sec-Purpose, or the older Purpose
    std::string_view body;        // of a POST to an endpoint
    LateText csrf_header; // value of the header that bff_csrf_header names
    LateText request_id;

    // Absent and empty are not the same here.
    std::optional<std::string_view> origin;
    std::optional<std::string_view> sec_fetch_site;
    std::optional<std::string_view> sec_fetch_mode;
    std::optional<std::string_view> authorization; // before our own
    std::optional<std::string_view> access_control_request_method; // OPTIONS
    std::optional<std::string_view> access_control_request_headers;

    int origins = 0;           // how many Origin lines
    bool is_upgrade = false;   // to whatever protocol
    bool is_websocket = false; // a whole WebSocket handshake
};

} // namespace bff::web
