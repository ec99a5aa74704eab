// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The four words in which the core answers NGINX.
//
// A story says one of them; the loop in module/driver performs it and, after
// a Fetch, shows the story what came back.

#pragma once

#include <string>
#include <variant>

#include "core/base/secret.hpp"
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
    logout,
    reject,
};
std::string_view name_of(Action action);

struct Pass {}; // not ours, let NGINX go on

// What must be asked only once at a time, of all workers together. Whoever
// comes second waits for the same answer.
enum class Once {
    no,           // an ordinary call of this request
    metadata,     // of the provider; a known copy will do
    keys,         // likewise
    renewed_keys, // a key set newer than the one we know (KEY-6, KEY-7)
};

struct Fetch { // please ask the provider
    web::HttpRequest request;
    Once once = Once::no;
};

struct Reply { // answer the browser
    web::HttpResponse response;
    session::Change change = session::Keep{};
    Action action = Action::none;
    std::string_view error = {}; // a code of the contract, "" when none
    Report report = {};
};

struct Proceed {   // let it through, with this token
    Secret bearer; // empty: without one
    session::Change change = session::Keep{};
};

using Step = std::variant<Pass, Fetch, Reply, Proceed>;

} // namespace bff::flow
