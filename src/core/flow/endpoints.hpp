// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The endpoints below endpoints_path: which there are, with which methods.

#pragma once

#include <memory>
#include <string_view>

#include "core/flow/story.hpp"

namespace bff::flow {

constexpr size_t kEndpointBodyOctets = 16 * 1024;

// `name` is what stands behind endpoints_path ("login"). Never null: an
// unknown name or a wrong method is a story that answers 404 or 405 with
// Allow.
std::unique_ptr<Story> endpoint_story(std::string_view name,
                                      std::string_view method);

} // namespace bff::flow
