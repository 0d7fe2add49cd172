// A gateway of @fastify/http-proxy, @fastify/jwt, @fastify/cors and @fastify/rate-limit, with the log of pino.
//
//   node fastify_gateway.mjs CONFIGURATION.json
//
// The configuration: {port, upstream, issuer, audience?, jwks: URL, drop?, limit?, cors?: ORIGIN, keepKeys?: ms}.

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
const given = { keepKeys: 60000, ...JSON.parse(readFileSync(process.argv[2])) }
const app = require('fastify')({ logger: { base: { pid: process.pid, hostname: 'gw-5c8f6' } } })

if (given.cors) await app.register(require('@fastify/cors'), { origin: given.cors, allowedHeaders: ['authorization'] })
if (given.limit) await app.register(require('@fastify/rate-limit'), { max: given.limit, timeWindow: '1 minute' })

const jwks = new URL(given.jwks)
const keys = require('get-jwks')({ ttl: given.keepKeys, jwksPath: jwks.pathname })
await app.register(require('@fastify/jwt'), {
  secret: async (_request, { header }) => keys.getPublicKey({ kid: header.kid, alg: header.alg, domain: jwks.origin }),
  decode: { complete: true },
  verify: { algorithms: ['RS256', 'ES256'], allowedIss: given.issuer, allowedAud: given.audience },
})

app.get('/health', async () => ({ status: 'ok' }))
await app.register(require('@fastify/http-proxy'), {
  upstream: given.upstream,
  httpMethods: ['DELETE', 'GET', 'HEAD', 'PATCH', 'POST', 'PUT'],
  preHandler: async (request) => { await request.jwtVerify() },
  replyOptions: {
    rewriteRequestHeaders: (_request, { authorization, ...rest }) => (given.drop ? rest : { authorization, ...rest }),
  },
})
await app.listen({ port: given.port, host: '127.0.0.1' })
