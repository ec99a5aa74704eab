// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Rows of text, aligned or as Markdown.

// columns: [[title, (row) => text or number, digits]]; null shows as "-".
export function table(rows, columns) {
    return cells(rows, columns).map((line, _, lines) => line.map((cell, c) => {
        const width = Math.max(...lines.map((one) => one[c].length));
        return c === 0 ? cell.padEnd(width) : cell.padStart(width);
    }).join('  ').trimEnd()).join('\n');
}

export function markdown(rows, columns) {
    const [titles, ...lines] = cells(rows, columns);
    const rule = columns.map((_, c) => c === 0 ? '---' : '---:');

    return [titles, rule, ...lines].map((line) => `| ${line.join(' | ')} |`)
        .join('\n');
}

function cells(rows, columns) {
    return [columns.map(([title]) => title), ...rows.map((row) =>
        columns.map(([, value, digits = 0]) => shown(value(row), digits)))];
}

function shown(value, digits) {
    if (value === null || value === undefined || Number.isNaN(value)) {
        return '-';
    }
    return typeof value === 'number' ? value.toLocaleString('en-US', {
        minimumFractionDigits: digits, maximumFractionDigits: digits })
        : String(value);
}
