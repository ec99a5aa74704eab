// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The files by which this client proves who it is: private keys, and the
// certificate that it shows. Read once, when the configuration is read.

#pragma once

#include "module/provider.hpp"

namespace bff::module {

// client_key FILE [kid=ID] [alg=ALG]. Errors: misconfigured; detail goes on
// from "client_key".
Result<std::shared_ptr<const oidc::PrivateKey>>
read_client_key(const std::string &path,
                const std::vector<std::string> &options);

// client_certificate and client_certificate_key, once both were written; null
// when none was. Errors: misconfigured; detail names the directive.
Result<std::shared_ptr<const oidc::ClientCertificate>>
read_client_certificate(const ngx::TlsSettings &tls);

} // namespace bff::module
