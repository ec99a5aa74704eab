// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Reads one HTTP/1 response, in pieces of any size (RFC 9112).
//
//   status_line --> header_line ... --> (empty line) --> counted --------.
//        ^                                   |---------> until_close -. |
//        '----------------- 1xx -------------|                        | |
//                                            v               finish() | |
//          .----------------------------> chunk_size                  | |
//          '- chunk_end <- chunk_data <------|                        v v
//                                            '-> trailer_line ... -> complete
//
// Each octet is looked at once, and what it means never depends on where the
// pieces were cut. What the provider sends is bounded: lines of head, chunk
// extensions and trailers together by one cap, the body by another.

#include "core/web/http_reader.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "core/base/text.hpp"

namespace bff::web {
namespace {

constexpr int kInterimResponses = 8;

// A chunk's framing that costs nothing of the cap: 16 digits and a line end.
constexpr size_t kChunkLineOctets = 18;

struct Framing {
    bool is_chunked = false;
    std::optional<size_t> length;
};

Error malformed(const char *why);

// "HTTP/1.x SSS reason", the reason left out or empty with some servers.
std::optional<int> status_of(std::string_view line);

std::optional<Header> header_of(std::string_view line);

// RFC 9112, 6.3. Errors: unsupported (what two readers could frame
// differently).
Result<Framing> framing_of(const HttpResponse &response, bool is_http_1_0);

bool is_token(std::string_view text);
bool is_control(char c);

} // namespace

HttpReader::HttpReader(const Caps &caps) : caps_{caps}, head_left_{caps.head} {}

Result<Done> HttpReader::feed(std::string_view octets)
{
    if (state_ == State::dead) {
        return malformed("the response was refused before");
    }

    begun_ = begun_ || !octets.empty();

    auto result = read(octets);
    if (!result) {
        state_ = State::dead;
    }

    return result;
}

Result<Done> HttpReader::finish()
{
    if (state_ == State::until_close) {
        state_ = State::complete;
    }

    if (state_ != State::complete) {
        state_ = State::dead;
        return Error{Code::unavailable, "the response was cut short"};
    }

    return Done{};
}

bool HttpReader::is_complete() const noexcept
{
    return state_ == State::complete;
}

bool HttpReader::has_begun() const noexcept
{
    return begun_;
}

HttpResponse HttpReader::take()
{
    return std::move(response_);
}

Result<Done> HttpReader::read(std::string_view octets)
{
    while (!octets.empty() && !is_complete()) {
        auto result = is_at_line() ? take_line(octets) : take_body(octets);
        if (!result) {
            return result;
        }
    }

    return Done{};
}

bool HttpReader::is_at_line() const noexcept
{
    return state_ != State::counted && state_ != State::chunk_data &&
           state_ != State::until_close;
}

Result<Done> HttpReader::take_line(std::string_view &octets)
{
    auto newline = octets.find('\n');
    bool is_whole = newline != std::string_view::npos;
    auto part = is_whole ? octets.substr(0, newline + 1) : octets;

    bool is_chunking =
        state_ == State::chunk_size || state_ == State::chunk_end;
    size_t free = is_chunking ? kChunkLineOctets : 0;
    size_t size = line_.size() + part.size();
    size_t cost = size - std::min(size, free);
    if (cost > head_left_) {
        return malformed("the response's head is too large");
    }

    line_ += part;
    octets.remove_prefix(part.size());
    if (!is_whole) {
        return Done{};
    }

    head_left_ -= cost;
    return end_line();
}

Result<Done> HttpReader::end_line()
{
    auto whole = std::exchange(line_, {});
    std::string_view line{whole};

    line.remove_suffix(1);
    bool is_crlf = line.ends_with('\r');
    line.remove_suffix(is_crlf ? 1 : 0);

    if (is_crlf_.value_or(is_crlf) != is_crlf) {
        return malformed("the response's lines end in different ways");
    }
    is_crlf_ = is_crlf;

    // a CR that ends no line is one of them
    if (std::any_of(line.begin(), line.end(), is_control)) {
        return malformed("the response has a control character in a line");
    }

    return read_line(line);
}

Result<Done> HttpReader::read_line(std::string_view line)
{
    switch (state_) {
    case State::status_line:
        return read_status_line(line);
    case State::header_line:
        return line.empty() ? end_head() : read_header_line(line);
    case State::chunk_size:
        return read_chunk_size(line);
    case State::trailer_line:
        return read_trailer_line(line);
    default: // chunk_end
        state_ = State::chunk_size;
        return line.empty() ? Result<Done>{Done{}}
                            : malformed("a chunk is longer than its size");
    }
}

Result<Done> HttpReader::read_status_line(std::string_view line)
{
    auto status = status_of(line);
    if (!status) {
        return malformed("the response has no valid status line");
    }

    response_.status = *status;
    is_http_1_0_ = line.starts_with("HTTP/1.0");
    state_ = State::header_line;

    return Done{};
}

Result<Done> HttpReader::read_header_line(std::string_view line)
{
    auto header = header_of(line);
    if (!header) {
        return malformed("the response has a malformed header");
    }

    response_.headers.push_back(std::move(*header));

    return Done{};
}

// Checked as a header, then dropped: nothing that comes behind the body may
// change what stood before it.
Result<Done> HttpReader::read_trailer_line(std::string_view line)
{
    if (line.empty()) {
        state_ = State::complete;
    } else if (!header_of(line)) {
        return malformed("the response has a malformed trailer");
    }

    return Done{};
}

Result<Done> HttpReader::end_head()
{
    auto framing = framing_of(response_, is_http_1_0_);
    if (!framing) {
        return std::move(framing).error();
    }

    int status = response_.status;
    if (status < 200) {
        return skip_interim();
    }

    if (caps_.head_request || status == 204 || status == 304) {
        state_ = State::complete;
    } else if (framing->is_chunked) {
        state_ = State::chunk_size;
    } else if (!framing->length) {
        state_ = State::until_close;
    } else if (*framing->length > caps_.body) {
        return malformed("the response's body is too large");
    } else {
        left_ = *framing->length;
        state_ = left_ > 0 ? State::counted : State::complete;
    }

    return Done{};
}

Result<Done> HttpReader::skip_interim()
{
    if (response_.status == 101) {
        return malformed("the response switches protocols unasked");
    }
    if (++interim_ > kInterimResponses) {
        return malformed("too many interim responses");
    }

    response_ = HttpResponse{};
    state_ = State::status_line;

    return Done{};
}

Result<Done> HttpReader::read_chunk_size(std::string_view line)
{
    auto [end, error] =
        std::from_chars(line.data(), line.data() + line.size(), left_, 16);
    auto rest = line.substr(static_cast<size_t>(end - line.data()));
    auto extension = text::trim(rest);
    if (error != std::errc{} ||
        (!extension.empty() && extension.front() != ';')) {
        return malformed("the response has a malformed chunk size");
    }

    if (left_ > caps_.body - response_.body.size()) {
        return malformed("the response's body is too large");
    }

    state_ = left_ > 0 ? State::chunk_data : State::trailer_line;

    return Done{};
}

Result<Done> HttpReader::take_body(std::string_view &octets)
{
    if (state_ == State::until_close) {
        left_ = caps_.body - response_.body.size();
        if (octets.size() > left_) {
            return malformed("the response's body is too large");
        }
    }

    auto part = octets.substr(0, left_);
    response_.body += part;
    octets.remove_prefix(part.size());
    left_ -= part.size();

    if (left_ == 0 && state_ == State::counted) {
        state_ = State::complete;
    } else if (left_ == 0 && state_ == State::chunk_data) {
        state_ = State::chunk_end;
    }

    return Done{};
}

namespace {

Error malformed(const char *why)
{
    return Error{Code::unsupported, why};
}

std::optional<int> status_of(std::string_view line)
{
    if (!line.starts_with("HTTP/1.1 ") && !line.starts_with("HTTP/1.0 ")) {
        return std::nullopt;
    }

    auto code = line.substr(9, 3);
    auto status = text::number(code);
    if (code.size() != 3 || !status || *status < 100 || *status > 599) {
        return std::nullopt;
    }

    auto reason = line.substr(12);
    if (!reason.empty() && reason.front() != ' ') {
        return std::nullopt;
    }

    return static_cast<int>(*status);
}

std::optional<Header> header_of(std::string_view line)
{
    auto colon = line.find(':');
    if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) {
        return std::nullopt;
    }

