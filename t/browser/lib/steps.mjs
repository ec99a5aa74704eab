// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What people do, in their words. Elements are found by role and name, as a
// screen reader finds them, so these steps fail too when a page cannot be used
// without seeing it. Each step ends when the page shows that it is done.

/** From the page's own button, through the provider, back to where it was. */
export async function log_in(page, name = 'Alice Archer') {
  await page.getByRole('main').getByRole('link', { name: 'Log in' }).click();
  await sign_in_at_provider(page, name);
  await is_logged_in(page, name);
}

export async function sign_in_at_provider(page, name = 'Alice Archer') {
  await page.getByRole('button', { name }).click();
  await page.getByRole('button', { name: 'Allow', exact: true }).click();
}

export async function is_logged_in(page, name = 'Alice Archer') {
  await page.getByRole('main').getByText(`Logged in as ${name}`).last().waitFor();
}

export async function is_logged_out(page) {
  await page.getByText('Nobody is logged in here.').waitFor();
}

/** Calls the API by the page's button; returns the words of the outcome. */
export async function call_api(page, method) {
  await page.getByRole('button', { name: method, exact: true }).click();
  const outcome = page.getByText(new RegExp(`\\d{3} ${method}\\b.+`));
  await outcome.waitFor();
  return outcome.textContent();
}

export async function log_out(page) {
  await page.getByRole('link', { name: 'Log out' }).click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await is_logged_out(page);
}

/** The facts of one card of the page, by name. */
export async function facts_of(page, title) {
  const facts = page.getByRole('region', { name: title }).locator('.facts');
  return Object.fromEntries(await facts.first().evaluate((list) => (
    [...list.querySelectorAll('dt')].map((name) => [
      name.textContent, name.nextElementSibling.textContent,
    ])
  )));
}
