// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

#include "core/web/http_reader.hpp"

#include "unit.hpp"

namespace bff::web {
namespace {

using namespace std::string_literals;

constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\n";

// Feeds pieces of that size, then closes the connection.
Result<HttpResponse> read_in_pieces(std::string_view text, size_t piece,
                                    HttpReader::Caps caps = {})
{
    HttpReader reader{caps};

    for (size_t at = 0; at < text.size(); at += piece) {
        auto fed = reader.feed(text.substr(at, piece));
        if (!fed) {
            return std::move(fed).error();
        }
    }

    auto finished = reader.finish();
    if (!finished) {
        return std::move(finished).error();
    }

    ck_assert(reader.is_complete());
    return reader.take();
}

// As a whole and octet by octet, which must not differ.
std::optional<HttpResponse> read(std::string_view text,
                                 HttpReader::Caps caps = {})
{
    auto whole = read_in_pieces(text, text.size() + 1, caps);
    auto slow = read_in_pieces(text, 1, caps);

    ck_assert(bool{whole} == bool{slow});
    if (!whole) {
        bool is_short = whole.error().detail.ends_with("cut short");
        ck_assert(whole.error().code ==
                  (is_short ? Code::unavailable : Code::unsupported));
        ck_assert(whole.error().detail == slow.error().detail);
        return std::nullopt;
    }

    ck_assert(whole->status == slow->status);
    ck_assert(whole->body == slow->body);
    ck_assert(whole->headers.size() == slow->headers.size());
    return *whole;
}

bool is_refused(std::string_view text, HttpReader::Caps caps = {})
{
    return !read(text, caps);
}

bool is_head_refused(std::string_view header_lines)
{
    return is_refused(std::string{kOk} + std::string{header_lines} + "\r\n");
}

std::string chunked(std::string_view body)
{
    return std::string{kOk} + "Transfer-Encoding: chunked\r\n\r\n" +
           std::string{body};
}

} // namespace

TEST(reads_a_counted_response)
{
    auto response = read("HTTP/1.1 404 Not Found\r\n"
                         "Content-Type: application/json\r\n"
                         "X-Empty:\r\n"
                         "X-Spaces: \t a b \t \r\n"
                         "content-LENGTH: 5\r\n\r\nhello");

    ck_assert(bool{response});
    ck_assert_int_eq(response->status, 404);
    ck_assert(response->body == "hello");
    ck_assert_uint_eq(response->headers.size(), 4);
    ck_assert(response->header("content-type") == "application/json");
    ck_assert(response->header("x-empty") == "");
    ck_assert(response->header("X-Spaces") == "a b");
}

TEST(reads_a_chunked_response)
{
    auto response = read(chunked("5\r\nhello\r\n"
                                 "00A;name=\"value\";x\r\n, \r\nworld!\r\n"
                                 "1 \r\n!\r\n"
                                 "0\r\nX-Trailer: dropped\r\n\r\n"));

    ck_assert(bool{response});
    ck_assert(response->body == "hello, \r\nworld!!");
    ck_assert(!response->header("X-Trailer"));
}

TEST(reads_until_the_connection_closes)
{
    auto response = read("HTTP/1.0 200 OK\r\nX: y\r\n\r\nall of\r\nit");

    ck_assert(bool{response});
    ck_assert(response->body == "all of\r\nit");
    ck_assert(read("HTTP/1.1 200 OK\r\n\r\n")->body.empty());
}

TEST(reads_lines_that_end_in_lf_alone)
{
    auto response = read("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n"
                         "2\nab\n0\n\n");

    ck_assert(bool{response});
    ck_assert(response->body == "ab");
}

TEST(refuses_lines_that_end_now_in_crlf_and_now_in_lf)
{
    ck_assert(is_refused("HTTP/1.1 200 OK\r\nX: y\n\r\n"));
    ck_assert(is_refused("HTTP/1.1 200 OK\r\nX: y\r\n\n"));
    ck_assert(is_refused("HTTP/1.1 200 OK\nX: y\r\n\n"));
    ck_assert(is_refused(chunked("1\na\r\n0\r\n\r\n")));
    ck_assert(is_refused(chunked("1\r\na\n0\r\n\r\n")));
}

TEST(reads_a_status_line_without_a_reason)
{
    ck_assert_int_eq(read("HTTP/1.1 503 \r\n\r\n")->status, 503);
    ck_assert_int_eq(read("HTTP/1.1 503\r\n\r\n")->status, 503);
    ck_assert_int_eq(read("HTTP/1.0 200 Caf\xc3\xa9 :)\r\n\r\n")->status, 200);
}

TEST(refuses_a_malformed_status_line)
{
    for (auto line : {"",
                      "HTTP/1.1",
                      "HTTP/1.1 ",
                      "HTTP/1.1 20",
                      "HTTP/1.1 2000 OK",
                      "HTTP/1.1 099 OK",
                      "HTTP/1.1 600 OK",
                      "HTTP/1.1 +20 OK",
                      "HTTP/1.1  200 OK",
                      "HTTP/1.1\t200 OK",
                      "HTTP/1.1 200\tOK",
                      "HTTP/1.1 200OK",
                      "HTTP/2 200 OK",
                      "HTTP/2.0 200 OK",
                      "HTTP/1.2 200 OK",
                      "http/1.1 200 OK",
                      " HTTP/1.1 200 OK",
                      "HTTP/1.11 200 OK",
                      "ICY 200 OK",
                      "HTTP/1.1 2 0 OK",
                      "GET / HTTP/1.1",
                      "HTTP/1.1 200 O\rK",
                      "HTTP/1.1 200 O\x01K"}) {
        ck_assert_msg(is_refused(line + "\r\nX: y\r\n\r\n"s), "%s", line);
    }
}

TEST(refuses_a_malformed_header)
{
    for (auto line : {"X", ": y", "X : y", "X\t: y", " X: y", "X Y: z",
                      "X: y\rZ: a", "X: \x01", "X: \x7f", "X\x80: y", "X(: y",
                      "\"X\": y", "X: y\r", "X/Y: z"}) {
        ck_assert_msg(is_head_refused(line + "\r\n"s), "%s", line);
    }

    ck_assert(is_head_refused("X: a\0b\r\n"s));
    ck_assert(!is_head_refused("X!#$%&'*+-.^_`|~09: \xc3\xa9\tb:\r\n"));
}

TEST(refuses_folded_lines)
{
    ck_assert(is_head_refused("X: a\r\n b\r\n"));
    ck_assert(is_head_refused("X: a\r\n\tb: c\r\n"));
    ck_assert(is_head_refused(" X: a\r\n"));
}

TEST(refuses_a_malformed_length)
{
    for (auto value :
         {"", "-1", "+1", "0x1", "1 1", "1,1", "1, 1", "1;", "a", "1.0",
          "18446744073709551616", "99999999999999999999999"}) {
        ck_assert_msg(is_head_refused("Content-Length: "s + value + "\r\n"),
                      "%s", value);
    }
}

TEST(refuses_two_framings)
{
    for (auto lines : {
             "Content-Length: 0\r\nContent-Length: 0\r\n",
             "Content-Length: 0\r\ncontent-length: 1\r\n",
             "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n",
             "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n",
             "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
         }) {
        ck_assert_msg(is_refused(std::string{kOk} + lines + "\r\n0\r\n\r\n"),
                      "%s", lines);
    }
}

TEST(refuses_every_transfer_coding_but_chunked)
{
    for (auto coding :
         {"", "identity", "gzip", "gzip, chunked", "chunked, gzip",
          "chunked,chunked", "chunked;q=1", "xchunked", "chunked\v"}) {
        ck_assert_msg(is_head_refused("Transfer-Encoding: "s + coding + "\r\n"),
                      "%s", coding);
    }

    ck_assert(bool{read("HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n"
                        "0\r\n\r\n")});
    ck_assert(is_refused("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n"
                         "\r\n0\r\n\r\n"));
}

TEST(refuses_malformed_chunks)
{
    for (auto body : {"\r\n", "g\r\n", "-1\r\n", "+1\r\na\r\n", "0x1\r\na\r\n",
                      " 1\r\na\r\n0\r\n\r\n", "1 a\r\na\r\n0\r\n\r\n",
                      "1\r\nab\r\n0\r\n\r\n", "2\r\na\r\n0\r\n\r\n",
                      "1;\x01\r\na\r\n0\r\n\r\n", "1\ra\r\n0\r\n\r\n", ";\r\n",
                      "10000000000000000\r\n", "ffffffffffffffff\r\n",
                      "fffffffffffffffffff\r\n", "0\r\nX\r\n\r\n",
                      "0\r\n X: y\r\n\r\n", "1\r\na0\r\n\r\n"}) {
        ck_assert_msg(is_refused(chunked(body)), "%s", body);
    }
}

TEST(tells_an_answer_cut_short)
{
    for (auto text : {"", "HTTP/1.1 200 OK", "HTTP/1.1 200 OK\r\n",
                      "HTTP/1.1 200 OK\r\nX: y\r\n",
                      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n",
                      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na",
                      "HTTP/1.1 100 Continue\r\n\r\n"}) {
        ck_assert_msg(is_refused(text), "%s", text);
    }

    for (auto body :
         {"", "1", "1\r\n", "1\r\na", "1\r\na\r", "1\r\na\r\n",
          "1\r\na\r\n0\r\n", "1\r\na\r\n0\r\nX: y\r\n", "0\r\n\r"}) {
        ck_assert_msg(is_refused(chunked(body)), "%s", body);
    }
}

TEST(skips_interim_responses)
{
    auto response = read("HTTP/1.1 100 Continue\r\nX: early\r\n\r\n"
                         "HTTP/1.1 103 Early Hints\r\n\r\n"
                         "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na");

    ck_assert(bool{response});
    ck_assert_int_eq(response->status, 200);
    ck_assert_uint_eq(response->headers.size(), 1);
    ck_assert(response->body == "a");
}

TEST(refuses_endless_interim_responses_and_switched_protocols)
{
    std::string interim;
    for (int i = 0; i < 8; i++) {
        interim += "HTTP/1.1 102 Wait\r\n\r\n";
    }
    auto last = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"s;

    ck_assert(!is_refused(interim + last));
    ck_assert(is_refused(interim + "HTTP/1.1 102 Wait\r\n\r\n" + last));
    ck_assert(is_refused("HTTP/1.1 101 Switching Protocols\r\n\r\n" + last));
}

TEST(expects_no_body_where_there_is_none)
{
    ck_assert_int_eq(read("HTTP/1.1 204 No Content\r\n\r\n")->status, 204);
    ck_assert(read("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n")
                  ->body.empty());

    auto head = read("HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n",
                     {.head_request = true});
    ck_assert(bool{head});
    ck_assert(head->header("Content-Length") == "999999999");
}

TEST(ignores_octets_behind_a_complete_response)
{
    for (auto text : {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nabc",
                      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                      "1\r\na\r\n0\r\n\r\n\x01garbage"}) {
        auto response = read(text);
        ck_assert(bool{response});
        ck_assert(response->body == "a");
    }
}

TEST(caps_the_head)
{
    std::string head = "HTTP/1.1 200 OK\r\nX: y\r\n\r\n";

    ck_assert(!is_refused(head, {.head = head.size()}));
    ck_assert(is_refused(head, {.head = head.size() - 1}));
    ck_assert(is_refused("HTTP/1.1 200 " + std::string(33000, 'a')));
}

TEST(caps_interim_heads_together_with_the_last)
{
    auto interim = "HTTP/1.1 100 Continue\r\n\r\n"s;
    auto last = "HTTP/1.1 200 OK\r\n\r\n"s;
    auto size = interim.size() + last.size();

    ck_assert(!is_refused(interim + last, {.head = size}));
    ck_assert(is_refused(interim + last, {.head = size - 1}));
}

TEST(caps_the_body_in_each_framing)
{
    auto counted = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabcd"s;
    auto closed = "HTTP/1.1 200 OK\r\n\r\nabcd"s;
    auto in_chunks = chunked("2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n");

    for (const auto &text : {counted, closed, in_chunks}) {
        ck_assert_msg(!is_refused(text, {.body = 4}), "%s", text.c_str());
        ck_assert_msg(is_refused(text, {.body = 3}), "%s", text.c_str());
    }
}

TEST(refuses_a_large_length_before_the_body_comes)
{
    HttpReader reader;

    ck_assert(
        !reader.feed("HTTP/1.1 200 OK\r\nContent-Length: 262145\r\n\r\n"));
}

TEST(caps_chunk_extensions_and_trailers_like_the_head)
{
    HttpReader::Caps caps{.head = 100};
    std::string many;
    for (int i = 0; i < 1000; i++) {
        many += "1\r\na\r\n";
    }

    ck_assert(!is_refused(chunked(many + "0\r\n\r\n"), caps));
    ck_assert(is_refused(
        chunked("1;" + std::string(200, 'x') + "\r\na\r\n0\r\n\r\n"), caps));
    ck_assert(is_refused(chunked("0\r\nX: " + std::string(200, 'x')), caps));

    many.clear();
    for (int i = 0; i < 50; i++) {
        many += "1;name=some-value-x\r\na\r\n";
    }
    ck_assert(is_refused(chunked(many + "0\r\n\r\n"), caps));
}

TEST(is_dead_after_a_refusal)
{
    HttpReader reader;

    ck_assert(!reader.feed("nonsense\r\n"));
    ck_assert(!reader.feed("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
    ck_assert(!reader.is_complete());
    ck_assert(!reader.finish());
}

TEST(tells_whether_it_has_begun)
{
    HttpReader reader;

    ck_assert(!reader.has_begun());
    ck_assert(bool{reader.feed("")});
    ck_assert(!reader.has_begun());
    ck_assert(bool{reader.feed("H")});
    ck_assert(reader.has_begun());
    ck_assert(!reader.is_complete());
}

TEST(is_complete_without_waiting_for_the_close)
{
    HttpReader reader;

    ck_assert(
        bool{reader.feed("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n")});
    ck_assert(!reader.is_complete());
    ck_assert(bool{reader.feed("a")});
    ck_assert(reader.is_complete());
    ck_assert(reader.take().body == "a");
}

TEST(reads_a_large_response_octet_by_octet_in_linear_time)
{
    std::string body(256 * 1024, 'x');
    std::string text = std::string{kOk} + "X: " + std::string(32000, 'y') +
                       "\r\nContent-Length: " + std::to_string(body.size()) +
                       "\r\n\r\n" + body;

    auto response = read_in_pieces(text, 1);
    ck_assert(bool{response});
    ck_assert(response->body == body);
}

} // namespace bff::web
