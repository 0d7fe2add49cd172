// npm oidc-provider as the cases need it: with resource indicators, introspection and DPoP.
//
//   node oidc_server.mjs FOLDER_OF_PACKAGES CONFIGURATION.json
//
// The configuration: {port, issuer?, alg?, kid?, encrypt?, nonce?, refresh_ttl?, keys?: [JWK], log: FILE}.
// POST /lab/tokens?client=ID&resource=URL begins a session and answers its refresh token;
// POST /lab/remove-client?client=ID removes a client.

import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto'
import { appendFileSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { pathToFileURL } from 'node:url'

const [packages, file] = process.argv.slice(2)
const { default: Provider } = await import(pathToFileURL(`${packages}/node_modules/oidc-provider/lib/index.js`))
const given = { alg: 'ES256', kid: 'main', refresh_ttl: 30 * 24 * 3600, keys: [], ...JSON.parse(readFileSync(file)) }
const issuer = given.issuer ?? `http://127.0.0.1:${given.port}`
const SCOPE = 'openid offline_access orders:read'
const DAY = 24 * 3600

const generated = (alg) => {
  const [kind, options] = alg === 'RS256' ? ['rsa', { modulusLength: 2048 }] : ['ec', { namedCurve: 'P-256' }]
  const { privateKey } = generateKeyPairSync(kind, options)
  return { ...privateKey.export({ format: 'jwk' }), alg, use: 'sig', kid: given.kid }
}
const client = {
  grant_types: ['authorization_code', 'refresh_token'],
  redirect_uris: ['http://127.0.0.1/callback'],
  application_type: 'native',
  token_endpoint_auth_method: 'none',
}
const sealed = { alg: 'dir', enc: 'A128CBC-HS256', key: randomBytes(32) }
const jwks = { keys: [generated(given.alg), ...given.keys] }
const provider = new Provider(issuer, {
  jwks,
  cookies: { keys: ['lab'] },
  clientDefaults: { id_token_signed_response_alg: given.alg },
  clients: [{ ...client, client_id: 'web' },
    { ...client, client_id: 'api', client_secret: 'lab-secret', token_endpoint_auth_method: 'client_secret_post' }],
  scopes: ['openid', 'offline_access'],
  ttl: { AccessToken: 900, Grant: 30 * DAY, RefreshToken: given.refresh_ttl, IdToken: 900 },
  rotateRefreshToken: true,
  enabledJWA: { idTokenSigningAlgValues: [given.alg, 'RS256'] },
  findAccount: (_ctx, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
  features: {
    devInteractions: { enabled: false },
    revocation: { enabled: true },
    introspection: { enabled: true },
    dPoP: { enabled: true, ...(given.nonce && { nonceSecret: randomBytes(32), requireNonce: () => true }) },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => undefined,
      useGrantedResource: () => false,
      getResourceServerInfo: (_ctx, resource) => ({
        scope: 'orders:read', audience: resource, accessTokenTTL: 900, accessTokenFormat: 'jwt',
        jwt: given.encrypt ? { encrypt: sealed } : { sign: { alg: given.alg } },
      }),
    },
  },
})
provider.on('server_error', (_ctx, error) => console.error(error))
provider.on('grant.error', (ctx, error) => { ctx.req.detail = error.error_detail })
await provider.Client.adapter.upsert('phone', { ...client, client_id: 'phone' })

async function begin(query) {
  const accountId = 'ann'
  const clientId = query.get('client')
  const found = await provider.Client.find(clientId)
  const grant = new provider.Grant({ accountId, clientId })
  grant.addOIDCScope('openid offline_access')
  for (const resource of query.getAll('resource')) grant.addResourceScope(resource, 'orders:read')
  const grantId = await grant.save()
  const refresh = new provider.RefreshToken({
    accountId, client: found, grantId, gty: 'authorization_code', scope: SCOPE, resource: query.getAll('resource'),
    authTime: Math.floor(Date.now() / 1000), expiresWithSession: false, iiat: Math.floor(Date.now() / 1000),
  })
  return { refresh_token: await refresh.save() }
}

// One JSON line for each token request, as a log that keeps fingerprints has it.
function logged(request, response) {
  const parts = []
  const began = Date.now()
  const emit = request.emit
  request.emit = function (event, chunk) {
    if (event === 'data') parts.push(chunk)
    return emit.apply(this, arguments)
  }
  const end = response.end
  response.end = function (body) {
    const form = new URLSearchParams(Buffer.concat(parts).toString())
    const hash = (text) => text && createHash('sha256').update(text).digest('hex').slice(0, 12)
    const answer = (() => { try { return JSON.parse(body) } catch { return {} } })()
    appendFileSync(given.log, `${JSON.stringify({
      level: response.statusCode < 400 ? 30 : 40, time: began, pid: process.pid, msg: 'request completed',
      req: { method: request.method, url: request.url }, res: { statusCode: response.statusCode },
      client_id: form.get('client_id'), grant_type: form.get('grant_type'), error: answer.error,
      error_description: answer.error_description, error_detail: request.detail, presented_refresh_token_sha256: hash(form.get('refresh_token')),
      issued_refresh_token_sha256: hash(answer.refresh_token), responseTime: Date.now() - began,
    })}\n`)
    return end.apply(this, arguments)
  }
}

const app = provider.callback()
const server = createServer(async (request, response) => {
  const url = new URL(request.url, issuer)
  response.setHeader('content-type', 'application/json')
  if (url.pathname === '/lab/tokens') {
    response.end(JSON.stringify(await begin(url.searchParams)))
  } else if (url.pathname === '/lab/remove-client') {
    await provider.Client.adapter.destroy(url.searchParams.get('client'))
    response.end('{}')
  } else {
    response.removeHeader('content-type')
    if (url.pathname === '/token') logged(request, response)
    app(request, response)
  }
})
server.listen(given.port, '127.0.0.1')
