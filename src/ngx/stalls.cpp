// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// One frame for each callback and each part measured apart that is under way;
// what is apart is taken off the frame around it.

#include "ngx/stalls.hpp"

#ifdef BFF_STALLS

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <ctime>
#include <string>
#include <utility>

namespace bff {
namespace {

using ngx::Made;
using ngx::Tally;

struct Moment {
    uint64_t processor;
    uint64_t passed;
};

struct Frame {
    Tally *tally; // null: what NGINX does
    Moment began;
    Moment apart; // of what is within
    Made made;
};

constexpr size_t kMostFrames = 64;
std::array<Frame, kMostFrames> frames;
size_t depth = 0;

Tally *first = nullptr;

Tally signatures{"signature", false};

// Not by the library, where a test sets another clock.
uint64_t clock_of(clockid_t id)
{
    timespec t{};
    syscall(SYS_clock_gettime, id, &t);
    return static_cast<uint64_t>(t.tv_sec) * 1000000000 +
           static_cast<uint64_t>(t.tv_nsec);
}

Moment now()
{
    return {clock_of(CLOCK_THREAD_CPUTIME_ID), clock_of(CLOCK_MONOTONIC)};
}

long touched_pages()
{
    rusage usage{};
    getrusage(RUSAGE_THREAD, &usage);
    return usage.ru_minflt;
}

void push(Tally *tally, std::string_view path = {})
{
    if (depth < kMostFrames) {
        auto &frame = frames[depth];
        frame.tally = tally;
        frame.apart = {};
        frame.made.parts = {};
        frame.made.path = path;
        frame.made.pages = touched_pages();
        frame.began = now();
    }
    depth++;
}

void pop()
{
    if (--depth >= kMostFrames) {
        return;
    }

    auto ended = now();
    auto &frame = frames[depth];
    Moment all{ended.processor - frame.began.processor,
               ended.passed - frame.began.passed};
    if (frame.tally != nullptr) {
        frame.made.pages = touched_pages() - frame.made.pages;
        frame.tally->add(all.processor - frame.apart.processor,
                         all.passed - frame.apart.passed, frame.made);
    }

    bool is_apart = frame.tally == nullptr || frame.tally == &signatures;
    if (depth > 0 && is_apart) {
        frames[depth - 1].apart.processor += all.processor;
        frames[depth - 1].apart.passed += all.passed;
    }
}

bool is_within_callback()
{
    return depth > 0 && depth <= kMostFrames &&
           frames[depth - 1].tally != nullptr &&
           frames[depth - 1].tally != &signatures;
}

std::string json_of(const Made &made)
{
    constexpr std::array<std::string_view, ngx::kParts> names{"json", "zlib",
                                                              "cipher"};

    std::string out{"{\"path\":\""};
    for (char c : made.path) {
        out += c > 32 && c < 127 && c != '"' && c != '\\' ? c : '?';
    }
    out += "\",\"pages\":" + std::to_string(made.pages);
    for (size_t i = 0; i < names.size(); i++) {
        const auto &[processor, octets] = made.parts[i];
        out.append(",\"").append(names[i]).append("\":{\"ns\":");
        out += std::to_string(processor);
        out += ",\"octets\":" + std::to_string(octets) + '}';
    }
    return out += '}';
}

std::string json_of(const Tally &tally)
{
    std::string buckets;
    for (auto n : tally.processor.buckets()) {
        buckets += (buckets.empty() ? "" : ",") + std::to_string(n);
    }

    std::string out{"{\"name\":\""};
    out.append(tally.name).append("\",\"start\":");
    out.append(tally.is_start ? "true" : "false");
    out += ",\"count\":" + std::to_string(tally.processor.count());
    out += ",\"sum\":" + std::to_string(tally.processor.sum());
    out += ",\"worst\":" + std::to_string(tally.processor.worst());
    out += ",\"worst_passed\":" + std::to_string(tally.passed.worst());
    out += ",\"longest\":" + json_of(tally.longest);
    out += ",\"buckets\":[" + buckets + "]}";
    return out;
}

std::string file()
{
    Dl_info info{};
    dladdr(reinterpret_cast<void *>(&ngx::write_stalls), &info);
    std::string module{info.dli_fname != nullptr ? info.dli_fname : ""};
    return module.substr(0, module.rfind('/') + 1) + "stalls.jsonl";
}

} // namespace

void begin_apart(Apart kind) noexcept
{
    push(kind == Apart::signature ? &signatures : nullptr);
}

void end_apart() noexcept
{
    pop();
}

uint64_t begin_part() noexcept
{
    return depth > 0 ? clock_of(CLOCK_THREAD_CPUTIME_ID) : 0;
}

void end_part(Part kind, size_t octets, uint64_t began) noexcept
{
    if (depth > 0 && depth <= kMostFrames) {
        auto &part = frames[depth - 1].made.parts[static_cast<size_t>(kind)];
        part.processor += clock_of(CLOCK_THREAD_CPUTIME_ID) - began;
        part.octets += octets;
    }
}

namespace ngx {

Tally::Tally(std::string_view called, bool starts) noexcept
    : name{called}, is_start{starts}, next{std::exchange(first, this)}
{
}

// What was counted before a worker came of this process is the master's.
void Tally::add(uint64_t used, uint64_t went_by, const Made &made) noexcept
{
    if (std::exchange(pid, ngx_pid) != ngx_pid) {
        processor = {};
        passed = {};
    }

    if (used > processor.worst()) {
        longest = made;
    }

    processor.add(used);
    passed.add(went_by);
}

bool Stall::is_outermost() noexcept
{
    return !is_within_callback();
}

void Stall::begin(std::string_view path) noexcept
{
    push(tally_, path);
}

Stall::~Stall()
{
    if (tally_ != nullptr) {
        pop();
    }
}

void write_stalls() noexcept
{
    std::string line{"{\"pid\":"};
    line += std::to_string(ngx_pid) + ",\"callbacks\":[";

    for (auto *tally = first; tally != nullptr; tally = tally->next) {
        if (tally->pid == ngx_pid && tally->processor.count() > 0) {
            line += (line.back() == '[' ? "" : ",") + json_of(*tally);
        }
    }
    line += "]}\n";

    auto fd =
        open(file().c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    if (fd != -1) {
        [[maybe_unused]] auto n = write(fd, line.data(), line.size());
        close(fd);
    }
}

} // namespace ngx
} // namespace bff

#endif
