// A small real identity provider for demo and tests: oidc-provider with a login form, everything in memory.
//
// Set by environment; only PORT is required. It listens on 127.0.0.1 alone.
//   PORT                        where it listens
//   REDIRECT_URIS               JSON list, default ["http://localhost:10000/oauth/callback"]
//   POST_LOGOUT_REDIRECT_URIS   JSON list, default: the roots of the redirect URIs
//   BACKCHANNEL_LOGOUT_URI      where logout tokens go, default none
//   TOKEN_ENDPOINT_AUTH_METHOD  default client_secret_basic
//   TOKEN_ENDPOINT_AUTH_ALG, JWKS_URI   what the client signs by, and where its keys are; default none
//   ID_TOKEN_ALG                RS256 (default) or another of those below
//   ROTATE_REFRESH_TOKENS       true (default) or false
//   ACCESS_TOKEN_SECONDS, ID_TOKEN_SECONDS, REFRESH_TOKEN_SECONDS   lifetimes
//
// `resource=https://api.example.com` makes an access token a JWT for that audience, signed with ID_TOKEN_ALG; with a path
// it says another algorithm (`https://api.example.com/ES384`), or `opaque`.
//
// Clients, all with one secret: `demo` logs people in; `orders-app` gets tokens for itself (client_credentials);
// `orders-api` asks about tokens (introspection), and gets signed answers where it accepts no others.

