// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Reads keys and checks signatures once, for nothing: what OpenSSL, cjose and
// Jansson look up when they are first asked takes half a millisecond and more.
// Done before there are workers, no worker's first login waits for it.

#pragma once

namespace bff::oidc {

// Nothing depends on it, so nothing is told.
void rehearse();

} // namespace bff::oidc
