// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The OpenID Foundation's certification plans for relying parties that log
// out: RP-initiated, back-channel and front-channel, each module by its name,
// with the provider doing what the module's provider does, and the behaviour
// that it demands of us.
//
// The modules begin alike: a login (with sid in the ID token and session_state
// in the answer), then a logout here that leads to the provider's
// end_session_endpoint. A bystander, another session here of the same one
// there, shows what a logout token or a frame does beyond that.
//
// What comes back as state at the end is up to nobody: the browser lands on a
// page (RIL-5).

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { assertProblem, kKey } from '../lib/checks.mjs';
import { SigningKey, decodeJwt, signJwt } from '../lib/jose.mjs';
import { logoutToken, postToken } from '../lib/logout_token.mjs';
import { attempt, play } from '../lib/stage.mjs';

const configuration = ({ op, at, api }) => `
    bff_provider corp {
        issuer ${op.issuer};
        client_id shop;
        client_secret "shop secret";
        userinfo on;
        session_key ${kKey};
    }

    server {
        listen ${at.tls()};
        location / { return 200 home; }
        location /api/ { bff corp; proxy_pass http://${api.address}; }
    }
`;

// --- the provider of the suite ---

let count = 0;

async function login(s) {
    const sid = `op-session-${++count}`;
    s.op.claims = (usual) => ({ ...usual, sid });
    s.op.callback = (usual) => ({ ...usual, session_state: 'st.salt' });
    const { browser } = await attempt(s);

    assert.equal((await browser.api('/api/x')).status, 200);
    return { browser, sid, issued: s.op.tokens.id_token,
        bystander: (await attempt(s)).browser };
}

// A logout here, up to the request that comes to the end_session_endpoint.
async function logOut(s, { browser, issued }) {
    const copy = browser.clone();
    const { logout_url } = await browser.session();
    const answer = await browser.navigate(logout_url,
        { from: 'same-origin', follow: false });
    const there = new URL(answer.headers.location);
    const q = there.searchParams;

    assert.equal(there.origin + there.pathname,
        s.op.usualMetadata().end_session_endpoint);
    assert.equal(q.get('id_token_hint'), issued);
    assert.equal(q.get('post_logout_redirect_uri'), `${browser.origin}/`);
    assert.match(q.get('state'), /^[\w-]{22,}$/);
    await assertEnded(copy);
    return q;
}

// The frame of the logout page: another site, so Strict cookies stay away.
// isNamed: with frontchannel_logout_session_required.
async function showFrame(s, { browser, sid }, isNamed = true) {
    const query = isNamed ? { iss: s.op.issuer, sid } : {};
    const answer = await browser.request(
        `/bff/frontchannel?${new URLSearchParams(query)}`, {
            context: { sameSite: false, navigation: false },
            headers: { 'Sec-Fetch-Mode': 'navigate',
                'Sec-Fetch-Dest': 'iframe', 'Sec-Fetch-Site': 'cross-site' } });

    assert.equal(answer.status, 200);
    assert.match(answer.headers['cache-control'], /no-store/);
    assert.equal(answer.headers['x-frame-options'], undefined);
    assert.match(answer.headers['content-security-policy'],
        new RegExp(`frame-ancestors ${s.op.issuer}`));
}

function tokenFor(s, { sid }, change = (usual) => usual, options = {}) {
    return logoutToken(s.op, (usual) => change({ ...usual, sid }), options);
}

async function sendToken({ browser }, token, status) {
    const answer = await postToken(browser, token);

    assert.equal(answer.status, status, answer.body);
    assert.match(answer.headers['cache-control'], /no-store/);
}

// change: what the provider does to the parameters that it sends back.
async function landHere({ browser }, sent, change = () => {}) {
    const back = new URL(sent.get('post_logout_redirect_uri'));
    back.searchParams.set('state', sent.get('state'));
    change(back.searchParams);
    const page = await browser.navigate(back, { from: 'cross-site' });

    assert.equal(page.status, 200, page.body);
    assert.equal(page.body, 'home');
    assert.equal((await browser.session()).authenticated, false);
}

async function assertEnded(browser) {
    assertProblem(await browser.clone().api('/api/x'), 401, 'session_revoked');
}

async function assertAlive(browser) {
    assert.equal((await browser.clone().api('/api/x')).status, 200);
}

// --- what a module does ---

