// The peer: oidc-provider on Redis, one Node process.
//
//   REDIS_PASSWORD=… node server.mjs REDIS_PORT SESSIONS TOKENS_FILE
//
// Mints SESSIONS sessions, writes their refresh tokens to TOKENS_FILE (one per line), then serves on a
// free loopback port and prints one line of JSON: the port, the versions and the durability settings.

import { generateKeyPairSync } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';

import { Redis } from 'ioredis';
import Provider from 'oidc-provider';

import { redisAdapter } from './redis-adapter.mjs';

const RESOURCE = 'urn:bench:api';
const SCOPE = 'api offline_access';
const CLIENT = 'bench';
const DAY = 24 * 3600;

const [redisPort, sessions, tokensFile] = process.argv.slice(2);
// Commands of one turn of the event loop share one write; the peer is faster with it.
const redis = new Redis({
  port: Number(redisPort),
  host: '127.0.0.1',
  password: process.env.REDIS_PASSWORD,
  enableAutoPipelining: true,
});
redis.on('error', (error) => console.error(`redis: ${error.message}`));

const http = createServer();
await new Promise((listening) => http.listen(0, '127.0.0.1', listening));
const { port } = http.address();
const provider = new Provider(`http://127.0.0.1:${port}`, configuration());
provider.on('server_error', (_ctx, error) => console.error(error));
writeFileSync(tokensFile, `${(await mint(Number(sessions))).join('\n')}\n`, { mode: 0o600 });
http.on('request', provider.callback());
console.log(JSON.stringify({ port, token_path: '/token', settings: await settings() }));

function configuration() {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = { ...privateKey.export({ format: 'jwk' }), alg: 'ES256', use: 'sig', kid: 'bench' };
  return {
    adapter: redisAdapter(redis),
    jwks: { keys: [key] },
    cookies: { keys: ['bench'] },
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    clients: [
      {
        client_id: CLIENT,
        token_endpoint_auth_method: 'none',
        application_type: 'native',
        grant_types: ['authorization_code', 'refresh_token'],
        redirect_uris: ['http://127.0.0.1/callback'],
      },
    ],
    scopes: ['openid', 'offline_access'],
    ttl: { AccessToken: 900, Grant: 30 * DAY, RefreshToken: 30 * DAY },
    rotateRefreshToken: true,
    findAccount: (_ctx, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
    features: {
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: 'api',
          accessTokenFormat: 'jwt',
          accessTokenTTL: 900,
          jwt: { sign: { alg: 'ES256' } },
        }),
      },
    },
  };
}

async function mint(count) {
  const client = await provider.Client.find(CLIENT);
  const tokens = [];
  const inFlight = 1000;
  while (tokens.length < count) {
    const first = tokens.length;
    const size = Math.min(inFlight, count - first);
    const batch = Array.from({ length: size }, (_, i) => session(client, `user-${first + i}`));
    tokens.push(...(await Promise.all(batch)));
  }
  return tokens;
}

async function session(client, accountId) {
  const grant = new provider.Grant({ accountId, clientId: CLIENT });
  grant.addOIDCScope('offline_access');
  grant.addResourceScope(RESOURCE, 'api');
  const grantId = await grant.save();
  const token = new provider.RefreshToken({
    accountId,
    authTime: Math.floor(Date.now() / 1000),
    client,
    expiresWithSession: false,
    grantId,
    gty: 'authorization_code',
    resource: RESOURCE,
    scope: SCOPE,
  });
  return token.save();
}

async function settings() {
  const [, appendonly] = await redis.config('GET', 'appendonly');
  const [, appendfsync] = await redis.config('GET', 'appendfsync');
  const [, redisVersion] = (await redis.info('server')).match(/redis_version:(\S+)/);
  return {
    node: process.versions.node,
    'oidc-provider': version('oidc-provider'),
    ioredis: version('ioredis'),
    redis: redisVersion,
    durability: `appendonly ${appendonly}, appendfsync ${appendfsync}`,
    signing: 'ES256',
  };
}

function version(name) {
  return JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')).version;
}