    return Header{std::string{line.substr(0, colon)},
                  std::string{text::trim(line.substr(colon + 1))}};
}

Result<Framing> framing_of(const HttpResponse &response, bool is_http_1_0)
{
    Framing framing;

    for (const auto &[name, value] : response.headers) {
        bool is_length = text::equal_ignoring_case(name, "Content-Length");
        bool is_coding = text::equal_ignoring_case(name, "Transfer-Encoding");

        if ((is_length || is_coding) &&
            (framing.is_chunked || framing.length)) {
            return malformed("the response states its length twice");
        }

        if (is_length) {
            framing.length = text::number(value);
            if (!framing.length) {
                return malformed("the response has a malformed Content-Length");
            }
        } else if (is_coding) {
            framing.is_chunked = text::equal_ignoring_case(value, "chunked");
            if (!framing.is_chunked || is_http_1_0) {
                return malformed("the response has an unusable "
                                 "Transfer-Encoding");
            }
        }
    }

    return framing;
}

bool is_token(std::string_view text)
{
    constexpr std::string_view kTokenChars =
        "!#$%&'*+-.^_`|~0123456789"
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    return !text.empty() &&
           text.find_first_not_of(kTokenChars) == std::string_view::npos;
}

bool is_control(char c)
{
    auto octet = static_cast<unsigned char>(c);

    return (octet < 32 && octet != '\t') || octet == 127;
}

} // namespace

} // namespace bff::web