import { createServer } from 'node:http';
import { createHash, createPrivateKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import Provider from 'oidc-provider';

const env = process.env;
const port = Number(env.PORT);
const issuer = `http://127.0.0.1:${port}`;
const redirectUris = JSON.parse(env.REDIRECT_URIS ?? '["http://localhost:10000/oauth/callback"]');
const seconds = (name, otherwise) => Number(env[name] ?? otherwise);

const secret = 'a-secret-for-the-demo-and-nothing-else';

const users = {
  demo: {
    password: 'demo',
    claims: {
      name: 'Demo Person',
      preferred_username: 'demo',
      email: 'demo@example.com',
      email_verified: true,
      groups: ['staff', 'editors'],
    },
  },
  guest: {
    password: 'guest',
    claims: {
      name: 'A Guest',
      preferred_username: 'guest',
      email: 'guest@example.com',
      email_verified: false,
      groups: [],
    },
  },
};

// New keys at each start: a relying party that outlives the provider has to notice.
// They go by way of their encoding: of a key that Node 20 has just made, `export` waits for ever when the collector
// ends the job that made it at that moment (once in some thousand keys).
function signingKey(alg, type, options) {
  const { privateKey: key } = generateKeyPairSync(type, {
    ...options,
    publicKeyEncoding: { format: 'der', type: 'spki' },
    privateKeyEncoding: { format: 'der', type: 'pkcs8' },
  });
  const jwk = createPrivateKey({ key, format: 'der', type: 'pkcs8' }).export({ format: 'jwk' });
  return { ...jwk, alg, use: 'sig', kid: `${alg}-${randomBytes(4).toString('hex')}` };
}
const keys = [
  signingKey('RS256', 'rsa', { modulusLength: 2048 }),
  signingKey('PS256', 'rsa', { modulusLength: 2048 }),
  signingKey('ES256', 'ec', { namedCurve: 'P-256' }),
  signingKey('ES384', 'ec', { namedCurve: 'P-384' }),
  signingKey('ES512', 'ec', { namedCurve: 'P-521' }),
  signingKey('EdDSA', 'ed25519'),
  signingKey('Ed25519', 'ed25519'),
  // For every other RSA algorithm: a key that names none (RFC 7517 §4.4).
  { ...signingKey('RSA', 'rsa', { modulusLength: 2048 }), alg: undefined },
];
const asymmetric = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'];

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: 'demo',
      // A public client has no secret, and one that signs with its own key neither.
      ...(['none', 'private_key_jwt'].includes(env.TOKEN_ENDPOINT_AUTH_METHOD) ? {} : { client_secret: secret }),
      ...(env.JWKS_URI ? { jwks_uri: env.JWKS_URI } : {}),
      ...(env.TOKEN_ENDPOINT_AUTH_ALG ? { token_endpoint_auth_signing_alg: env.TOKEN_ENDPOINT_AUTH_ALG } : {}),
      token_endpoint_auth_method: env.TOKEN_ENDPOINT_AUTH_METHOD ?? 'client_secret_basic',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      redirect_uris: redirectUris,
      post_logout_redirect_uris: env.POST_LOGOUT_REDIRECT_URIS
        ? JSON.parse(env.POST_LOGOUT_REDIRECT_URIS)
        : redirectUris.map((uri) => new URL('/', uri).href),
      id_token_signed_response_alg: env.ID_TOKEN_ALG ?? 'RS256',
      ...(env.BACKCHANNEL_LOGOUT_URI
        ? { backchannel_logout_uri: env.BACKCHANNEL_LOGOUT_URI, backchannel_logout_session_required: true }
        : {}),
    },
    {
      client_id: 'orders-app',
      client_secret: secret,
      grant_types: ['client_credentials'],
      response_types: [],
      redirect_uris: [],
    },
    {
      client_id: 'orders-api',
      client_secret: secret,
      grant_types: [],
      response_types: [],
      redirect_uris: [],
      introspection_signed_response_alg: env.ID_TOKEN_ALG ?? 'RS256',
    },
  ],
  jwks: { keys },
  cookies: { keys: [randomBytes(32).toString('hex')] },
  pkce: { required: () => true },
  claims: {
    openid: ['sub'],
    profile: ['name', 'preferred_username', 'groups'],
    email: ['email', 'email_verified'],
  },
  // The claims of the asked scopes are in the ID token as well as in userinfo.
  conformIdTokenClaims: false,
  findAccount: (_ctx, id) =>
    Object.hasOwn(users, id) ? { accountId: id, claims: () => ({ sub: id, ...users[id].claims }) } : undefined,
  // Whom it calls (back-channel logout) is on this machine, where its own guard lets it call nobody.
  fetch: (url, { dispatcher, ...options }) => fetch(url, options),
  interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
  loadExistingGrant: grantWithoutAsking,
  // As Keycloak does, also without offline_access, which oidc-provider drops unless `prompt=consent` is asked for with it.
  issueRefreshToken: (_ctx, client) => client.grantTypeAllowed('refresh_token'),
  rotateRefreshToken: env.ROTATE_REFRESH_TOKENS !== 'false',
  ttl: {
    AccessToken: seconds('ACCESS_TOKEN_SECONDS', 300),
    IdToken: seconds('ID_TOKEN_SECONDS', 300),
    RefreshToken: seconds('REFRESH_TOKEN_SECONDS', 86400),
    AuthorizationCode: 60,
    Interaction: 3600,
    Session: 86400,
    Grant: 86400,
  },
  enabledJWA: {
    idTokenSigningAlgValues: asymmetric,
    introspectionSigningAlgValues: asymmetric,
    userinfoSigningAlgValues: asymmetric,
    clientAuthSigningAlgValues: [...asymmetric, 'HS256', 'HS384', 'HS512'],
  },
  clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'client_secret_jwt', 'private_key_jwt', 'none'],
  features: {
    devInteractions: { enabled: false },
    introspection: { enabled: true },
    jwtIntrospection: { enabled: true },
    revocation: { enabled: true },
    rpInitiatedLogout: { enabled: true },
    backchannelLogout: { enabled: true },
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      useGrantedResource: () => true,
      getResourceServerInfo: (_ctx, resource) => ({
        scope: 'api:read api:write',
        audience: new URL(resource).origin,
        accessTokenTTL: seconds('ACCESS_TOKEN_SECONDS', 300),
        ...accessTokenForm(new URL(resource).pathname.slice(1)),
      }),
    },
  },
});

function accessTokenForm(asked) {
  if (asked === 'opaque') return { accessTokenFormat: 'opaque' };
  const alg = asked || (env.ID_TOKEN_ALG ?? 'RS256');
  // A symmetric algorithm takes the secret that clients share with the provider.
  return { accessTokenFormat: 'jwt', jwt: { sign: alg.startsWith('HS') ? { alg, key: Buffer.from(secret) } : { alg } } };
}

