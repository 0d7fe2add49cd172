// A small session service that keeps a log: Express with jsonwebtoken, and pino-http, winston or morgan.
// OPTIONS (JSON in the environment): see `defaults`. One thing is wrong with it at most, as OPTIONS says.
import { createHash, randomBytes } from "node:crypto";
import express from "express";
import jwt from "jsonwebtoken";
import morgan from "morgan";
import pino from "pino";
import pinoHttp from "pino-http";
import winston from "winston";

const defaults = {
  port: 0,
  log: "pino",
  accessTtl: 900,
  refreshTtl: 2592000,
  secret: "corpus-secret-of-thirty-two-bytes!",
  verifyWith: "",
  omitRefresh: false,
  rotate: true,
  plan: [],
  refuseFeed: "",
};
const options = { ...defaults, ...JSON.parse(process.env.OPTIONS) };
const secret = options.secret === "random" ? randomBytes(32).toString("hex") : options.secret;
const fingerprint = (text) => createHash("sha256").update(text).digest("hex").slice(0, 12);

function logger() {
  if (options.log === "winston") {
    const format = winston.format.combine(winston.format.timestamp(), winston.format.json());
    const made = winston.createLogger({ format, transports: [new winston.transports.Console()] });
    return {
      info: (fields, text) => made.info(text, fields),
      warn: (fields, text) => made.warn(text, fields),
    };
  }
  if (options.log === "morgan") return { info: () => {}, warn: () => {} };
  return pino({ base: { pid: process.pid, hostname: "api-7d4b9" }, redact: ["req.headers.authorization"] });
}

const log = logger();
const app = express();
app.disable("x-powered-by");
app.disable("etag");
app.set("trust proxy", true);
if (options.log === "pino") app.use(pinoHttp({ logger: log }));
if (options.log === "morgan") app.use(morgan("combined"));
if (options.log === "winston") {
  app.use((request, response, next) => {
    const begin = Date.now();
    response.on("finish", () => {
      const fields = {
        method: request.method,
        path: request.path,
        status: response.statusCode,
        ms: Date.now() - begin,
        device: request.headers["x-device"],
      };
      (response.statusCode < 400 ? log.info : log.warn)(fields, "request completed");
    });
    next();
  });
}
app.use(express.json());

const tokens = new Map();
const revoked = new Set();
const plan = [...options.plan];

function grant(user, family) {
  const refresh = `rt_${randomBytes(18).toString("base64url")}`;
  tokens.set(fingerprint(refresh), { user, family, born: Date.now(), used: 0 });
  const access = jwt.sign({ sub: user, jti: randomBytes(6).toString("hex") }, secret, {
    algorithm: "HS256",
    audience: "feed",
    issuer: "https://auth.example.test",
    expiresIn: options.accessTtl,
  });
  return { access_token: access, token_type: "Bearer", expires_in: options.accessTtl, refresh_token: refresh };
}

function judge(token) {
  const row = tokens.get(fingerprint(token ?? ""));
  if (!token) return ["refresh_token is empty"];
  if (!row) return ["unknown refresh token"];
  if (revoked.has(row.family)) return ["family revoked", row];
  if (Date.now() - row.born > options.refreshTtl * 1000) return ["refresh token expired", row];
  if (options.rotate && row.used) return ["already used", row];
  return [null, row];
}

app.post("/login", (request, response) => {
  const body = grant(request.body.user, randomBytes(6).toString("hex"));
  log.info({ user: request.body.user, tokenFp: fingerprint(body.refresh_token) }, "login succeeded");
  response.json(body);
});

app.post("/api/auth/refresh", (request, response) => {
  const step = plan.shift() ?? "ok";
  if (step === "hang") return;
  if (step !== "ok") return void response.status(Number(step)).send("upstream unavailable");
  const token = request.body?.refresh_token;
  const [reason, row] = judge(token);
  if (reason) {
    if (reason === "already used") revoked.add(row.family);
    const fields = { err: "invalid_grant", reason, tokenFp: token ? fingerprint(token) : "" };
    log.warn({ ...fields, family: row?.family }, "refresh refused");
    return void response.status(400).json({ error: "invalid_grant", error_description: reason });
  }
  const body = grant(row.user, row.family);
  if (options.rotate) row.used = Date.now();
  const fields = { user: row.user, tokenFp: fingerprint(token), successorFp: fingerprint(body.refresh_token) };
  log.info(fields, "refresh succeeded");
  if (options.omitRefresh) delete body.refresh_token;
  response.json(body);
});

app.get("/api/:name", (request, response) => {
  const [scheme, token] = (request.headers.authorization ?? "").split(" ");
  if (scheme.toLowerCase() !== "bearer" || !token) {
    return void response.status(401).set("www-authenticate", "Bearer").json({ error: "No token provided" });
  }
  if (options.refuseFeed) {
    const [status, body] = JSON.parse(options.refuseFeed);
    return void response.status(status).json(body);
  }
  try {
    const claims = jwt.verify(token, options.verifyWith || secret, { algorithms: ["HS256"], audience: "feed" });
    response.json({ name: request.params.name, sub: claims.sub, items: [] });
  } catch (error) {
    log.warn({ err: error.name, reason: error.message, sub: jwt.decode(token)?.sub }, "token rejected");
    response.status(401).set("www-authenticate", 'Bearer error="invalid_token"').json({ error: error.message });
  }
});

app.get("/health", (_request, response) => response.json({ status: "ok" }));

app.listen(options.port, "127.0.0.1", () => log.info({ port: options.port }, "server started"));
