// npm oidc-provider with strict rotation: a refresh token is good once, and a second use of it revokes the
// whole grant. Everything is in memory.
//
//   node oidc-provider.mjs 127.0.0.1:PORT ISSUER
//
// POST /lab/tokens?client=ID makes a session for that client and answers with its tokens.

import { generateKeyPairSync } from 'node:crypto'
import { createServer } from 'node:http'

import Provider from 'oidc-provider'

const [listen, issuer] = process.argv.slice(2)
const [host, port] = listen.split(':')
const SCOPE = 'openid offline_access'
const DAY = 24 * 3600

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const key = { ...privateKey.export({ format: 'jwk' }), alg: 'ES256', use: 'sig', kid: 'lab' }
const client = {
  grant_types: ['authorization_code', 'refresh_token'],
  redirect_uris: ['http://127.0.0.1/callback'],
  application_type: 'native',
}
const provider = new Provider(issuer, {
  jwks: { keys: [key] },
  cookies: { keys: ['lab'] },
  clientDefaults: { id_token_signed_response_alg: 'ES256' },
  clients: [
    { ...client, client_id: 'app', token_endpoint_auth_method: 'none' },
    {
      ...client,
      client_id: 'server',
      client_secret: 'a secret: with + signs',
      token_endpoint_auth_method: 'client_secret_basic',
    },
  ],
  scopes: ['openid', 'offline_access'],
  ttl: { AccessToken: 900, Grant: 30 * DAY, RefreshToken: 30 * DAY, IdToken: 900 },
  rotateRefreshToken: true,
  findAccount: (_ctx, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
  features: { devInteractions: { enabled: false }, revocation: { enabled: true } },
})
provider.on('server_error', (_ctx, error) => console.error(error))

async function tokens(clientId) {
  const accountId = 'ann'
  const client = await provider.Client.find(clientId)
  const grant = new provider.Grant({ accountId, clientId })
  grant.addOIDCScope(SCOPE)
  const grantId = await grant.save()
  const common = { accountId, client, grantId, gty: 'authorization_code', scope: SCOPE }
  const refresh = new provider.RefreshToken({
    ...common,
    authTime: Math.floor(Date.now() / 1000),
    expiresWithSession: false,
  })
  const access = new provider.AccessToken({ ...common, expiresWithSession: false })
  return { access_token: await access.save(), refresh_token: await refresh.save() }
}

const app = provider.callback()
const server = createServer(async (request, response) => {
  const url = new URL(request.url, issuer)
  if (request.method === 'POST' && url.pathname === '/lab/tokens') {
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(await tokens(url.searchParams.get('client'))))
  } else {
    app(request, response)
  }
})
server.listen(Number(port), host, () => console.log(`listening on http://${listen}`))
