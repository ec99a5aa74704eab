// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Reads what the system knows about names once, when NGINX reads its
// configuration; a resolver of NGINX's own does the rest.

#include "ngx/addresses.hpp"

#include <algorithm>
#include <fstream>

#include "core/base/text.hpp"
#include "ngx/text.hpp"

namespace bff::ngx {
namespace {

std::optional<Address> literal(std::string_view host)
{
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
        host = host.substr(1, host.size() - 2);
    }

    Address address;
    auto *in = reinterpret_cast<sockaddr_in *>(&address.sockaddr);
    auto *data = reinterpret_cast<u_char *>(const_cast<char *>(host.data()));

    in->sin_addr.s_addr = ngx_inet_addr(data, host.size());
    if (in->sin_addr.s_addr != INADDR_NONE) {
        in->sin_family = AF_INET;
        address.length = sizeof(sockaddr_in);
        return address;
    }

    auto *in6 = reinterpret_cast<sockaddr_in6 *>(&address.sockaddr);
    if (ngx_inet6_addr(data, host.size(), in6->sin6_addr.s6_addr) == NGX_OK) {
        in6->sin6_family = AF_INET6;
        address.length = sizeof(sockaddr_in6);
        return address;
    }

    return std::nullopt;
}

bool is_localhost(std::string_view host)
{
    return host == "localhost" ||
           (host.size() > 10 && host.ends_with(".localhost"));
}

std::vector<std::string> words_of_line(std::string line)
{
    line.resize(std::min(line.find('#'), line.size()));
    for (auto &c : line) {
        c = c == '\t' ? ' ' : c;
    }

    std::vector<std::string> out;
    for (auto word : text::words(line)) {
        out.emplace_back(word);
    }
    return out;
}

std::map<std::string, std::vector<Address>> read_hosts()
{
    std::map<std::string, std::vector<Address>> hosts;
    std::ifstream file{"/etc/hosts"};

    for (std::string line; std::getline(file, line);) {
        auto words = words_of_line(line);
        auto address = words.empty() ? std::nullopt : literal(words[0]);
        for (size_t i = 1; address && i < words.size(); i++) {
            hosts[text::lower(words[i])].push_back(*address);
        }
    }

    return hosts;
}

std::vector<std::string> system_name_servers()
{
    std::vector<std::string> servers;
    std::ifstream file{"/etc/resolv.conf"};

    for (std::string line; std::getline(file, line);) {
        auto words = words_of_line(line);
        if (words.size() < 2 || words[0] != "nameserver" ||
            !literal(words[1])) {
            continue; // scoped IPv6 addresses have no literal either
        }
        bool is_v6 = words[1].find(':') != std::string::npos;
        servers.push_back(is_v6 ? "[" + words[1] + "]" : words[1]);
    }

    if (servers.empty()) {
        servers.emplace_back("127.0.0.1"); // resolv.conf(5)
    }
    return servers;
}

ngx_resolver_t *system_resolver(ngx_conf_t *cf)
{
    std::vector<ngx_str_t> names;
    for (const auto &server : system_name_servers()) {
        names.push_back(in_pool(cf->pool, server));
    }

    return ngx_resolver_create(cf, names.data(), names.size());
}

} // namespace

Result<Addresses> Addresses::make(ngx_conf_t *cf, ngx_resolver_t *resolver,
                                  ngx_msec_t timeout)
{
    Addresses addresses;
    addresses.timeout_ = timeout;
    addresses.resolver_ = resolver;

    if (resolver == nullptr) {
        addresses.hosts_ = read_hosts();
        addresses.resolver_ = system_resolver(cf);
        if (addresses.resolver_ == nullptr) {
            return Error{Code::misconfigured,
                         "the system's name servers cannot be used"};
        }
    }

    return addresses;
}

std::vector<Address> Addresses::known(const std::string &host) const
{
    if (auto address = literal(host)) {
        return {*address};
    }

    // RFC 6761, 6.3: these names never need asking.
    if (is_localhost(host)) {
        return {*literal("127.0.0.1"), *literal("::1")};
    }

    auto found = hosts_.find(host);
    return found == hosts_.end() ? std::vector<Address>{} : found->second;
}

} // namespace bff::ngx
