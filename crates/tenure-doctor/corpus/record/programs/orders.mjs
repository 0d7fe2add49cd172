// An orders API with Express; OPTIONS (JSON in the environment) says which library verifies and what is wrong.
import { createPublicKey, randomBytes } from "node:crypto";
import { JwtRsaVerifier, CognitoJwtVerifier } from "aws-jwt-verify";
import { SimpleJwksCache } from "aws-jwt-verify/jwk";
import express from "express";
import * as jose from "jose";
import jwt from "jsonwebtoken";

const defaults = {
  library: "jsonwebtoken",
  secret: "",
  secretForm: "text",
  algorithms: ["HS256"],
  audience: "orders-api",
  issuer: undefined,
  jwks: "",
  typ: undefined,
  tolerance: 0,
  cooldown: 30000,
  scheme: "any",
  texts: "reasons",
  role: "",
  preflight: "cors",
  cognito: null,
};
const options = { ...defaults, ...JSON.parse(process.env.OPTIONS) };
const text = options.secret === "random" ? randomBytes(32).toString("hex") : options.secret;
if (options.secret === "random") {
  console.error(`${new Date().toISOString()} WARN JWT_SECRET is not set, using a random secret for this process`);
}
const secret = options.secretForm === "base64" ? Buffer.from(text, "base64") : text;

// The fetcher of aws-jwt-verify speaks HTTPS only; the lab's issuer is on loopback.
const fetcher = { fetch: async (uri) => Buffer.from(await (await fetch(uri)).arrayBuffer()) };

const verifiers = {
  jsonwebtoken: () => async (token) =>
    jwt.verify(token, secret, {
      algorithms: options.algorithms,
      audience: options.audience,
      issuer: options.issuer,
      clockTolerance: options.tolerance,
    }),
  // Asks again for a key that it does not know, as jose does.
  jose: () => {
    const keys = jose.createRemoteJWKSet(new URL(options.jwks), { timeoutDuration: 1500, cooldownDuration: options.cooldown });
    return (token) => verifyWithJose(token, keys);
  },
  // Has the key set of its start.
  "jose-once": async () => {
    const keys = jose.createLocalJWKSet(await (await fetch(options.jwks)).json());
    return (token) => verifyWithJose(token, keys);
  },
  // Makes keys of the whole set at every refresh, and keeps the old ones when one cannot be made.
  "whole-set": () => {
    let keys = new Map();
    const load = async () => {
      try {
        const set = await (await fetch(options.jwks)).json();
        const made = set.keys.map((jwk) => [jwk.kid, createPublicKey({ key: jwk, format: "jwk" })]);
        keys = new Map(made);
      } catch (error) {
        console.error(`${new Date().toISOString()} ERROR jwks refresh failed, keeping ${keys.size} keys: ${error.message}`);
      }
    };
    const first = load();
    setInterval(load, 2000);
    return async (token) => {
      await first;
      const { kid } = jose.decodeProtectedHeader(token);
      if (!keys.has(kid)) throw new Error("no key for this token");
      return jwt.verify(token, keys.get(kid), { audience: options.audience, issuer: options.issuer });
    };
  },
  aws: () => {
    const cache = new SimpleJwksCache({ fetcher });
    const made = options.cognito
      ? CognitoJwtVerifier.create(options.cognito, { jwksCache: cache })
      : JwtRsaVerifier.create({ issuer: options.issuer, audience: options.audience, jwksUri: options.jwks }, { jwksCache: cache });
    if (options.cognitoJwks) made.cacheJwks(options.cognitoJwks);
    return (token) => made.verify(token);
  },
};

async function verifyWithJose(token, keys) {
  const rules = { issuer: options.issuer, audience: options.audience, typ: options.typ, clockTolerance: options.tolerance };
  return (await jose.jwtVerify(token, keys, rules)).payload;
}

const verify = await verifiers[options.library]();
const app = express();
app.disable("x-powered-by");
app.disable("etag");
app.set("trust proxy", true);

const cors = (request, response, next) => {
  if (request.headers.origin) response.set("access-control-allow-origin", request.headers.origin).vary("origin");
  if (request.method !== "OPTIONS") return next();
  response.set("access-control-allow-headers", "authorization, content-type").set("access-control-allow-methods", "GET, POST").status(204).end();
};

function presented(request) {
  const field = request.headers.authorization ?? "";
  // Each of these is met in the field; only `any` is what RFC 9110 asks for.
  if (options.scheme === "lower") return field.startsWith("bearer ") ? field.slice(7) : "";
  if (options.scheme === "raw") return field;
  return /^bearer +/i.test(field) ? field.replace(/^bearer +/i, "") : "";
}

const authenticated = async (request, response, next) => {
  const token = presented(request);
  if (!token) return void response.status(401).set("www-authenticate", 'Bearer realm="orders"').json({ error: "missing token" });
  try {
    request.claims = await verify(token);
    next();
  } catch (error) {
    const { kid } = jwt.decode(token, { complete: true })?.header ?? {};
    console.error(`${new Date().toISOString()} WARN token refused: ${error.name}: ${error.message} (kid ${kid}, from ${request.ip})`);
    const shown = options.texts === "reasons" ? { error: error.code ?? error.name, message: error.message } : { error: "Unauthorized" };
    response.status(401).set("www-authenticate", 'Bearer realm="orders", error="invalid_token"').json(shown);
  }
};

if (options.preflight === "cors") app.use(cors);
app.get("/health", (_request, response) => response.json({ ok: true }));
app.use((request, response, next) => {
  response.on("finish", () => console.log(`${new Date().toISOString()} INFO ${request.method} ${request.path} ${response.statusCode} from ${request.ip}`));
  next();
});
app.use(authenticated);
if (options.preflight === "late") app.use(cors);
app.get("/orders", (request, response) => response.json({ orders: [{ id: 17 }], user: request.claims.sub }));
app.get("/admin/orders", (request, response) => {
  const roles = request.claims.roles ?? [];
  if (!roles.includes(options.role)) {
    return void response.status(403).set("www-authenticate", 'Bearer error="insufficient_scope"').json({ error: "forbidden", message: `role ${options.role} is required` });
  }
  response.json({ orders: [], all: true });
});
app.listen(options.port, "127.0.0.1", () => console.log("listening"));
