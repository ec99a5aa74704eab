// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Asks what a browser would say: node, whose URL is a WHATWG parser, in a
// process of its own at the other end of two pipes (oracle.mjs).
//
// Its verdicts come from t/lib/whatwg.mjs, which the tests on a real NGINX
// use as well. Run from the top of the tree, where make is.

#pragma once

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include <unistd.h>

namespace bff::fuzz {

class Oracle {
public:
    // One for the whole run; it ends when we do.
    static Oracle &of_browsers()
    {
        static Oracle oracle;
        return oracle;
    }

    // What is wrong with the verdict, or "". kind: see oracle.mjs; kept:
    // absent when `given` was refused.
    std::string ask(char kind, std::string_view given,
                    const std::optional<std::string> &kept)
    {
        std::string question{kind};
        add(question, given);
        question += kept ? '\1' : '\0';
        add(question, kept ? *kept : std::string{});
        put(question);

        return get(size_of(get(4)));
    }

private:
    Oracle()
    {
        signal(SIGPIPE, SIG_IGN); // so that we can say that it is gone

        int there[2];
        int back[2];
        if (pipe(there) != 0 || pipe(back) != 0) {
            stop("no pipe");
        }

        if (fork() == 0) {
            dup2(there[0], 0);
            dup2(back[1], 1);
            close(there[1]);
            close(back[0]);
            execlp("node", "node", "t/fuzz/oracle.mjs", nullptr);
            _exit(127);
        }

        close(there[0]);
        close(back[1]);
        to_ = there[1];
        from_ = back[0];
    }

    static void add(std::string &question, std::string_view text)
    {
        for (int shift = 0; shift < 32; shift += 8) {
            question += static_cast<char>(text.size() >> shift & 255);
        }
        question += text;
    }

    static size_t size_of(const std::string &octets)
    {
        size_t size = 0;
        for (size_t i = 0; i < octets.size(); i++) {
            size |= size_t{static_cast<unsigned char>(octets[i])} << 8 * i;
        }
        return size;
    }

    void put(std::string_view octets)
    {
        while (!octets.empty()) {
            auto sent = write(to_, octets.data(), octets.size());
            if (sent <= 0) {
                stop("it does not listen");
            }
            octets.remove_prefix(static_cast<size_t>(sent));
        }
    }

    std::string get(size_t size)
    {
        std::string octets(size, '\0');
        for (size_t at = 0; at < size;) {
            auto got = read(from_, octets.data() + at, size - at);
            if (got <= 0) {
                stop("it does not answer; is node there?");
            }
            at += static_cast<size_t>(got);
        }
        return octets;
    }

    [[noreturn]] static void stop(const char *why)
    {
        std::fprintf(stderr, "t/fuzz/oracle.mjs: %s\n", why);
        std::abort();
    }

    int to_ = -1;
    int from_ = -1;
};

} // namespace bff::fuzz
