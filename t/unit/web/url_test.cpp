// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

#include "core/web/url.hpp"

#include "unit.hpp"

namespace bff::web {
namespace {

Url parsed(std::string_view text)
{
    auto url = Url::parse(text);
    ck_assert_msg(bool{url}, "%s", std::string{text}.c_str());
    return *url;
}

bool is_refused(std::string_view text)
{
    auto url = Url::parse(text);
    return !url && url.error().code == Code::refused;
}

} // namespace

TEST(reads_every_part_of_a_url)
{
    auto url = parsed("https://id.example.com:8443/realms/a?x=1&y=%2f?");

    ck_assert(url.scheme == "https");
    ck_assert(url.host == "id.example.com");
    ck_assert_int_eq(url.port, 8443);
    ck_assert(url.path == "/realms/a");
    ck_assert(url.query == "x=1&y=%2f?");
    ck_assert(url.has_query);
    ck_assert(url.is_https());
    ck_assert(url.origin() == "https://id.example.com:8443");
    ck_assert(url.authority() == "id.example.com:8443");
    ck_assert(url.target() == "/realms/a?x=1&y=%2f?");
}

TEST(fills_in_the_default_port)
{
    ck_assert_int_eq(parsed("https://a").port, 443);
    ck_assert_int_eq(parsed("http://a").port, 80);
}

TEST(leaves_the_default_port_out_of_the_origin)
{
    struct {
        const char *text, *origin;
    } cases[] = {
        {"https://a:443/", "https://a"},
        {"http://a:80", "http://a"},
        {"https://a:80", "https://a:80"},
        {"http://a:443", "http://a:443"},
        {"https://a:1", "https://a:1"},
        {"https://a:65535", "https://a:65535"},
        {"https://[::1]:443", "https://[::1]"},
    };

    for (const auto &c : cases) {
        ck_assert_msg(parsed(c.text).origin() == c.origin, "%s", c.text);
    }
}

TEST(writes_scheme_and_host_in_lower_case)
{
    auto url = parsed("HTTPS://Id.EXAMPLE.com/Path?Query");

    ck_assert(url.origin() == "https://id.example.com");
    ck_assert(url.target() == "/Path?Query");
}

TEST(keeps_an_empty_path_but_asks_for_a_slash)
{
    auto url = parsed("https://a");
    ck_assert(url.path.empty());
    ck_assert(url.target() == "/");

    url = parsed("https://a?x");
    ck_assert(url.path == "/");
    ck_assert(url.target() == "/?x");

    url = parsed("https://a/p?");
    ck_assert(url.has_query);
    ck_assert(url.target() == "/p?");
}

TEST(reads_names_and_addresses)
{
    struct {
        const char *text, *host;
    } cases[] = {
        {"https://localhost", "localhost"},
        {"https://xn--bcher-kva.example", "xn--bcher-kva.example"},
        {"https://my_service-1:8443", "my_service-1"},
        {"https://4ever.example", "4ever.example"},
        {"https://10.0.0.255", "10.0.0.255"},
        {"https://[2001:db8::1]", "[2001:db8::1]"},
        {"https://[2001:DB8:0:0:0:0:0:1]", "[2001:db8::1]"},
        {"https://[::]", "[::]"},
        // what libc would write as IPv4 addresses, and browsers do not
        {"https://[::1:80]", "[::1:80]"},
        {"https://[::FFFF:7F00:1]", "[::ffff:7f00:1]"},
        {"https://[1:0:0:2:0:0:0:3]", "[1:0:0:2::3]"},
        {"https://[1:0:0:2:0:0:3:4]", "[1::2:0:0:3:4]"},
        {"https://[0:0:1:0:0:0:0:0]", "[0:0:1::]"},
        {"https://[1:0:2:3:4:5:6:7]", "[1:0:2:3:4:5:6:7]"},
        {"https://[::2:3:4:5:6:7:8]", "[0:2:3:4:5:6:7:8]"},
    };

    for (const auto &c : cases) {
        ck_assert_msg(parsed(c.text).host == c.host, "%s", c.text);
    }
}

TEST(refuses_what_is_no_absolute_http_url)
{
    for (auto text :
         {"", "/", "a", "//a", "https:", "https:a", "https:/a", "https:///a",
          "://a", "ftp://a", "javascript://a", "httpss://a", "ws://a",
          "https//a", " https://a", "https ://a", "data:,https://a"}) {
        ck_assert_msg(is_refused(text), "%s", text);
    }
}

TEST(refuses_user_information_fragments_and_odd_characters)
{
    for (auto text :
         {"https://u@a", "https://u:p@a", "https://@a", "https://a@b@c",
          "https://a#", "https://a/#f", "https://a/?q#f", "https://a\\",
          "https://a\\@b", "https://a/\\b", "https://a/ b", "https://a/\tb",
          "https://a/b\n", "https://a/\r\nX: y", "https://a/\x7f",
          "https://b\xc3\xbc"
          "cher.example",
          "https://a/\xc3\xbc"}) {
        ck_assert_msg(is_refused(text), "%s", text);
    }

    ck_assert(is_refused(std::string_view("https://a/\0", 11)));
}

TEST(refuses_a_host_that_is_none)
{
    for (auto text : {"https://",
                      "https:///",
                      "https://?q",
                      "https://:443",
                      "https://.",
                      "https://a.",
                      "https://.a",
                      "https://a..b",
                      "https://a%2eb",
                      "https://a,b",
                      "https://*.a",
                      "https://a!b",
                      "https://[::1",
                      "https://::1",
                      "https://[]",
                      "https://[::1]a",
                      "https://[a]",
                      "https://[1.2.3.4]",
                      "https://[::ffff:1.2.3.4]",
                      "https://a[::1]",
                      "https://[fe80::1%25eth0]",
                      "https://[[::1]]"}) {
        ck_assert_msg(is_refused(text), "%s", text);
    }

    std::string label(63, 'a');
    ck_assert(!is_refused("https://" + label + ".b"));
    ck_assert(is_refused("https://" + label + "a.b"));

    auto labels = label + '.' + label + '.' + label + '.';
    ck_assert(!is_refused("https://" + labels + std::string(61, 'b')));
    ck_assert(is_refused("https://" + labels + std::string(62, 'b')));
}

TEST(refuses_numbers_that_only_some_read_as_an_address)
{
    for (auto text :
         {"https://1", "https://127.1", "https://2130706433",
          "https://0x7f000001", "https://0x7f.0.0.1", "https://0177.0.0.1",
          "https://127.0.0.01", "https://256.0.0.1", "https://1.2.3.4.5",
          "https://a.1", "https://1.2.3.0x4", "https://1.2.3.",
          "https://1.2.3.4."}) {
        ck_assert_msg(is_refused(text), "%s", text);
    }
}

TEST(refuses_a_port_that_is_none)
{
    for (auto text :
         {"https://a:", "https://a:0", "https://a:0443", "https://a:65536",
          "https://a:99999999999999999999", "https://a:-1", "https://a:+1",
          "https://a:1a", "https://a:1:2", "https://[::1]:", "https://a:%34"}) {
        ck_assert_msg(is_refused(text), "%s", text);
    }
}

TEST(knows_loopback_hosts)
{
    for (auto text :
         {"http://127.0.0.1", "http://127.255.0.9:8080",
          "http://localhost:3000", "http://LOCALHOST", "http://id.localhost",
          "http://[::1]", "http://[0:0:0:0:0:0:0:1]"}) {
        ck_assert_msg(parsed(text).is_loopback(), "%s", text);
    }

    for (auto text : {"http://128.0.0.1", "http://127.example.com",
                      "http://localhost.example.com", "http://notlocalhost",
                      "http://[::2]", "http://[::]", "http://0.0.0.0"}) {
        ck_assert_msg(!parsed(text).is_loopback(), "%s", text);
    }
}

TEST(makes_the_origin_of_a_request)
{
    struct {
        const char *scheme, *host, *origin;
    } cases[] = {
        {"https", "shop.example.com", "https://shop.example.com"},
        {"https", "Shop.Example.com:443", "https://shop.example.com"},
        {"http", "localhost:8080", "http://localhost:8080"},
        {"http", "[::1]:80", "http://[::1]"},
    };

    for (const auto &c : cases) {
        auto origin = origin_of(c.scheme, c.host);
        ck_assert_msg(origin && *origin == c.origin, "%s", c.host);
    }
}

TEST(refuses_a_host_header_that_names_no_site_BFF_15)
{
    for (auto host : {"", "a b", "a/", "a/b", "a?b", "a?", "a#b", "u@a", "a,b",
                      "a:b", "a:", "a.", "a\r\nb", "a\\b", "a%00", "[::1"}) {
        auto origin = origin_of("https", host);
        ck_assert_msg(!origin && origin.error().code == Code::refused, "%s",
                      host);
    }

    ck_assert(!origin_of("ftp", "a"));
    ck_assert(!origin_of("", "a"));
}

TEST(puts_parameters_behind_a_url)
{
    struct {
        const char *url, *parameters, *whole;
    } cases[] = {
        {"https://a", "x=1", "https://a?x=1"},
        {"https://a/b", "x=1&y=2", "https://a/b?x=1&y=2"},
        {"https://a?z", "x=1", "https://a?z&x=1"},
        {"https://a?", "x=1", "https://a?x=1"},
        {"https://a?z&", "x=1", "https://a?z&x=1"},
        {"https://a??", "x=1", "https://a??&x=1"},
        {"/?z?", "x=1", "/?z?&x=1"},
        {"/path#part", "x=1", "/path?x=1#part"},
        {"/path#what?", "x=1", "/path?x=1#what?"},
        {"https://a?z", "", "https://a?z"},
    };

    for (const auto &c : cases) {
        ck_assert_msg(with_query(c.url, c.parameters) == c.whole, "%s", c.url);
    }
}

TEST(knows_what_may_stand_in_a_url)
{
    ck_assert(is_url_text(""));
    ck_assert(is_url_text("!#$%&'()*+,-./09:;<=>?@AZ[]^_`az{|}~"));

    for (auto text : {" ", "\\", "\t", "\x7f", "\x80", "\xff", "\n"}) {
        ck_assert(!is_url_text(text));
    }
}

} // namespace bff::web
