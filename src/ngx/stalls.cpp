// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// One frame for each callback and each part measured apart that is under way;
// what is apart is taken off the frame around it.

#include "ngx/stalls.hpp"

#ifdef BFF_STALLS

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <ctime>
#include <string>
#include <utility>

namespace bff {
namespace {

using ngx::Tally;

struct Moment {
    uint64_t processor;
    uint64_t passed;
};

struct Frame {
    Tally *tally; // null: what NGINX does
    Moment began;
    Moment apart; // of what is within
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

void push(Tally *tally)
{
    if (depth < kMostFrames) {
        frames[depth] = {tally, {}, {}};
        frames[depth].began = now();
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
        frame.tally->add(all.processor - frame.apart.processor,
                         all.passed - frame.apart.passed);
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

namespace ngx {

Tally::Tally(std::string_view called, bool starts) noexcept
    : name{called}, is_start{starts}, next{std::exchange(first, this)}
{
}

// What was counted before a worker came of this process is the master's.
void Tally::add(uint64_t used, uint64_t went_by) noexcept
{
    if (std::exchange(pid, ngx_pid) != ngx_pid) {
        processor = {};
        passed = {};
    }

    processor.add(used);
    passed.add(went_by);
}

Stall::Stall(Tally &tally) noexcept
    : tally_{is_within_callback() ? nullptr : &tally}
{
    if (tally_ != nullptr) {
        push(tally_);
    }
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
