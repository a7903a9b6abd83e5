// The peer that the benchmark measures beside the product: oidc-provider with its in-memory adapter and no more settings
// than the measured requests need, and a sign-in page that checks a password with the same Argon2id parameters as the
// product. `node server.mjs PORT` listens on 127.0.0.1 and prints nothing.

import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import argon2 from 'argon2';
import { Provider } from 'oidc-provider';
import { createMemoryAdapter } from 'oidc-provider/lib/adapters/memory_adapter.js';

// Koa asks for it when the provider is made, below.
process.env.NODE_ENV = 'production';

const PORT = Number(process.argv[2]);
const ISSUER = `http://127.0.0.1:${PORT}`;
const SECRET = 'a client secret of more than 32 characters';
const API = 'https://api.bench.test';
const SCOPE = 'offline_access';
// How many connections ask at once, each with a refresh token of its own.
const CONNECTIONS = 16;
// The product's own cost, and the password of all users.
const PASSWORD_HASH = await argon2.hash('correct horse battery staple', {
  type: argon2.argon2id,
  memoryCost: 19_456,
  timeCost: 2,
  parallelism: 1,
});
const FORTNIGHT = 14 * 24 * 60 * 60;

const jwk = (type, options) => generateKeyPairSync(type, options).privateKey.export({ format: 'jwk' });

const client = (id, alg) => ({
  client_id: id,
  client_secret: SECRET,
  redirect_uris: ['http://localhost:9/callback'],
  grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
  id_token_signed_response_alg: alg,
});

const provider = new Provider(ISSUER, {
  // What it takes by default too, but named, for then it does not warn.
  adapter: createMemoryAdapter(),
  clients: [client('es256', 'ES256'), client('rs256', 'RS256')],
  cookies: { keys: [randomBytes(32).toString('hex')] },
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    // Access tokens are JWTs only if they are for an API. They are signed as the client's ID tokens are.
    resourceIndicators: {
      defaultResource: () => API,
      // Also where `openid` is asked for: a login signs two tokens, as the product's does.
      useGrantedResource: () => true,
      getResourceServerInfo: (_context, _resource, { idTokenSignedResponseAlg: alg }) => ({
        scope: SCOPE,
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg } },
      }),
    },
  },
  claims: { email: ['email'], profile: ['name', 'given_name', 'family_name'] },
  findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
  // Consent is not asked for, as at the product's clients.
  loadExistingGrant: async ({ oidc }) => {
    const grant = new provider.Grant({ accountId: oidc.session.accountId, clientId: oidc.client.clientId });
    grant.addOIDCScope(oidc.params.scope);
    grant.addResourceScope(API, SCOPE);
    await grant.save();
    return grant;
  },
  jwks: { keys: [jwk('rsa', { modulusLength: 2048 }), jwk('ec', { namedCurve: 'P-256' })] },
  // A client with a secret would otherwise keep its refresh token for 70 % of its life.
  rotateRefreshToken: true,
  ttl: { AccessToken: 300, ClientCredentials: 300, Grant: FORTNIGHT, RefreshToken: FORTNIGHT },
});

// A refresh token as the code flow would have made it, with a grant of its own.
async function refreshToken(accountId) {
  const client = await provider.Client.find('es256');
  const grant = new provider.Grant({ accountId, clientId: client.clientId });
  grant.addOIDCScope(SCOPE);
  grant.addResourceScope(API, SCOPE);
  const grantId = await grant.save();
  const token = { accountId, client, grantId, gty: 'authorization_code', resource: API, rotations: 0, scope: SCOPE };
  return new provider.RefreshToken({ ...token, expiresWithSession: false }).save();
}

// New ones for each that asks: a token counts once, and the adapter walks through all that a grant ever had at each use.
async function tokens(response) {
  const made = Array.from({ length: CONNECTIONS }, (_, number) => refreshToken(`user${number}`));
  response.setHeader('Content-Type', 'application/json');
  response.end(JSON.stringify(await Promise.all(made)));
}

// The sign-in page, and what it sends.
async function interaction(request, response) {
  if (request.method === 'GET') {
    const { uid } = await provider.interactionDetails(request, response);
    response.setHeader('Content-Type', 'text/html; charset=utf-8');
    response.end(`<form method="post" action="/interaction/${uid}"><input name="username"><input name="password"></form>`);
    return;
  }
  const form = new URLSearchParams(await text(request));
  const matches = await argon2.verify(PASSWORD_HASH, form.get('password'));
  const result = matches ? { login: { accountId: form.get('username') } } : { error: 'access_denied' };
  await provider.interactionFinished(request, response, result);
}

// Not a middleware of the provider's, for that would be in the way of each measured request.
const handle = provider.callback();
const server = createServer((request, response) => {
  if (request.url.startsWith('/interaction/')) return interaction(request, response);
  return request.url === '/tokens' ? tokens(response) : handle(request, response);
});
server.listen(PORT, '127.0.0.1');
