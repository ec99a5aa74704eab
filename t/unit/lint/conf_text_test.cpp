// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Words, blocks, comments and includes, as NGINX reads them.

#include "unit.hpp"

#include "core/lint/conf_text.hpp"

using namespace bff;
using lint::Block;

namespace {

std::vector<lint::Source> nothing(std::string_view)
{
    return {};
}

Result<Block> parse(std::string_view text, const lint::Loader &load = nothing)
{
    return lint::parse_conf({"nginx.conf", std::string{text}}, load);
}

// As "name(word)(word){...};".
std::string print(const Block &block)
{
    std::string out;
    for (const auto &directive : block) {
        out += directive.words.front();
        for (size_t i = 1; i < directive.words.size(); i++) {
            out += '(' + directive.words[i] + ')';
        }
        if (!directive.block.empty()) {
            out += '{' + print(directive.block) + '}';
        }
        out += ';';
    }
    return out;
}

std::string printed(std::string_view text)
{
    auto block = parse(text);
    return block ? print(*block) : "refused: " + block.error().detail;
}

} // namespace

TEST(reads_words_and_blocks)
{
    ck_assert(printed("") == "");
    ck_assert(printed("a b c;") == "a(b)(c);");
    ck_assert(printed("a{b c;d{}}e;") == "a{b(c);d;};e;");
    ck_assert(printed("location = /x{return 200;}") ==
              "location(=)(/x){return(200);};");
    ck_assert(printed("if ($a = b) { set $x y; }") ==
              "if(($a)(=)(b)){set($x)(y);};");
}

TEST(reads_quotes_escapes_and_variables)
{
    ck_assert(printed("a \"b; {c}\" 'd\"e';") == "a(b; {c})(d\"e);");
    ck_assert(printed("a ${b}c;") == "a(${b}c);");
    ck_assert(printed("a \"\\\"\" b\\;c \\d;") == "a(\")(b\\;c)(\\d);");
    ck_assert(printed("a b#c; # d; {\ne;") == "a(b#c);e;");
    ck_assert(printed("a \"\";") == "a();");
}

TEST(steps_over_lua)
{
    ck_assert(printed("content_by_lua_block { if x then y = {1; 2} end } a;") ==
              "content_by_lua_block;a;");
}

TEST(knows_where_a_directive_stands)
{
    auto block = parse("a;\n\n# c\nb {\n  c\n d; }\n");
    ck_assert(static_cast<bool>(block));
    ck_assert((*block)[0].line == 1);
    ck_assert((*block)[1].line == 4);
    ck_assert((*block)[1].block[0].line == 5);
    ck_assert((*block)[1].file == "nginx.conf");
}

TEST(puts_files_where_they_are_included)
{
    auto load = [](std::string_view pattern) -> std::vector<lint::Source> {
        ck_assert(pattern == "more/*.conf");
        return {{"one", "b;\n"}, {"two", "\nc { d; }"}};
    };
    auto block = parse("a; x { include more/*.conf; } e;", load);

    ck_assert(static_cast<bool>(block));
    ck_assert(print(*block) == "a;x{b;c{d;};};e;");
    ck_assert((*block)[1].block[1].file == "two");
    ck_assert((*block)[1].block[1].line == 2);
}

TEST(leaves_long_tables_where_they_are)
{
    auto load = [](std::string_view pattern) -> std::vector<lint::Source> {
        ck_assert(pattern == "small");
        return {{"small", "b;"}};
    };
    auto block = parse("geo $a { x y; include large; } types { include large; "
                       "} map $a $b { include small; }",
                       load);

    ck_assert(static_cast<bool>(block));
    ck_assert(print(*block) == "geo($a){x(y);};types;map($a)($b){b;};");
}

TEST(gives_up_on_what_nginx_would_not_read)
{
    for (auto text : {"a", "a {", "a; }", "{", ";", "a \"b;", "a {b}", "}",
                      "a { b; } }", "x_by_lua_block { "}) {
        ck_assert_msg(!parse(text), "%s", text);
    }
}

TEST(gives_up_on_files_and_blocks_without_end)
{
    lint::Loader same = [](std::string_view) -> std::vector<lint::Source> {
        return {{"again", "include again;"}};
    };
    ck_assert(!parse("include again;", same));

    std::string deep;
    for (int i = 0; i < 10000; i++) {
        deep += "a{";
    }
    ck_assert(!parse(deep));
}
