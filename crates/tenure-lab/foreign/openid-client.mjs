// One OAuth client in a process of its own, written with npm openid-client as its documentation
// says. It reads one JSON command a line on stdin and writes one JSON answer a line on stdout:
// {"ok": …} or {"failed": {code, message, status, error, reason}}.

import { createInterface } from 'node:readline'
import * as client from 'openid-client'

let config
let registration
let skew = 0
let pending
// What an app would keep in its storage.
const session = {}

const commands = {
  // Reads the issuer's metadata. ID token signatures are checked against its keys.
  async discover({ issuer, client_id, client_secret }) {
    registration = { client_id, client_secret: client_secret ?? undefined }
    const found = await client.discovery(
      new URL(issuer),
      client_id,
      registration.client_secret,
      authentication(),
      { execute: [client.allowInsecureRequests] },
    )
    configure(found.serverMetadata())
    return { ...config.serverMetadata() }
  },

  // The URL to open in a browser.
  async authorize({ redirect_uri, scope }) {
    pending = {
      pkceCodeVerifier: client.randomPKCECodeVerifier(),
      expectedState: client.randomState(),
      expectedNonce: client.randomNonce(),
      maxAge: 3600,
    }
    const url = client.buildAuthorizationUrl(config, {
      redirect_uri,
      scope,
      state: pending.expectedState,
      nonce: pending.expectedNonce,
      max_age: '3600',
      code_challenge: await client.calculatePKCECodeChallenge(pending.pkceCodeVerifier),
      code_challenge_method: 'S256',
    })
    return url.href
  },

  // Where the browser was sent to: redeems the code.
  async callback({ url }) {
    const tokens = await client.authorizationCodeGrant(config, new URL(url), {
      ...pending,
      idTokenExpected: true,
    })
    pending = undefined
    keep(tokens)
    return { ...tokens, claims: tokens.claims() }
  },

  // Refreshes with the token it holds, and keeps the answer.
  async refresh() {
    const tokens = await client.refreshTokenGrant(config, session.refresh_token)
    keep(tokens)
    return { ...tokens, claims: tokens.claims() }
  },

  // Takes over tokens from elsewhere, as a thief would.
  async hold({ tokens }) {
    keep(tokens)
  },

  async userinfo() {
    const { sub } = claimsOf(session.id_token)
    return await client.fetchUserInfo(config, session.access_token, sub)
  },

  async introspect({ token }) {
    return await client.tokenIntrospection(config, token)
  },

  async revoke() {
    await client.tokenRevocation(config, session.refresh_token)
  },

  // The service's clock was moved: so is this client's.
  async clock({ ahead_seconds }) {
    skew = ahead_seconds
    configure(config.serverMetadata())
  },
}

function configure(server) {
  const metadata = { client_secret: registration.client_secret, [client.clockSkew]: skew }
  config = new client.Configuration(server, registration.client_id, metadata, authentication())
  client.allowInsecureRequests(config)
  client.enableNonRepudiationChecks(config)
}

function authentication() {
  const { client_secret } = registration
  return client_secret ? client.ClientSecretBasic(client_secret) : client.None()
}

function keep(tokens) {
  for (const name of ['access_token', 'refresh_token', 'id_token']) {
    if (tokens[name]) session[name] = tokens[name]
  }
}

function claimsOf(jwt) {
  return JSON.parse(Buffer.from(jwt.split('.')[1], 'base64url').toString())
}

function described(error) {
  const cause = error.cause ?? {}
  return {
    code: error.code ?? cause.code ?? null,
    message: `${error.message}${cause.message ? `: ${cause.message}` : ''}`,
    status: error.status ?? cause.status ?? null,
    error: error.error ?? null,
    reason: cause.tenure_reason ?? null,
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line)
  let answer
  try {
    answer = { ok: (await commands[command.do](command)) ?? null }
  } catch (error) {
    answer = { failed: described(error) }
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`)
}
