// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The files by which this client proves who it is.
//
// A private key's text is in one buffer only, and that one is wiped.

#include "module/client_credentials.hpp"

#include <cstring>
#include <fstream>

#include "core/oidc/key_material.hpp"
#include "core/oidc/private_key.hpp"
#include "ngx/text.hpp"

namespace bff::module {
namespace {

Result<Secret> content_of(const std::string &path);
Result<oidc::WrittenKey> written_key(const std::vector<std::string> &options);

Error wrong(std::string detail)
{
    return Error{Code::misconfigured, std::move(detail)};
}

} // namespace

Result<std::shared_ptr<const oidc::PrivateKey>>
read_client_key(const std::string &path,
                const std::vector<std::string> &options)
{
    auto written = written_key(options);
    if (!written) {
        return std::move(written).error();
    }

    auto file = content_of(path);
    if (!file) {
        return std::move(file).error();
    }

    auto key = oidc::PrivateKey::parse(file->reveal(), *written);
    if (!key) {
        return wrong("cannot use the file \"" + path +
                     "\": " + std::move(key).error().detail);
    }

    return std::make_shared<const oidc::PrivateKey>(std::move(*key));
}

Result<std::shared_ptr<const oidc::ClientCertificate>>
read_client_certificate(const ngx::TlsSettings &tls)
{
    if (tls.certificate.len == 0 && tls.certificate_key.len == 0) {
        return std::shared_ptr<const oidc::ClientCertificate>{};
    }
    if (tls.certificate.len == 0 || tls.certificate_key.len == 0) {
        return wrong("\"client_certificate\" and \"client_certificate_key\" "
                     "go together; write the other one as well");
    }

    auto certificate = content_of(std::string{ngx::view(tls.certificate)});
    if (!certificate) {
        return wrong("\"client_certificate\" " + certificate.error().detail);
    }

    auto key = content_of(std::string{ngx::view(tls.certificate_key)});
    if (!key) {
        return wrong("\"client_certificate_key\" " + key.error().detail);
    }

    auto parsed =
        oidc::ClientCertificate::parse(certificate->reveal(), key->reveal());
    if (!parsed) {
        return std::move(parsed).error();
    }

    return std::make_shared<const oidc::ClientCertificate>(std::move(*parsed));
}

namespace {

// Unbuffered, so that nothing of it stays in a buffer of the library's.
Result<Secret> content_of(const std::string &path)
{
    std::ifstream file;
    file.rdbuf()->pubsetbuf(nullptr, 0);
    errno = 0;
    file.open(path, std::ios::binary | std::ios::ate);
    auto size = file.is_open() ? static_cast<long long>(file.tellg()) : -1;

    if (size < 0) {
        return wrong("cannot read the file \"" + path +
                     "\": " + std::strerror(errno) +
                     "; NGINX reads it as the user who starts it");
    }
    if (size > static_cast<long long>(oidc::kMostKeyOctets)) {
        return wrong("cannot use \"" + path + "\": it is no file, or one of " +
                     "more than 64 KiB");
    }

    std::string content(static_cast<size_t>(size), '\0');
    file.seekg(0);
    file.read(content.data(), size);
    return Secret{std::move(content)};
}

Result<oidc::WrittenKey> written_key(const std::vector<std::string> &options)
{
    oidc::WrittenKey written;

    for (const auto &option : options) {
        auto mark = option.find('=') + 1; // 0: there is none
        auto name = std::string_view{option}.substr(0, mark);
        auto value = option.substr(mark);

        if (name == "kid=" && !value.empty()) {
            written.kid = value;
            continue;
        }
        if (name != "alg=") {
            return wrong("has \"" + option +
                         "\" behind the file; write \"kid=ID\" or "
                         "\"alg=ALGORITHM\"");
        }

        written.alg = oidc::algorithm(value);
        if (!written.alg) {
            return wrong("cannot have \"" + option +
                         "\"; write an algorithm such as RS256, PS256, "
                         "ES256 or EdDSA");
        }
    }

    return written;
}

} // namespace

} // namespace bff::module