// Who is told at the back channel that a session has ended, and does not take it, is a question for whoever reads this log.
provider.on('backchannel.error', (_ctx, error) => console.error('back-channel logout:', error));

// The demo client belongs to the same house as the provider: nobody is asked whether it may have what it asks for.
async function grantWithoutAsking(ctx) {
  const { client, session, params, resourceServers } = ctx.oidc;
  const known = session.grantIdFor(client.clientId);
  const grant =
    (known && (await ctx.oidc.provider.Grant.find(known))) ??
    new ctx.oidc.provider.Grant({ clientId: client.clientId, accountId: session.accountId });
  grant.addOIDCScope(params.scope ?? 'openid');
  for (const [resource, server] of Object.entries(resourceServers ?? {})) {
    grant.addResourceScope(resource, [...server.scopes].join(' '));
  }
  await grant.save();
  return grant;
}

const style = `body{font:16px/1.5 system-ui,sans-serif;margin:0;min-height:100vh;display:grid;place-items:center;
background:#f3f5f8;color:#1c2430}main{background:#fff;border-radius:12px;padding:2rem 2.25rem;width:19rem;
box-shadow:0 1px 3px #0002,0 8px 24px #0001}h1{font-size:1.3rem;margin:0 0 .25rem}p{margin:0 0 1rem;color:#566}
label{display:block;font-size:.875rem;font-weight:600;margin-top:.75rem}input{box-sizing:border-box;width:100%;
font:inherit;padding:.5rem .625rem;margin-top:.25rem;border:1px solid #b8c0cc;border-radius:7px}
button{font:inherit;font-weight:600;width:100%;margin-top:1.25rem;padding:.55rem;border:0;border-radius:7px;
background:#1f5fbf;color:#fff;cursor:pointer}.wrong{color:#a3201c;margin:1rem 0 0}`;
const styleHash = createHash('sha256').update(style).digest('base64');

function loginPage(uid, wrong) {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Log in</title><style>${style}</style><main><h1>Demo identity provider</h1>
<p>Log in as <b>demo</b> with the password <b>demo</b>.</p>
<form method="post" action="/interaction/${uid}">
<label>User name<input name="username" autocomplete="username" autofocus required></label>
<label>Password<input name="password" type="password" autocomplete="current-password" required></label>
${wrong ? '<p class="wrong" role="alert">User name or password is wrong.</p>' : ''}
<button type="submit">Log in</button></form></main></html>`;
}

function sendPage(response, status, html) {
  response.writeHead(status, {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    // No form-action: browsers would hold the redirect back to the client, which follows the form, against it.
    'content-security-policy': `default-src 'none'; style-src 'sha256-${styleHash}'; frame-ancestors 'none'; base-uri 'none'`,
  });
  response.end(html);
}

async function formBody(request) {
  let text = '';
  for await (const chunk of request) {
    text += chunk;
    if (text.length > 10_000) throw new Error('the form is too large');
  }
  return new URLSearchParams(text);
}

async function interaction(request, response) {
  const { uid } = await provider.interactionDetails(request, response);
  if (request.method !== 'POST') return sendPage(response, 200, loginPage(uid, false));
  const form = await formBody(request);
  const name = form.get('username') ?? '';
  if (!Object.hasOwn(users, name) || users[name].password !== form.get('password')) {
    return sendPage(response, 401, loginPage(uid, true));
  }
  return provider.interactionFinished(request, response, { login: { accountId: name } });
}

const answer = provider.callback();
const server = createServer((request, response) => {
  if (!request.url.startsWith('/interaction/')) return answer(request, response);
  return interaction(request, response).catch((error) => {
    console.error(error);
    if (!response.headersSent) sendPage(response, 400, '<!doctype html><title>Start again</title><p>This login is over. Start again.');
  });
});
server.on('error', (error) => {
  console.error(`the identity provider cannot listen on 127.0.0.1:${port}: ${error.message}`);
  process.exit(1);
});
server.listen(port, '127.0.0.1', () => console.log(`oidc-provider at ${issuer}`));
