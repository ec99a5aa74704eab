// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Reads one HTTP/1 response, in pieces of any size, as an HTTP client must
// (RFC 9112): counted, chunked, or until the connection closes.
//
// The provider is not trusted: both framings at once, a repeated or signed
// length, white space before a colon, folded lines, control characters, lines
// that end now in CRLF and now in LF, and whatever exceeds the caps are
// refused. An answer cut short is told from a
// complete one. Interim (1xx) responses are skipped.

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.hpp"
#include "core/web/http_message.hpp"

namespace bff::web {

class HttpReader {
public:
    struct Caps {
        size_t head = 32 * 1024;   // octets, with the trailers
        size_t body = 256 * 1024;  // octets
        bool head_request = false; // answers to HEAD have no body
    };

    HttpReader() : HttpReader{Caps{}} {}
    explicit HttpReader(const Caps &caps);

    // Takes the next octets. Errors: unsupported (malformed, or over a cap);
    // the reader is then dead. Octets after a complete response are ignored.
    Result<Done> feed(std::string_view octets);

    // The connection was closed. Errors: unavailable (the answer was cut
    // short).
    Result<Done> finish();

    bool is_complete() const noexcept;

    // Any octet seen so far?
    bool has_begun() const noexcept;

    // Only when complete.
    HttpResponse take();

private:
    enum class State {
        status_line,
        header_line,
        counted,
        chunk_size,
        chunk_data,
        chunk_end,
        trailer_line,
        until_close,
        complete,
        dead,
    };

    Result<Done> read(std::string_view octets);
    bool is_at_line() const noexcept;
    Result<Done> take_line(std::string_view &octets);
    Result<Done> end_line();
    Result<Done> read_line(std::string_view line);
    Result<Done> read_status_line(std::string_view line);
    Result<Done> read_header_line(std::string_view line);
    Result<Done> read_trailer_line(std::string_view line);
    Result<Done> end_head();
    Result<Done> skip_interim();
    Result<Done> read_chunk_size(std::string_view line);
    Result<Done> take_body(std::string_view &octets);

    Caps caps_;
    State state_ = State::status_line;
    HttpResponse response_;
    std::string line_;            // what has come of the current line
    std::optional<bool> is_crlf_; // how the first line ended
    size_t head_left_;            // octets that lines may still take
    size_t left_ = 0;             // octets of the body or chunk to come
    int interim_ = 0;             // 1xx responses skipped
    bool is_http_1_0_ = false;
    bool begun_ = false;
};

} // namespace bff::web
