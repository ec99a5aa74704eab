// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The four words in which the core answers NGINX.
//
// A story says one of them; the loop in module/driver performs it and, after
// a Fetch, shows the story what came back.

#pragma once

#include <functional>
#include <optional>
#include <string>
#include <variant>

#include "core/base/secret.hpp"
#include "core/oidc/provider.hpp"
#include "core/session/session_store.hpp"
#include "core/web/http_message.hpp"

namespace bff::flow {

// One good sentence for the operator's log; empty: nothing to say.
struct Report {
    enum class Level { info, warn, error };

    Level level = Level::info;
    std::string text;
};

// What the module did, for $bff_action.
enum class Action {
    none,
    pass,
    bounce, // to itself, so that a Strict cookie comes along
    login,
    callback,
    session,
    user,
    userinfo,
    refresh,
    logout,
    backchannel,
    frontchannel,
    preflight,
    jwks,
    reject,
};
std::string_view name_of(Action action);

struct Pass {}; // not ours, let NGINX go on

using oidc::Once;

struct Fetch { // please ask the provider
    web::HttpRequest request;
    Once once = Once::no;
    session::Change change = session::Keep{}; // the use, of a refresh
};

// Something to tell the provider when the browser has its answer: nobody waits
// for what comes of it, only the log is told.
struct Errand {
    web::HttpRequest request;
    Seconds within;
    std::function<Report(const Result<web::HttpResponse> &)> report;
};

struct Reply { // answer the browser
    web::HttpResponse response;
    session::Change change = session::Keep{};
    Action action = Action::none;
    std::string_view error = {}; // a code of the contract, "" when none
    Report report = {};
    // What a script would have been told, when `response` is an error's page.
    std::optional<web::HttpResponse> twin = {};
    std::optional<Errand> errand = {};
};

// In whose name a request goes on.
enum class Who {
    nobody,
    session,
    client, // by its own Authorization, which stays as it is
};

struct Proceed {   // let it through, with this token
    Secret bearer; // empty: without one
    session::Change change = session::Keep{};
    bool renew = false; // its end is near: have new tokens meanwhile
    Who who = Who::nobody;
};

using Step = std::variant<Pass, Fetch, Reply, Proceed>;

} // namespace bff::flow
