// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Those in this worker who wait for what somebody else is at: each is told
// once, from a fresh event, never by the call that asks.
//
// Many may wait. A turn of the event loop looks for some of them and tells
// some, and whoever else has something to do has it done in between.
//
// A tick looks again every second, for what a worker that died left undone.
// It runs only while somebody waits or is to be told, and keeps a worker that
// ends alive for them.

#pragma once

#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

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
    // A look that lasts no longer than a moment, and may know in it what it
    // has seen already.
    using Glance = std::function<Look()>;

    explicit Waiters(Glance glance) : glance_{std::move(glance)}
    {
        listen(tick_, guarded<on_tick>);
        listen(looking_, guarded<on_looking>);
        listen(telling_, guarded<on_telling>);
    }

    ~Waiters()
    {
        if (tick_.timer_set) {
            ngx_del_timer(&tick_);
        }
        for (auto *event : {&looking_, &telling_}) {
            if (event->posted) {
                ngx_delete_posted_event(event);
            }
        }
    }

    Waiters(const Waiters &) = delete;
    Waiters &operator=(const Waiters &) = delete;

    // Looks for this one alone: many may wait, and their time will come.
    std::unique_ptr<Wait> add(Question question, Told told)
    {
        auto waiter = std::make_unique<Waiter>(*this, std::move(question),
                                               std::move(told));
        waiter->settle(glance_()(waiter->question));
        keep_ticking();
        return waiter;
    }

    // Looks for each once more, from now on.
    void look_again()
    {
        to_look_at_ = waiting_.size();
        if (to_look_at_ > 0 && !is_looking_) { // what is seen may lead here
            look_on();
        }
    }

    // Tells each what `look` has for it.
    template <class F> void settle(const F &look)
    {
        std::vector<Waiter *> waiting{waiting_.begin(), waiting_.end()};
        for (auto *waiter : waiting) {
            if (!waiter->is_settled()) { // by one before it
                waiter->settle(look(waiter->question));
            }
        }
        keep_ticking();
    }

private:
    static constexpr ngx_msec_t kTickMs = 1000;
    static constexpr int kLooks = 16; // in one turn of the event loop
    static constexpr int kTold = 8; // likewise; each is a request that goes on

    class Waiter;
    using List = std::list<Waiter *>;

    class Waiter final : public Wait {
    public:
        Waiter(Waiters &all, Question question, Told told)
            : question{std::move(question)}, all_{all}, told_{std::move(told)}
        {
            all_.waiting_.push_back(this);
            list_ = &all_.waiting_;
            place_ = std::prev(list_->end());
        }

        ~Waiter() override { leave(); }

        bool is_settled() const { return list_ != &all_.waiting_; }

        void settle(std::optional<Outcome> outcome)
        {
            if (!outcome || is_settled()) {
                return;
            }

            outcome_ = std::move(outcome);
            all_.settled_.splice(all_.settled_.end(), *list_, place_);
            list_ = &all_.settled_;
            all_.tell_soon();
        }

        void leave()
        {
            if (list_ != nullptr) {
                std::exchange(list_, nullptr)->erase(place_);
                all_.rest();
            }
        }

        void tell()
        {
            auto told = std::move(told_);
            auto outcome = std::move(*outcome_);

            told(std::move(outcome)); // the waiter may be gone now
        }

        const Question question;

    private:
        Waiters &all_;
        Told told_;
        std::optional<Outcome> outcome_;
        List *list_ = nullptr; // where it is: of those to be told, or not yet
        typename List::iterator place_;
    };

    void listen(ngx_event_t &event, ngx_event_handler_pt handler)
    {
        event.data = this;
        event.handler = handler;
    }

    static Waiters &of(ngx_event_t *event)
    {
        return *static_cast<Waiters *>(event->data);
    }

    static void on_tick(ngx_event_t *event)
    {
        of(event).keep_ticking(); // whatever becomes of the look
        of(event).look_again();
    }
    static void on_looking(ngx_event_t *event) { of(event).look_on(); }
    static void on_telling(ngx_event_t *event) { of(event).tell_next(); }

    void post(ngx_event_t &event, ngx_queue_t &queue)
    {
        event.log = ngx_cycle->log;
        ngx_post_event(&event, &queue);
    }

    // Who was looked at goes to the end. One that leaves meanwhile makes
    // another one be looked at twice, which does no harm.
    void look_on()
    {
        auto look = glance_();
        Looking now{*this};

        for (int i = 0; i < kLooks && to_look_at_ > 0 && !waiting_.empty();
             i++) {
            auto *waiter = waiting_.front();
            waiting_.splice(waiting_.end(), waiting_, waiting_.begin());
            to_look_at_--;
            waiter->settle(look(waiter->question));
        }
    }

    // Goes on in the next turn, also after an exception.
    struct Looking {
        explicit Looking(Waiters &all) : all{all} { all.is_looking_ = true; }
        ~Looking()
        {
            all.is_looking_ = false;
            if (all.to_look_at_ > 0 && !all.waiting_.empty()) {
                all.post(all.looking_, ngx_posted_next_events);
            }
            all.keep_ticking();
        }
        Looking(const Looking &) = delete;
        Looking &operator=(const Looking &) = delete;

        Waiters &all;
    };

    void tell_soon()
    {
        if (!telling_.posted) {
            post(telling_, ngx_posted_events);
        }
    }

    // One in each event, so that nobody's trouble is another one's.
    void tell_next()
    {
        if (settled_.empty()) { // it has left
            return;
        }

        auto *waiter = settled_.front();
        bool is_last = settled_.size() == 1;
        waiter->leave();

        told_ = is_last ? 0 : (told_ + 1) % kTold;
        if (!is_last) {
            post(telling_,
                 told_ == 0 ? ngx_posted_next_events : ngx_posted_events);
        }

        waiter->tell();
    }

    bool is_idle() const { return waiting_.empty() && settled_.empty(); }

    void keep_ticking()
    {
        if (!is_idle() && !tick_.timer_set) {
            tick_.log = ngx_cycle->log;
            ngx_add_timer(&tick_, kTickMs);
        }
    }

    // It must not keep a worker alive for nobody.
    void rest()
    {
        if (is_idle() && tick_.timer_set) {
            ngx_del_timer(&tick_);
        }
    }

    Glance glance_;
    List waiting_;
    List settled_; // to be told
    size_t to_look_at_ = 0;
    bool is_looking_ = false;
    int told_ = 0;
    ngx_event_t tick_{};
    ngx_event_t looking_{};
    ngx_event_t telling_{};
};

} // namespace bff::ngx
