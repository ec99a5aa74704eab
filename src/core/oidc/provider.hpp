// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// One provider as known right now: settings, metadata, keys; says what is
// missing.
//
// A snapshot: who holds one sees nothing change. Documents are shared between
// snapshots, since key sets are costly to parse.

#pragma once

#include <memory>
#include <string>

#include "core/oidc/client_settings.hpp"
#include "core/oidc/jwks.hpp"
#include "core/oidc/metadata.hpp"
#include "core/web/http_message.hpp"

namespace bff::oidc {

// The documents that a provider publishes.
enum class Document { metadata, keys };

// What must be asked only once at a time, of all workers together. Whoever
// comes second waits for the same answer.
enum class Once {
    no,           // an ordinary call of this request
    metadata,     // a known copy will do
    keys,         // likewise
    renewed_keys, // a key set newer than the one we know (KEY-6, KEY-7)
    renewed_keys_for_anybody, // likewise, for who need not have logged in
    refresh,       // not a document: new tokens for this session (RT-5)
    early_refresh, // likewise, for who can do with those at hand
};

struct Provider {
    std::shared_ptr<const ClientSettings> client;
    std::shared_ptr<const Metadata> metadata; // null: not known yet
    std::shared_ptr<const Jwks> keys;         // null: not known yet

    // keys need metadata first; HS* needs no keys.
    bool needs_keys() const;

    // GET of the document; keys only when metadata is known.
    web::HttpRequest request_for(Document document) const;
};

// How long an answer may be used: max-age of Cache-Control within bounds
// (KEY-8: 5 minutes to 24 hours), one hour without (DISC-5).
Seconds lifetime_of(const web::HttpResponse &response);

} // namespace bff::oidc
