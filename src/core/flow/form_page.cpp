// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// A page that posts a form by itself, for what is too long for a URL (RIL-3).
//
// The sandbox gives it an origin of its own, so that a script that has opened
// it in a window cannot read it. One line of script may run, named by its
// digest; without scripts there is a button. The policy has no form-action:
// Chromium holds it against every redirect that follows, and where the
// provider sends the browser is its own matter.

#include "core/flow/form_page.hpp"

#include "core/base/base64url.hpp"
#include "core/base/text.hpp"
#include "core/crypto/digest.hpp"
#include "core/flow/answer.hpp"

namespace bff::flow {
namespace {

constexpr std::string_view kScript = "document.forms[0].submit()";

std::string
html_of(std::string_view action,
        const std::vector<std::pair<std::string, std::string>> &fields);

} // namespace

web::HttpResponse
form_page(std::string_view action,
          const std::vector<std::pair<std::string, std::string>> &fields)
{
    auto response = empty_answer(200);
    response.headers.push_back({"Content-Type", "text/html; charset=utf-8"});
    response.headers.push_back({"X-Content-Type-Options", "nosniff"});
    response.headers.push_back(
        {"Content-Security-Policy",
         "default-src 'none'; script-src 'sha256-" +
             base64url::encode_standard(crypto::sha256(kScript)) +
             "'; base-uri 'none'; frame-ancestors 'none'; "
             "sandbox allow-forms allow-scripts"});
    response.body = html_of(action, fields);

    return response;
}

namespace {

std::string
html_of(std::string_view action,
        const std::vector<std::pair<std::string, std::string>> &fields)
{
    std::string html = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
                       "<meta charset=\"utf-8\">\n"
                       "<title>One moment</title>\n</head>\n<body>\n";
    html += "<form method=\"post\" action=\"" + text::html(action) + "\">\n";
    for (const auto &[name, value] : fields) {
        html += "<input type=\"hidden\" name=\"" + text::html(name) +
                "\" value=\"" + text::html(value) + "\">\n";
    }
    html += "<button>Sign out</button>\n</form>\n<script>";
    html.append(kScript).append("</script>\n</body>\n</html>\n");

    return html;
}

} // namespace

} // namespace bff::flow