// Once with each set of logout URIs that a client may have registered.
function rpInitiated(change) {
    return async (s) => {
        for (const [back, front] of [[1, 0], [0, 1], [1, 1]]) {
            const party = await login(s);
            const sent = await logOut(s, party);

            if (back) {
                await sendToken(party, tokenFor(s, party), 200);
            }
            if (front) {
                await showFrame(s, party);
            }
            await landHere(party, sent, change);
            await assertEnded(party.bystander);
        }
    };
}

async function backChannel(s) {
    const party = await login(s);
    const sent = await logOut(s, party);

    await assertAlive(party.bystander);
    await sendToken(party, tokenFor(s, party), 200);
    await assertEnded(party.bystander);
    await landHere(party, sent);
}

// The token is made as usual, but for this.
function refusesToken(change, options) {
    return async (s) => {
        const party = await login(s);
        const sent = await logOut(s, party);

        await sendToken(party, tokenFor(s, party, change, options?.(s)), 400);
        await assertAlive(party.bystander);
        await landHere(party, sent);
    };
}

async function frontChannel(s) {
    for (const isNamed of [true, false]) {
        const party = await login(s);
        const sent = await logOut(s, party);
        await showFrame(s, party, isNamed);
        await landHere(party, sent);
    }
}

// Nothing is done here before the provider shows its page. Without sid a
// browser that keeps Strict cookies to itself could not say which session is
// meant (FCL-2), so the client is registered to need it.
async function frontChannelByProvider(s) {
    const party = await login(s);
    await showFrame(s, party);
    await assertEnded(party.browser);
    await assertEnded(party.bystander);
}

function wrongAlgorithm({ op }) {
    const key = new SigningKey('ES256', { kid: 'other' });
    op.keys = [op.keys[0], key]; // it stands in the provider's key set
    return { key };
}

// As the suite signs with "none": two parts and nothing after the second dot.
async function unsignedToken(s) {
    const party = await login(s);
    const sent = await logOut(s, party);
    const { payload } = decodeJwt(tokenFor(s, party));

    await sendToken(party, signJwt({ alg: 'none' }, payload), 400);
    await assertAlive(party.bystander);
    await landHere(party, sent);
}

// --- the plans ---

const kPlans = {
    'oidcc-client-rp-initiated-logout-rp-basic': {
        'oidcc-client-test-rp-init-logout': rpInitiated(),
        'oidcc-client-test-rp-init-logout-other-state': rpInitiated((q) =>
            q.set('state', `${q.get('state')}_INVALID`)),
        'oidcc-client-test-rp-init-logout-no-state': rpInitiated((q) =>
            q.delete('state')),
    },
    'oidcc-client-back-channel-logout-rp-basic': {
        'oidcc-client-test-rp-backchannel-rpinitlogout': backChannel,
        'oidcc-client-test-rp-backchannel-rpinitlogout-alg-none':
            unsignedToken,
        'oidcc-client-test-rp-backchannel-rpinitlogout-no-event':
            refusesToken(({ events, ...usual }) => usual),
        'oidcc-client-test-rp-backchannel-rpinitlogout-with-nonce':
            refusesToken((usual) => ({ ...usual,
                nonce: 'logout_tokens_must_not_contain_a_nonce' })),
        'oidcc-client-test-rp-backchannel-rpinitlogout-wrong-alg':
            refusesToken(undefined, wrongAlgorithm),
        'oidcc-client-test-rp-backchannel-rpinitlogout-wrong-aud':
            refusesToken((usual) => ({ ...usual, aud: `${usual.aud}INVALID` })),
        'oidcc-client-test-rp-backchannel-rpinitlogout-wrong-event':
            refusesToken((usual) => ({ ...usual,
                events: { 'http://schemas.openid.net/event/foobar': {} } })),
        'oidcc-client-test-rp-backchannel-rpinitlogout-wrong-iss':
            refusesToken((usual) => ({ ...usual, iss: `${usual.iss}INVALID` })),
    },
    'oidcc-client-front-channel-logout-rp-basic': {
        'oidcc-client-test-rp-frontchannel-rpinitlogout': frontChannel,
    },

    // Of this one, which certifies nothing, only what the others have not.
    // Session management (its module oidcc-client-test-session-management) is
    // a thing of the page's script.
    'oidcc-client-logout-test-plan': {
        'oidcc-client-test-rp-frontchannel-opinitlogout':
            frontChannelByProvider,
    },
};

for (const [plan, modules] of Object.entries(kPlans)) {
    for (const [module, act] of Object.entries(modules)) {
        test(`${plan}: ${module}`, () => play(configuration, {}, act));
    }
}
