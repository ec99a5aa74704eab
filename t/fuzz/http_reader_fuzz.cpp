// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// A response means the same wherever it is cut into pieces, keeps to the
// caps, and has a body as long as it declared.

#include <optional>

#include "core/base/text.hpp"
#include "core/web/http_reader.hpp"
#include "property.hpp"

namespace {

using bff::fuzz::must;
using bff::web::HttpReader;
using bff::web::HttpResponse;

constexpr size_t kWhole = 0;
constexpr size_t kAnywhere = 1000;

// Sizes of pieces: everything, a fixed number, or whatever a counter says.
size_t next_size(size_t piece, uint32_t &counter)
{
    if (piece == kWhole) {
        return SIZE_MAX;
    }

    counter = counter * 1664525 + 1013904223;
    return piece == kAnywhere ? counter >> 28 : piece;
}

std::optional<HttpResponse> read(std::string_view text, HttpReader::Caps caps,
                                 size_t piece)
{
    HttpReader reader{caps};
    auto counter = static_cast<uint32_t>(text.size());

    while (!text.empty()) {
        auto part = text.substr(0, next_size(piece, counter));
        text.remove_prefix(part.size());
        if (!reader.feed(part)) {
            must(!reader.is_complete());
            must(!reader.feed("HTTP/1.1 204 No Content\r\n\r\n"));
            must(!reader.finish());
            return std::nullopt;
        }
    }

    if (!reader.finish()) {
        return std::nullopt;
    }

    must(reader.is_complete());
    must(reader.has_begun());
    return reader.take();
}

void must_be_equal(const std::optional<HttpResponse> &a,
                   const std::optional<HttpResponse> &b)
{
    must(a.has_value() == b.has_value());
    if (!a) {
        return;
    }

    must(a->status == b->status);
    must(a->body == b->body);
    must(a->headers.size() == b->headers.size());
    for (size_t i = 0; i < a->headers.size(); i++) {
        must(a->headers[i].name == b->headers[i].name);
        must(a->headers[i].value == b->headers[i].value);
    }
}

void must_be_sound(const HttpResponse &response, HttpReader::Caps caps)
{
    must(response.status >= 200 && response.status <= 599);
    must(response.body.size() <= caps.body);

    size_t octets = 0;
    for (const auto &[name, value] : response.headers) {
        octets += name.size() + value.size() + 1;
        must(!name.empty());
        must(bff::text::is_printable(name));
        must(value.find_first_of(std::string_view{"\r\n\0", 3}) ==
             std::string::npos);
    }
    must(octets <= caps.head);

    if (caps.head_request || response.status == 204 || response.status == 304) {
        must(response.body.empty());
    } else if (auto length = response.header("Content-Length")) {
        must(std::to_string(response.body.size()) ==
             length->substr(
                 std::min(length->find_first_not_of('0'), length->size() - 1)));
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto text = bff::fuzz::view(data, size);
    const HttpReader::Caps all[] = {
        {}, {.head = 80, .body = 16}, {.head_request = true}};

    for (auto caps : all) {
        auto whole = read(text, caps, kWhole);
        for (size_t piece : {size_t{1}, size_t{7}, kAnywhere}) {
            must_be_equal(whole, read(text, caps, piece));
        }
        if (whole) {
            must_be_sound(*whole, caps);
        }
    }

    return 0;
}
