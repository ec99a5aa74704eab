// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Sends requests over connections that are kept, and tells how long they took.
//
//   load PORT CONNECTIONS HEAD COOKIES ORDER FIRST LIMIT [RATE]
//
// HEAD is a file with the request's lines but the Cookie header; COOKIES a file
// with one Cookie header value a line, or "-" for none. ORDER takes them one
// after the other from line FIRST on ("next"), or in a random order ("random");
// "random:1000" takes the first 1000 lines only, "step:20" each 20th line.
// LIMIT is a number of requests
// ("1000") or of seconds ("3s").
//
// Without RATE each connection sends when it has its answer (a closed loop).
// With it, so many requests a second are due at times that are fixed
// beforehand, and what a request waits for a free connection is part of its
// time: a server that stalls does not make fewer requests meet the stall.
//
// Anything but a 200 with a body of known length ends the program with 1.

#include <algorithm>
#include <arpa/inet.h>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <fcntl.h>
#include <fstream>
#include <iostream>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <unistd.h>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
using Nanoseconds = std::chrono::nanoseconds;

[[noreturn]] void fail(const std::string &why)
{
    std::cerr << "load: " << why << "\n";
    std::exit(1);
}

// --- what is sent ---

// The lines of a file that may be larger than one would like to read.
class Lines {
public:
    Lines(const std::string &path, size_t most)
    {
        if (path == "-") {
            lines_.emplace_back();
            return;
        }

        auto fd = ::open(path.c_str(), O_RDONLY);
        struct stat about {};
        if (fd == -1 || fstat(fd, &about) == -1 || about.st_size == 0) {
            fail("cannot read " + path);
        }
        auto size = static_cast<size_t>(about.st_size);
        auto *memory = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (memory == MAP_FAILED) {
            fail("cannot map " + path);
        }

        std::string_view rest{static_cast<const char *>(memory), size};
        while (!rest.empty() && lines_.size() < most) {
            auto end = std::min(rest.find('\n'), rest.size() - 1);
            lines_.push_back(rest.substr(0, end));
            rest.remove_prefix(end + 1);
        }
    }

    std::string_view operator[](size_t i) const
    {
        return lines_[i % lines_.size()];
    }
    size_t size() const { return lines_.size(); }

private:
    std::vector<std::string_view> lines_;
};

class Order {
public:
    Order(const std::string &name, size_t first, size_t size, size_t step)
        : is_random_{name == "random"}, next_{first}, size_{size}, step_{step},
          seed_{(first + 1) * 0x9E3779B97F4A7C15ULL}
    {
    }

    size_t next()
    {
        if (!is_random_) {
            auto now = next_;
            next_ += step_;
            return now;
        }
        // xorshift64*, for each FIRST always the same sequence
        seed_ ^= seed_ >> 12;
        seed_ ^= seed_ << 25;
        seed_ ^= seed_ >> 27;
        return (seed_ * 0x2545F4914F6CDD1DULL >> 32) % size_;
    }

private:
    bool is_random_;
    size_t next_, size_, step_;
    uint64_t seed_;
};

struct Plan {
    uint16_t port;
    size_t connections;
    std::string head;
    std::optional<size_t> requests;
    std::optional<Nanoseconds> time;
    std::optional<double> rate;
};

// --- one connection ---

class Connection {
public:
    explicit Connection(uint16_t port)
        : fd_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)}
    {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (::connect(fd_, reinterpret_cast<sockaddr *>(&address),
                      sizeof(address)) == -1) {
            fail("cannot connect");
        }
    }

    int fd() const { return fd_; }
    Clock::time_point due() const { return due_; }

    void send(std::string_view head, std::string_view cookie,
              Clock::time_point due)
    {
        constexpr std::string_view kName = "Cookie: ";
        constexpr std::string_view kEnd = "\r\n\r\n";
        due_ = due;

        std::vector<std::string_view> pieces{head};
        if (!cookie.empty()) {
            pieces.insert(pieces.end(), {kName, cookie, kEnd});
        } else {
            pieces.push_back(kEnd.substr(2));
        }
        write(pieces);
    }

    // True: the answer has come whole.
    bool receive()
    {
        auto n = ::read(fd_, buffer_ + filled_, sizeof(buffer_) - filled_);
        if (n <= 0) {
            fail("the server closed a connection");
        }
        filled_ += static_cast<size_t>(n);

        std::string_view text{buffer_, filled_};
        auto end = text.find("\r\n\r\n");
        if (end == text.npos) {
            return false;
        }
        auto size = end + 4 + length_of(text.substr(0, end + 2));
        if (filled_ < size) {
            return false;
        }
        if (filled_ > size) {
            fail("more than one answer came");
        }
        filled_ = 0;
        return true;
    }

private:
    void write(const std::vector<std::string_view> &pieces)
    {
        iovec vector[4];
        size_t total = 0;
        for (size_t i = 0; i < pieces.size(); i++) {
            vector[i] = {const_cast<char *>(pieces[i].data()),
                         pieces[i].size()};
            total += pieces[i].size();
        }
        auto n = ::writev(fd_, vector, static_cast<int>(pieces.size()));
        if (n != static_cast<ssize_t>(total)) {
            fail("cannot send a request at once");
        }
    }

    static size_t length_of(std::string_view head)
    {
        constexpr std::string_view kName = "\r\nContent-Length: ";
        auto at = head.find(kName);
        if (!head.starts_with("HTTP/1.1 200 ") || at == head.npos) {
            fail("unexpected answer:\n" + std::string{head});
        }
        return std::strtoul(head.data() + at + kName.size(), nullptr, 10);
    }

    int fd_;
    Clock::time_point due_;
    size_t filled_ = 0;
    char buffer_[16384];
};

