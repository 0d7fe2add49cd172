// A shop's API as teams write it: Express, jsonwebtoken, rotating refresh tokens, one of three loggers.
// OPTIONS (JSON in the environment): see `defaults`.
import { randomBytes, randomUUID } from "node:crypto";
import bunyan from "bunyan";
import express from "express";
import jwt from "jsonwebtoken";
import pino from "pino";
import winston from "winston";

const defaults = {
  port: 0, log: "pino", host: "api-5c7d9", accessTtl: 900, refreshTtl: 2592000, secret: "corpus-shop-secret-of-32-bytes!!",
  plan: [], omitRefresh: false, rotate: true, grace: 0, quiet: false,
};
const options = { ...defaults, ...JSON.parse(process.env.OPTIONS) };

function logger() {
  if (options.log === "bunyan") {
    return bunyan.createLogger({ name: "shop-api", hostname: options.host, serializers: { err: bunyan.stdSerializers.err } });
  }
  if (options.log === "pino") return pino({ base: { pid: process.pid, hostname: options.host }, serializers: { err: pino.stdSerializers.err } });
  const { combine, timestamp, printf, colorize, json } = winston.format;
  const line = printf(({ timestamp: at, level, message, ...more }) => `${at} ${level}: ${message} ${JSON.stringify(more)}`);
  const format = options.log === "ansi" ? combine(colorize(), timestamp(), line) : combine(timestamp(), json());
  const made = winston.createLogger({ format, transports: [new winston.transports.Console()] });
  const write = (level) => ({ err, ...fields }, text) => made.log(level, text, { ...fields, ...(err && { error: `${err.name}: ${err.message}` }) });
  return { info: write("info"), warn: write("warn"), error: write("error") };
}

const log = logger();
const sessions = new Map();
const refreshTokens = new Map();
const plan = [...options.plan];
const app = express();
app.disable("x-powered-by");
app.disable("etag");
app.use(express.json());
app.use((req, res, next) => {
  req.id = req.get("x-request-id") ?? randomUUID();
  const begin = performance.now();
  res.on("finish", () => {
    if (req.path === "/healthz" && options.quiet) return;
    const fields = { reqId: req.id, method: req.method, url: req.originalUrl, status: res.statusCode,
      durationMs: Math.round((performance.now() - begin) * 10) / 10, userAgent: req.get("user-agent") };
    log[res.statusCode < 400 ? "info" : "warn"](fields, `${req.method} ${req.path} ${res.statusCode}`);
  });
  next();
});

function issue(sid) {
  const { user } = sessions.get(sid);
  const refreshToken = randomBytes(32).toString("hex");
  refreshTokens.set(refreshToken, { sid, born: Date.now(), used: 0 });
  const accessToken = jwt.sign({ sub: user, sid }, options.secret, { expiresIn: options.accessTtl, audience: "shop", issuer: "shop-auth" });
  return { accessToken, refreshToken, expiresIn: options.accessTtl };
}

app.post("/auth/login", (req, res) => {
  const sid = randomUUID();
  sessions.set(sid, { user: req.body.email, revoked: false });
  log.info({ reqId: req.id, userId: req.body.email, sid }, "user logged in");
  res.json(issue(sid));
});

app.post("/auth/refresh", (req, res) => {
  const step = plan.shift() ?? "ok";
  if (step === "hang") return;
  if (!["ok", "lost"].includes(step)) return void res.status(Number(step)).json({ message: step === "429" ? "Too many requests" : "Service temporarily unavailable" });
  const given = req.body?.refreshToken;
  if (!given) {
    log.warn({ reqId: req.id }, "refresh rejected: refreshToken is required");
    return void res.status(400).json({ message: "refreshToken is required" });
  }
  const row = refreshTokens.get(given);
  if (!row) {
    log.warn({ reqId: req.id }, "refresh rejected: unknown refresh token");
    return void res.status(401).json({ message: "Invalid refresh token" });
  }
  const session = sessions.get(row.sid);
  const fields = { reqId: req.id, userId: session.user, sid: row.sid };
  if (session.revoked) {
    log.warn(fields, "refresh rejected: session revoked");
    return void res.status(401).json({ message: "Invalid refresh token" });
  }
  if (Date.now() - row.born > options.refreshTtl * 1000) {
    log.info(fields, "refresh rejected: refresh token expired");
    return void res.status(401).json({ message: "Refresh token expired" });
  }
  if (options.rotate && row.used && Date.now() - row.used > options.grace * 1000) {
    session.revoked = true;
    log.warn({ ...fields, usedAt: new Date(row.used).toISOString() }, "refresh token reuse detected, revoking session");
    return void res.status(401).json({ message: "Invalid refresh token" });
  }
  if (options.rotate) row.used ||= Date.now();
  log.info(fields, "refresh token rotated");
  const body = issue(row.sid);
  if (options.omitRefresh) delete body.refreshToken;
  if (step === "ok") res.json(body);
});

app.post("/auth/logout", (req, res) => {
  const row = refreshTokens.get(req.body?.refreshToken);
  if (row) sessions.get(row.sid).revoked = true;
  log.info({ reqId: req.id, sid: row?.sid }, "user logged out");
  res.status(204).end();
});

app.get("/v1/catalog", (_req, res) => res.json({ products: [{ id: 1, name: "Lamp" }] }));

app.get("/v1/:name", (req, res) => {
  const token = /^bearer (.+)$/i.exec(req.get("authorization") ?? "")?.[1];
  if (!token) return void res.status(401).json({ message: "No authorization token was found" });
  try {
    const claims = jwt.verify(token, options.secret, { audience: "shop", issuer: "shop-auth", algorithms: ["HS256"] });
    res.json({ user: claims.sub, items: [] });
  } catch (err) {
    log.warn({ reqId: req.id, err, userId: jwt.decode(token)?.sub }, "authentication failed");
    res.status(401).json({ message: err.message });
  }
});

app.get("/healthz", (_req, res) => res.json({ status: "ok" }));
const server = app.listen(options.port, "127.0.0.1", () => log.info({ port: options.port, version: "3.9.2" }, "shop-api listening"));
process.on("SIGTERM", () => {
  log.info({}, "SIGTERM received, shutting down");
  server.close(() => process.exit(0));
  server.closeAllConnections();
});
