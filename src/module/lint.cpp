// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Warns of what stands in the configuration beside our directives and works
// against them.
//
// NGINX has no way to ask another module what it was told, and keeps the text
// of a configuration for "nginx -T" only: so its files are read once more.

#include "module/lint.hpp"

#include <fstream>
#include <iterator>

#include "core/lint/lint.hpp"
#include "ngx/text.hpp"

namespace bff::module {
namespace {

constexpr off_t kMostOctets = 16 * 1024 * 1024; // of all files together
constexpr size_t kHandleOctets = 1000;

class Files {
public:
    explicit Files(ngx_conf_t *cf) : cf_{cf} {}

    // None where the file is no usual one: what comes through a pipe has been
    // read already.
    std::vector<lint::Source> read(const std::string &path);
    std::vector<lint::Source> include(std::string_view pattern);

private:
    std::vector<lint::Source> glob(const std::string &pattern);

    ngx_conf_t *cf_;
    off_t left_ = kMostOctets;
};

std::vector<lint::Source> Files::read(const std::string &path)
{
    ngx_file_info_t info;
    if (ngx_file_info(path.c_str(), &info) == NGX_FILE_ERROR ||
        !ngx_is_file(&info) || ngx_file_size(&info) > left_) {
        return {};
    }

    left_ -= ngx_file_size(&info);
    std::ifstream file{path, std::ios::binary};
    std::string text{std::istreambuf_iterator<char>{file}, {}};
    return {{path, std::move(text)}};
}

std::vector<lint::Source> Files::include(std::string_view pattern)
{
    auto name = ngx::in_pool(cf_->pool, pattern);
    if (ngx_conf_full_name(cf_->cycle, &name, 1) != NGX_OK) {
        return {};
    }

    std::string path{ngx::view(name)};
    return path.find_first_of("*?[") == path.npos ? read(path) : glob(path);
}

std::vector<lint::Source> Files::glob(const std::string &pattern)
{
    std::vector<lint::Source> found;

    ngx_glob_t all{};
    all.pattern =
        reinterpret_cast<u_char *>(const_cast<char *>(pattern.data()));
    all.log = cf_->log;
    all.test = 1; // nothing there is no error
    if (ngx_open_glob(&all) != NGX_OK) {
        return found;
    }

    ngx_str_t name{};
    while (ngx_read_glob(&all, &name) == NGX_OK) {
        for (auto &source : read(std::string{ngx::view(name)})) {
            found.push_back(std::move(source));
        }
    }
    ngx_close_glob(&all);
    return found;
}

lint::CookieOctets cookies_of(const MainConf &main)
{
    lint::CookieOctets octets;

    for (const auto *provider : main.providers) {
        bool is_elsewhere =
            provider->session_store == store::Sessions::Place::zone;
        octets[provider->name] =
            is_elsewhere ? kHandleOctets
                         : session::kChunks * session::kSetCookieOctets;
    }
    return octets;
}

void warn(ngx_conf_t *cf, const MainConf &main)
{
    Files files{cf};

    for (const auto &source :
         files.read(std::string{ngx::view(cf->cycle->conf_file)})) {
        auto conf = lint::parse_conf(source, [&](std::string_view pattern) {
            return files.include(pattern);
        });
        if (!conf) {
            return;
        }
        for (const auto &one : lint::lint(*conf, cookies_of(main))) {
            ngx_log_error(NGX_LOG_WARN, cf->log, 0, "%*s in %*s:%uz",
                          one.text.size(), one.text.data(), one.file.size(),
                          one.file.data(), one.line);
        }
    }
}

} // namespace

void warn_of_configuration(ngx_conf_t *cf, const MainConf &main) noexcept
{
    if (main.providers.empty()) {
        return;
    }

    try {
        warn(cf, main);
    } catch (...) {
        // what it would have said is not worth a start
    }
}

} // namespace bff::module
