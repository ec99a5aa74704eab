// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What we remember about a browser that has logged in.
//
// Two parts: the head is what an API request needs; the details stay packed
// until somebody asks.

#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/instant.hpp"
#include "core/base/json.hpp"
#include "core/base/result.hpp"
#include "core/base/secret.hpp"

namespace bff::session {

struct Details {
    Secret id_token; // empty unless logout_token_hint keeps it
    Secret refresh_token;
    std::string token_type;
    std::string scope;
    std::string sub;
    std::string sid;           // the provider's, "" when it has none
    std::string session_state; // of the callback, "" when absent
    std::string claims;        // a JSON object, session_claims only
    // What a later ID token of the same session must repeat (OpenID Connect
    // Core 12.2); "" what the first one did not have.
    std::string nonce;
    std::string auth_time;
    std::string azp;
};

struct Session {
    std::string id; // 16 random octets; also names it in logs, as a hash
    uint32_t generation = 0; // how many times its tokens were renewed
    bool has_refresh_token = false;
    std::string sid_mark, sub_mark; // see mark.hpp
    Moment created;
    Instant expires; // absolute end (session_timeout)
    Instant active;  // the last activity that was written down
    std::optional<Instant> access_token_expires;
    Secret access_token;
    std::string packed_details; // see session_codec
    // What opens it in the store that keeps it; empty: the cookie has it all.
    Secret handle;

    // Not sealed: what whoever opened it knows besides.
    std::optional<Seconds> idle; // session_idle_timeout, as it is now
    bool has_old_key = false;    // sealed by another key than the first
    bool is_brief = false; // as an API request needs it: without its details

    bool is_expired(Instant now) const { return left(now) <= Seconds{0}; }
    // The access token may still be sent; unknown lifetime counts as yes.
    bool has_live_token(Instant now) const
    {
        return !access_token_expires || now < *access_token_expires;
    }
    // Its end is so near, or past, that new tokens should be had (RT-7).
    bool is_due(Seconds before, Instant now) const
    {
        return has_refresh_token && access_token_expires &&
               now >= *access_token_expires - before;
    }
    // To the nearer of both its ends. A last use that lies ahead, by a clock
    // that was set back, counts as one of now.
    Seconds left(Instant now) const
    {
        auto left = expires - now;
        if (idle) {
            left = std::min(left, *idle - std::max(now - active, Seconds{0}));
        }
        return std::max(left, Seconds{0});
    }
};

// One that several hold, since a request hands it on many times. Nobody changes
// it: who wants another one makes it.
class SharedSession {
public:
    SharedSession(std::nullopt_t = std::nullopt) {}
    SharedSession(Session session)
        : session_{std::make_shared<const Session>(std::move(session))}
    {
    }

    explicit operator bool() const noexcept { return session_ != nullptr; }
    const Session &operator*() const noexcept { return *session_; }
    const Session *operator->() const noexcept { return session_.get(); }

private:
    std::shared_ptr<const Session> session_;
};

} // namespace bff::session
