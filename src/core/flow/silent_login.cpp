// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// A login that nobody sees: prompt=none, in a hidden frame or as a full page.
//
// The status stays an error's. Browsers follow Refresh whatever the status,
// so that a full page lands in the application too, and a frame's parent,
// which is of this site, reads the code in the frame's address.

#include "core/flow/silent_login.hpp"

#include <algorithm>

#include "core/base/text.hpp"
#include "core/web/query.hpp"
#include "core/web/url.hpp"

namespace bff::flow {
namespace {

std::string with_code(std::string_view path, std::string_view code);

} // namespace

bool is_silent(std::string_view prompt)
{
    auto values = text::words(prompt);

    return std::ranges::find(values, "none") != values.end();
}

Reply told_to_application(Reply refusal, std::string_view return_path,
                          std::string_view provider_error)
{
    if (!refusal.twin) {
        return refusal; // a script asked, and reads what it gets
    }

    auto code = provider_error.empty() ? refusal.error : provider_error;
    refusal.response = *std::exchange(refusal.twin, std::nullopt);
    refusal.response.headers.push_back(
        {"Refresh", "0; url=" + with_code(return_path, code)});

    return refusal;
}

namespace {

std::string with_code(std::string_view path, std::string_view code)
{
    auto fragment = std::min(path.find('#'), path.size());
    web::FormWriter form;
    form.add("bff_error", code);

    auto url = web::with_query(path.substr(0, fragment), form.take());
    url += path.substr(fragment);
    return url;
}

} // namespace

} // namespace bff::flow
