// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The provider's metadata and keys: fetched on first need, once for all
// workers, kept in bff_zone, renewed in the background.
//
// Whoever needs a document asks here. One worker holds the lease and asks the
// provider; all others wait for its answer, are woken by the bell, and take
// over when it dies. A copy past its time goes on serving while a newer one
// is fetched, or while the provider is away (DISC-5).
//
// A document that failed several times in a row, or whose provider asked for
// it, is left alone for some seconds by all workers: whoever needs it then
// gets the last error at once, and is told when to come back.

#pragma once

#include "core/base/instant.hpp"
#include "core/oidc/provider.hpp"
#include "ngx/http_client.hpp"
#include "ngx/waiters.hpp"
#include "ngx/wakeup.hpp"
#include "store/shared.hpp"

namespace bff::store {

class Documents {
public:
    // Told from a fresh event: the document is now in provider(), or why not.
    using Told = std::function<void(Result<Done>)>;

    // `trust` tells whom the client believes: documents that were fetched
    // with another trust are not found here.
    Documents(std::shared_ptr<const oidc::ClientSettings> client,
              std::string trust, ngx::HttpClient &http, ngx::Bell &bell,
              const SharedZone &zone);

    // What is known right now; takes over what other workers have fetched,
    // and has what is past its time renewed.
    const oidc::Provider &provider(Instant now);

    std::unique_ptr<ngx::Wait> ask(oidc::Once once, Told told);

    // Some worker has news.
    void look_again();

    // This worker ends: lets go of what it asks the provider.
    void stop();

private:
    struct Copy { // of one document, in this worker
        oidc::Document document;
        SharedDocument *shared = nullptr;
        uint64_t generation = 0; // of what provider_ holds
        int64_t fetched = 0;     // likewise, seconds since 1970
        int64_t expires = 0;     // likewise
        uint64_t next_look = 0;  // no renewal before, monotonic
        uint64_t lease = 0;      // ours, while `call` runs
        std::unique_ptr<ngx::HttpCall> call;
    };
    struct Need { // and what was known when the waiting began
        oidc::Once once;
        uint64_t failures;
        uint64_t generation;
    };

    SharedDocument *slot(Copy &copy);
    void take_over_news();
    void take_over(Copy &copy);
    static bool is_stale(const Copy &copy, Instant now);
    void renew(Copy &copy); // unless somebody does

    Copy &copy_for(oidc::Once once);
    bool is_known(oidc::Once once) const;
    bool try_lease(Copy &copy, const Lease &seen);
    void release(Copy &copy);
    bool take_from_bucket(Copy &copy, bool for_anybody);
    void fetch(Copy &copy);
    void fetched(Copy &copy, Result<web::HttpResponse> answer);
    Result<Done> keep(Copy &copy, const web::HttpResponse &response);
    std::optional<Seconds> count_failure(Copy &copy, const Error &error);
    void give_up(Copy &copy, Error error);

    std::optional<Result<Done>> outcome_for(const Need &need);

    std::shared_ptr<const oidc::ClientSettings> client_;
    ngx::HttpClient &http_;
    ngx::Bell &bell_;
    const SharedZone &zone_;
    std::string trust_;
    uint64_t news_ = 0; // taken over so far
    oidc::Provider provider_;
    Copy metadata_{oidc::Document::metadata};
    Copy keys_{oidc::Document::keys};
    ngx::Waiters<Need, Result<Done>> waiters_;
};

} // namespace bff::store
