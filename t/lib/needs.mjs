// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Does this module have the directive? Options of a test that needs it.

import { Nginx } from './nginx.mjs';

export async function needs(directive) {
    const { output } = await Nginx.test({
        http: `bff_provider p { ${directive} on; }` });

    return output.includes('is unknown here')
        ? { skip: `this module has no "${directive}"` } : {};
}