// --- the run ---

class Run {
public:
    Run(const Plan &plan, const Lines &cookies, Order order)
        : plan_{plan}, cookies_{cookies}, order_{order}, epoll_{
                                                             epoll_create1(0)}
    {
        for (size_t i = 0; i < plan.connections; i++) {
            connections_.emplace_back(plan.port);
        }
        for (auto &connection : connections_) {
            watch(connection.fd(), &connection);
            idle_.push_back(&connection);
        }
    }

    void go()
    {
        began_ = Clock::now();
        if (plan_.rate) {
            start_timer();
        }

        send_what_is_due();
        while (!is_over() || idle_.size() < connections_.size()) {
            wait();
            send_what_is_due();
        }
        ended_ = Clock::now();
    }

    void print()
    {
        std::chrono::duration<double> seconds = ended_ - began_;
        std::sort(times_.begin(), times_.end());
        std::printf("{\"requests\": %zu, \"seconds\": %.6f, \"p50\": %.1f, "
                    "\"p99\": %.1f, \"max\": %.1f, \"cpu\": %.2f}\n",
                    times_.size(), seconds.count(), at(0.5), at(0.99), at(1),
                    own_time() / static_cast<double>(times_.size()));
    }

private:
    // In microseconds.
    double at(double share) const
    {
        if (times_.empty()) {
            return 0;
        }
        auto i =
            static_cast<size_t>(share * static_cast<double>(times_.size() - 1));
        return static_cast<double>(times_[i].count()) / 1000;
    }

    // On a processor, in microseconds.
    static double own_time()
    {
        rusage usage{};
        getrusage(RUSAGE_SELF, &usage);
        auto of = [](const timeval &time) {
            return static_cast<double>(time.tv_sec) * 1e6 +
                   static_cast<double>(time.tv_usec);
        };
        return of(usage.ru_utime) + of(usage.ru_stime);
    }

    bool is_over() const
    {
        return plan_.requests ? sent_ >= *plan_.requests
                              : Clock::now() - began_ >= *plan_.time;
    }

    Clock::time_point due(size_t number) const
    {
        return began_ + std::chrono::duration_cast<Nanoseconds>(
                            std::chrono::duration<double>(
                                static_cast<double>(number) / *plan_.rate));
    }

    void send_what_is_due()
    {
        while (!idle_.empty() && !is_over()) {
            auto now = Clock::now();
            auto when = plan_.rate ? due(sent_) : now;
            if (when > now) {
                return;
            }
            auto *connection = idle_.front();
            idle_.pop_front();
            connection->send(plan_.head, cookies_[order_.next()], when);
            sent_++;
        }
    }

    void wait()
    {
        epoll_event events[64];
        auto n = epoll_wait(epoll_, events, 64, plan_.rate ? -1 : 30000);
        if (n == 0) {
            fail("no answer in 30 s");
        }
        for (int i = 0; i < n; i++) {
            auto *connection = static_cast<Connection *>(events[i].data.ptr);
            if (connection == nullptr) {
                uint64_t ticks = 0;
                (void)!::read(timer_, &ticks, sizeof(ticks));
            } else if (connection->receive()) {
                times_.push_back(Clock::now() - connection->due());
                idle_.push_back(connection);
            }
        }
    }

    // Ticks at the rate, from which due() never strays.
    void start_timer()
    {
        auto period = static_cast<long>(1e9 / *plan_.rate);
        prctl(PR_SET_TIMERSLACK, 1UL);
        timer_ = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
        itimerspec times{{period / 1000000000, period % 1000000000},
                         {period / 1000000000, period % 1000000000}};
        timerfd_settime(timer_, 0, &times, nullptr);
        watch(timer_, nullptr);
    }

    void watch(int fd, void *what) const
    {
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.ptr = what;
        epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
    }

    const Plan &plan_;
    const Lines &cookies_;
    Order order_;
    int epoll_, timer_ = -1;
    std::deque<Connection> connections_;
    std::deque<Connection *> idle_;
    std::vector<Nanoseconds> times_;
    size_t sent_ = 0;
    Clock::time_point began_, ended_;
};

std::string content_of(const std::string &path)
{
    std::ostringstream text;
    text << std::ifstream{path}.rdbuf();
    return text.str();
}

} // namespace

int main(int argc, char **argv)
{
    std::vector<std::string> args{argv + 1, argv + argc};
    if (args.size() < 7) {
        fail("PORT CONNECTIONS HEAD COOKIES ORDER FIRST LIMIT [RATE]");
    }

    Plan plan;
    plan.port = static_cast<uint16_t>(std::stoul(args[0]));
    plan.connections = std::stoul(args[1]);
    plan.head = content_of(args[2]);
    if (args[6].ends_with('s')) {
        plan.time = std::chrono::duration_cast<Nanoseconds>(
            std::chrono::duration<double>(std::stod(args[6])));
    } else {
        plan.requests = std::stoul(args[6]);
    }
    if (args.size() > 7) {
        plan.rate = std::stod(args[7]);
    }

    auto colon = args[4].find(':');
    auto name = args[4].substr(0, colon);
    size_t number =
        colon == std::string::npos ? 0 : std::stoul(args[4].substr(colon + 1));
    bool is_step = name == "step";

    Lines cookies{args[3], is_step || number == 0 ? SIZE_MAX : number};
    Run run{
        plan, cookies,
        Order{name, std::stoul(args[5]), cookies.size(), is_step ? number : 1}};
    run.go();
    run.print();
}
