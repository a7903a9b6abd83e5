// openid-client as its documentation shows it: three applications that sign somebody in, one that acts for itself.

import assert from "node:assert/strict";
import { createPrivateKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as client from "openid-client";
import { Browser } from "./browser.mjs";

const [issuer, folder] = process.argv.slice(2);
const { users: [anna], clients } = JSON.parse(readFileSync(join(folder, "apply.json"), "utf8"));
const registered = (id) => clients.find(({ client_id }) => client_id === id);

async function privateKey() {
  const pem = readFileSync(join(folder, "key.pem"), "utf8");
  const der = createPrivateKey(pem).export({ type: "pkcs8", format: "der" });
  const key = await crypto.subtle.importKey("pkcs8", der, { name: "ECDSA", namedCurve: "P-256" }, false, ["sign"]);
  return { key, kid: "office" };
}

async function discover(id) {
  const { client_secret, token_endpoint_auth_method, id_token_signed_response_alg } = registered(id);
  const authentication = {
    client_secret_basic: () => client.ClientSecretBasic(client_secret),
    client_secret_post: () => client.ClientSecretPost(client_secret),
    private_key_jwt: async () => client.PrivateKeyJwt(await privateKey()),
    none: () => client.None(),
  };
  const metadata = id_token_signed_response_alg ? { id_token_signed_response_alg } : {};
  // The library speaks plain HTTP only when it is told that this is wanted.
  const options = { execute: [client.allowInsecureRequests] };
  const method = await authentication[token_endpoint_auth_method]();
  return client.discovery(new URL(issuer), id, metadata, method, options);
}

// From the application's button to its tokens.
async function signIn(config, id, browser, more = {}) {
  const [redirect_uri] = registered(id).redirect_uris;
  const pkceCodeVerifier = client.randomPKCECodeVerifier();
  const checks = { pkceCodeVerifier, expectedState: client.randomState(), expectedNonce: client.randomNonce() };
  const request = {
    redirect_uri,
    scope: "openid profile email offline_access",
    prompt: "consent", // without it nothing works offline
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: "S256",
    state: checks.expectedState,
    nonce: checks.expectedNonce,
    ...more,
  };
  const pushes = config.serverMetadata().pushed_authorization_request_endpoint;
  const build = pushes ? client.buildAuthorizationUrlWithPAR : client.buildAuthorizationUrl;
  let page = await browser.open(await build(config, request), redirect_uri);
  const steps = [];
  while (page.step) {
    steps.push(page.step);
    const { tenant, username, password } = anna;
    const fields = page.step === "identify" ? { tenant, username, password } : {};
    page = await browser.submit(page, fields, redirect_uri);
  }
  assert(page.url.href.startsWith(redirect_uri), `${id} stands at ${page.url}: ${page.html}`);
  assert.deepEqual(steps, ["identify", "consent"]);
  return client.authorizationCodeGrant(config, page.url, checks, more.resource && { resource: more.resource });
}

async function signOut(config, id, browser, id_token_hint) {
  const [post_logout_redirect_uri] = registered(id).post_logout_redirect_uris;
  const state = client.randomState();
  const address = client.buildEndSessionUrl(config, { post_logout_redirect_uri, id_token_hint, state });
  let page = await browser.open(address, post_logout_redirect_uri);
  if (page.step === "confirm_sign_out") page = await browser.submit(page, {}, post_logout_redirect_uri);
  assert.equal(page.url.href, `${post_logout_redirect_uri}?state=${state}`);
}

// What every application does, however it authenticates.
async function wholeStory(id) {
  const config = await discover(id);
  const browser = new Browser();
  const tokens = await signIn(config, id, browser);
  const claims = tokens.claims();
  assert.equal(claims.aud, id);
  const person = await client.fetchUserInfo(config, tokens.access_token, claims.sub);
  assert.deepEqual([person.name, person.email, person.email_verified], [anna.name, anna.email, true]);

  const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token);
  assert.notEqual(refreshed.refresh_token, tokens.refresh_token, "refresh tokens rotate");
  assert.equal(refreshed.claims().sub, claims.sub);
  assert.equal(refreshed.claims().auth_time, claims.auth_time);

  await signOut(config, id, browser, tokens.id_token);
  await client.tokenRevocation(config, refreshed.refresh_token);
  await assert.rejects(client.refreshTokenGrant(config, refreshed.refresh_token), { error: "invalid_grant" });
  await assert.rejects(client.fetchUserInfo(config, `${refreshed.access_token}x`, claims.sub), { status: 401 });
}

async function callsAnInterface() {
  const [resource] = registered("shop").audiences;
  const shop = await discover("shop");
  const { access_token } = await signIn(shop, "shop", new Browser(), { resource });
  const seen = await client.tokenIntrospection(await discover("api"), access_token);
  assert.deepEqual([seen.active, seen.client_id, seen.aud], [true, "shop", resource]);
  const own = await client.clientCredentialsGrant(await discover("batch"), { scope: "orders:read", resource });
  assert.equal(own.refresh_token, undefined);
  const meant = await client.tokenIntrospection(await discover("api"), own.access_token);
  assert.deepEqual([meant.active, meant.client_id, meant.scope], [true, "batch", "orders:read"]);
}

async function opaqueTokensAreIntrospectedByTheirClient() {
  const office = await discover("office");
  const { access_token } = await signIn(office, "office", new Browser());
  assert.equal((await client.tokenIntrospection(office, access_token)).active, true);
  await client.tokenRevocation(office, access_token);
  assert.equal((await client.tokenIntrospection(office, access_token)).active, false);
}

for (const id of ["shop", "office", "phone"]) await wholeStory(id);
await callsAnInterface();
await opaqueTokensAreIntrospectedByTheirClient();
console.log("openid-client: all as expected");
