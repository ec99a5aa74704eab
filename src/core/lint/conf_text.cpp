// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// A configuration of NGINX as a tree of directives.
//
// Reads words as ngx_conf_read_token() does. NGINX has accepted the text
// before; what cannot be read here all the same (modules with a language of
// their own) is an error, and nothing is concluded from it.

#include "core/lint/conf_text.hpp"

#include <optional>
#include <utility>

namespace bff::lint {
namespace {

constexpr int kDepth = 32; // blocks and files in each other
constexpr std::string_view kSpaces = " \t\r\n";

Error refused(std::string_view why)
{
    return Error{Code::refused, std::string{why}};
}

// Files for these are long, and hold nothing but constants.
bool is_table(std::string_view name)
{
    return name == "geo" || name == "types";
}

class Reader {
public:
    Reader(const Source &source, const Loader &load, int depth)
        : text_{source.text}, file_{source.file}, load_{load}, depth_{depth}
    {
    }

    Result<Block> file();

private:
    Result<Block> block(int depth, bool is_file);
    std::optional<Error> finish(Directive directive, char end, int depth,
                                Block &into);
    std::optional<Error> include(const Directive &directive, int depth,
                                 Block &into);

    bool skip_spaces(); // and comments; false: nothing is left
    std::string word();
    std::string quoted(char quote);
    std::string bare();
    bool skip_lua();

    bool at_end() const { return at_ == text_.size(); }
    char take();

    std::string_view text_;
    const std::string &file_;
    const Loader &load_;
    int depth_;
    size_t at_ = 0;
    size_t line_ = 1;
    bool is_broken_ = false; // a quote without its end
    bool is_table_ = false;
};

} // namespace

Result<Block> parse_conf(const Source &source, const Loader &load)
{
    return Reader{source, load, 0}.file();
}

namespace {

Result<Block> Reader::file()
{
    return block(depth_, true);
}

Result<Block> Reader::block(int depth, bool is_file)
{
    if (depth > kDepth) {
        return refused("too deep");
    }

    Block found;
    Directive next;
    while (skip_spaces()) {
        char c = text_[at_];
        if (c == '}' && next.words.empty()) {
            take();
            return is_file ? Result<Block>{refused("an unexpected \"}\"")}
                           : Result<Block>{std::move(found)};
        }
        if (c != ';' && c != '{') {
            next.line = next.words.empty() ? line_ : next.line;
            next.words.push_back(word());
            continue;
        }

        take();
        auto wrong = finish(std::exchange(next, {}), c, depth, found);
        if (wrong) {
            return std::move(*wrong);
        }
    }

    bool is_whole = is_file && next.words.empty() && !is_broken_;
    return is_whole ? Result<Block>{std::move(found)}
                    : Result<Block>{refused("an unexpected end")};
}

std::optional<Error> Reader::finish(Directive directive, char end, int depth,
                                    Block &into)
{
    if (directive.words.empty()) {
        return refused("a directive without a name");
    }

    directive.file = file_;
    if (end == ';') {
        if (directive.name() == "include" && directive.words.size() == 2) {
            return include(directive, depth, into);
        }
    } else if (directive.name().ends_with("_by_lua_block")) {
        if (!skip_lua()) {
            return refused("Lua without its end");
        }
    } else {
        bool is_around = std::exchange(is_table_, is_table(directive.name()));
        auto inner = block(depth + 1, false);
        is_table_ = is_around;
        if (!inner) {
            return std::move(inner).error();
        }
        directive.block = std::move(*inner);
    }

    into.push_back(std::move(directive));
    return std::nullopt;
}

std::optional<Error> Reader::include(const Directive &directive, int depth,
                                     Block &into)
{
    if (is_table_) {
        return std::nullopt;
    }

    for (const auto &source : load_(directive.word(1))) {
        auto included = Reader{source, load_, depth + 1}.file();
        if (!included) {
            return std::move(included).error();
        }
        for (auto &one : *included) {
            into.push_back(std::move(one));
        }
    }
    return std::nullopt;
}

char Reader::take()
{
    char c = text_[at_++];
    line_ += c == '\n';
    return c;
}

bool Reader::skip_spaces()
{
    while (!at_end()) {
        if (text_[at_] == '#') {
            at_ = std::min(text_.find('\n', at_), text_.size());
        } else if (kSpaces.find(text_[at_]) != kSpaces.npos) {
            take();
        } else {
            return true;
        }
    }
    return false;
}

std::string Reader::word()
{
    char c = text_[at_];
    return c == '"' || c == '\'' ? quoted(take()) : bare();
}

// Of a backslash before anything else both octets stay.
void add_escaped(std::string &word, char c)
{
    switch (c) {
    case '"':
    case '\'':
    case '\\':
        word += c;
        break;
    case 't':
        word += '\t';
        break;
    case 'r':
        word += '\r';
        break;
    case 'n':
        word += '\n';
        break;
    default:
        word += '\\';
        word += c;
    }
}

std::string Reader::quoted(char quote)
{
    std::string word;

    while (!at_end()) {
        char c = take();
        if (c == quote) {
            return word;
        }
        if (c == '\\' && !at_end()) {
            add_escaped(word, take());
        } else {
            word += c;
        }
    }

    is_broken_ = true;
    return word;
}

// "${" opens no block.
std::string Reader::bare()
{
    std::string word;

    while (!at_end()) {
        char c = text_[at_];
        bool is_variable = c == '{' && word.ends_with('$');
        if (!is_variable &&
            (c == ';' || c == '{' || kSpaces.find(c) != kSpaces.npos)) {
            break;
        }
        take();
        if (c == '\\' && !at_end()) {
            add_escaped(word, take());
        } else {
            word += c;
        }
    }
    return word;
}

// Behind the "{". Braces are counted, those in its strings too.
bool Reader::skip_lua()
{
    for (int open = 1; !at_end();) {
        char c = take();
        open += c == '{';
        open -= c == '}';
        if (open == 0) {
            return true;
        }
    }
    return false;
}

} // namespace

} // namespace bff::lint
