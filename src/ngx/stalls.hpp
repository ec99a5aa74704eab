// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// How long each callback of ours keeps the event loop waiting: an option of
// the build (BFF_STALLS, "make stalls").
//
// Counted is the thread's own processor time, since on a busy machine every
// process waits for a processor; the time that went by is kept beside it. A
// callback within a callback is part of it; one that NGINX calls out of what
// is MeasuredApart is counted by itself. What a worker has counted is one line
// of JSON when it ends, in "stalls.jsonl" beside the module's file.

#pragma once

#ifdef BFF_STALLS

#include <array>
#include <string>
#include <string_view>
#include <type_traits>

#include "core/base/apart.hpp"
#include "core/base/histogram.hpp"
#include "ngx/ngx.hpp"

namespace bff::ngx {

struct Share {
    uint64_t processor;
    uint64_t octets;
};

constexpr size_t kParts = 3; // Part::json, zlib, cipher

// What one call of a callback was made of.
struct Made {
    std::array<Share, kParts> parts{};
    long pages = 0;   // of memory, touched for the first time
    std::string path; // of its request, where it was called with one
};

// One callback's, in this process.
struct Tally {
    Tally(std::string_view name, bool is_start) noexcept;
    void add(uint64_t processor, uint64_t passed, const Made &made) noexcept;

    std::string_view name; // has its function's whole signature
    bool is_start;         // runs before a worker serves
    ngx_pid_t pid = 0;
    Histogram processor;
    Histogram passed;
    Made longest;
    Tally *next;
};

class Stall {
public:
    template <class... Args>
    explicit Stall(Tally &tally, Args... args) noexcept
        : tally_{is_outermost() ? &tally : nullptr}
    {
        if (tally_ != nullptr) {
            begin(path_in(args...));
        }
    }
    ~Stall();
    Stall(const Stall &) = delete;
    Stall &operator=(const Stall &) = delete;

private:
    static bool is_outermost() noexcept;
    void begin(std::string_view path) noexcept;

    static std::string_view path_in() { return {}; }
    template <class T, class... Rest>
    static std::string_view path_in(T first, Rest... rest)
    {
        if constexpr (std::is_same_v<T, ngx_http_request_t *>) {
            return {reinterpret_cast<char *>(first->uri.data), first->uri.len};
        } else {
            return path_in(rest...);
        }
    }

    Tally *tally_; // null: within another one
};

// By what NGINX hands it: such a function is called before a worker serves.
template <class... Args> constexpr bool kIsStart = false;
template <class... Rest> constexpr bool kIsStart<ngx_conf_t *, Rest...> = true;
template <class... Rest> constexpr bool kIsStart<ngx_cycle_t *, Rest...> = true;
template <class... Rest>
constexpr bool kIsStart<ngx_shm_zone_t *, Rest...> = true;

template <auto f, bool is_start = false> Tally &tally_of()
{
    static Tally tally{__PRETTY_FUNCTION__, is_start};
    return tally;
}

// Of the end of what lives in a pool.
template <class T> Tally &tally_of_end()
{
    static Tally tally{__PRETTY_FUNCTION__, false};
    return tally;
}

void write_stalls() noexcept;

} // namespace bff::ngx

#define BFF_STALL(...)                                                         \
    ::bff::ngx::Stall stall_                                                   \
    {                                                                          \
        __VA_ARGS__                                                            \
    }
#define BFF_WRITE_STALLS() ::bff::ngx::write_stalls()

#else

#define BFF_STALL(...)
#define BFF_WRITE_STALLS()

#endif
