// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Those in this worker who wait for what somebody else is at: each is told
// once, from a fresh event, never by the call that asks.
//
// A tick looks again every second, for what a worker that died left undone.
// It runs only while somebody waits, and keeps a worker that ends alive for
// them.

#pragma once

#include <functional>
#include <list>
#include <memory>
#include <optional>

#include "ngx/boundary.hpp"

namespace bff::ngx {

// Dropping it means: no longer interested.
class Wait {
public:
    virtual ~Wait() = default;
};

template <class Question, class Outcome> class Waiters {
public:
    using Told = std::function<void(Outcome)>;
    // Empty: there is nothing to tell yet.
    using Look = std::function<std::optional<Outcome>(const Question &)>;

    explicit Waiters(Look look) : look_{std::move(look)}
    {
        tick_.data = this;
        tick_.handler = guarded<on_tick>;
    }
    ~Waiters() { stop_ticking(); }
    Waiters(const Waiters &) = delete;
    Waiters &operator=(const Waiters &) = delete;

    // Looks for this one alone: many may wait, and their time will come.
    std::unique_ptr<Wait> add(Question question, Told told)
    {
        auto waiter = std::make_unique<Waiter>(*this, std::move(question),
                                               std::move(told));
        waiter->settle(look_(waiter->question));
        keep_ticking();
        return waiter;
    }

    void look_again() { settle(look_); }

    // Tells each what `look` has for it.
    template <class F> void settle(const F &look)
    {
        auto waiting = waiters_;
        for (auto *waiter : waiting) {
            if (!waiter->is_settled()) { // by one before it
                waiter->settle(look(waiter->question));
            }
        }
        keep_ticking();
    }

private:
    static constexpr ngx_msec_t kTickMs = 1000;

    class Waiter final : public Wait {
    public:
        Waiter(Waiters &all, Question question, Told told)
            : question{std::move(question)}, all_{all}, told_{std::move(told)}
        {
            posted_.data = this;
            posted_.log = ngx_cycle->log;
            posted_.handler = guarded<on_posted>;
            all_.waiters_.push_back(this);
        }

        ~Waiter() override
        {
            all_.leave(this);
            if (posted_.posted) {
                ngx_delete_posted_event(&posted_);
            }
        }

        bool is_settled() const { return outcome_.has_value(); }

        void settle(std::optional<Outcome> outcome)
        {
            if (!outcome || is_settled()) {
                return;
            }

            all_.leave(this);
            outcome_ = std::move(outcome);
            ngx_post_event(&posted_, &ngx_posted_events);
        }

        const Question question;

    private:
        static void on_posted(ngx_event_t *event)
        {
            auto *waiter = static_cast<Waiter *>(event->data);
            auto told = std::move(waiter->told_);
            auto outcome = std::move(*waiter->outcome_);

            told(std::move(outcome)); // the waiter may be gone now
        }

        Waiters &all_;
        Told told_;
        std::optional<Outcome> outcome_;
        ngx_event_t posted_{};
    };

    static void on_tick(ngx_event_t *event)
    {
        static_cast<Waiters *>(event->data)->look_again();
    }

    void keep_ticking()
    {
        if (!waiters_.empty() && !tick_.timer_set) {
            tick_.log = ngx_cycle->log;
            ngx_add_timer(&tick_, kTickMs);
        }
    }

    // It must not keep a worker alive for nobody.
    void stop_ticking()
    {
        if (tick_.timer_set) {
            ngx_del_timer(&tick_);
        }
    }

    void leave(Waiter *waiter)
    {
        waiters_.remove(waiter);
        if (waiters_.empty()) {
            stop_ticking();
        }
    }

    Look look_;
    std::list<Waiter *> waiters_;
    ngx_event_t tick_{};
};

} // namespace bff::ngx
