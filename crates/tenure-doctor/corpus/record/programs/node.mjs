// An orders API on a framework of Node's; OPTIONS (JSON in the environment) says which, and what is wrong.
import { randomBytes } from "node:crypto";

const o = { framework: "fastify", secret: "", algorithms: undefined, audience: undefined, issuer: undefined, jwks: "", ...JSON.parse(process.env.OPTIONS) };
if (o.secret === "random") o.secret = randomBytes(32).toString("hex");
const listen = { port: o.port, host: "127.0.0.1" };
const order = { id: 17, total: "12.50" };

const frameworks = {
  async fastify() {
    const { default: Fastify } = await import("fastify");
    const { default: jwt } = await import("@fastify/jwt");
    const app = Fastify({ logger: { level: "info" }, trustProxy: true, http: o.maxHeaderSize ? { maxHeaderSize: o.maxHeaderSize } : undefined });
    await app.register(jwt, { secret: o.pem ? { public: o.pem } : o.secret, verify: { algorithms: o.algorithms, allowedAud: o.audience, allowedIss: o.issuer, clockTolerance: o.tolerance }, cookie: o.cookie && { cookieName: o.cookie, signed: false } });
    if (o.cookie) await app.register((await import("@fastify/cookie")).default);
    const authenticate = async (request, reply) => {
      try {
        await request.jwtVerify();
      } catch (error) {
        request.log.warn({ code: error.code }, error.message);
        return o.quiet ? reply.code(401).send({ error: "Unauthorized" }) : reply.send(error);
      }
    };
    const allow = (role) => async (request, reply) => {
      if (!(request.user.roles ?? []).includes(role)) reply.code(403).send({ statusCode: 403, error: "Forbidden", message: `Missing role: ${role}` });
    };
    app.get("/health", { logLevel: "warn" }, async () => ({ status: "ok" }));
    app.get("/api/orders", { onRequest: [authenticate] }, async () => [order]);
    app.post("/api/orders", { onRequest: [authenticate] }, async () => order);
    app.get("/api/orders/:id", { onRequest: [authenticate] }, async () => order);
    app.get("/api/me", { onRequest: [authenticate] }, async (request) => ({ id: request.user.sub }));
    app.get("/api/admin/reports", { onRequest: [authenticate, allow("admin")] }, async () => []);
    await app.listen(listen);
  },

  async koa() {
    const { default: Koa } = await import("koa");
    const { default: jwt } = await import("koa-jwt");
    const app = new Koa({ proxy: true });
    app.use(async (ctx, next) => {
      const begin = Date.now();
      await next();
      console.log(`  ${ctx.ip} ${ctx.method} ${ctx.url} ${ctx.status} ${Date.now() - begin}ms ${new Date().toISOString()}`);
    });
    app.use(async (ctx, next) => (ctx.path === "/health" ? void (ctx.body = "ok") : next()));
    app.use(jwt({ secret: o.secret, audience: o.audience, issuer: o.issuer, debug: o.debug, algorithms: o.algorithms, passthrough: o.passthrough }));
    if (o.passthrough) {
      app.use(async (ctx, next) => {
        if (ctx.path.startsWith("/api/catalogue")) return void (ctx.body = { items: ["chair"] });
        if (!ctx.state.user) ctx.throw(401, ctx.state.jwtOriginalError?.message ?? "login required");
        return next();
      });
    }
    app.use(async (ctx) => {
      if (!/^\/api\/(orders|me)/.test(ctx.path)) return;
      ctx.body = ctx.path === "/api/me" ? { id: ctx.state.user.sub } : [order];
    });
    app.listen(o.port, "127.0.0.1");
  },

  async hono() {
    const { Hono } = await import("hono");
    const { jwt } = await import("hono/jwt");
    const { logger } = await import("hono/logger");
    const { serve } = await import("@hono/node-server");
    const app = new Hono();
    app.use(logger((text, ...rest) => console.log(new Date().toISOString(), text, ...rest)));
    app.get("/health", (c) => c.text("ok"));
    app.use("/api/*", jwt({ secret: o.secret, alg: o.algorithms?.[0] ?? "HS256", cookie: o.cookie, verification: o.verification }));
    app.get("/api/orders", (c) => c.json([order]));
    app.get("/api/orders/:id", (c) => c.json(order));
    app.get("/api/me", (c) => c.json({ id: c.get("jwtPayload").sub }));
    app.onError((error, c) => {
      console.error(new Date().toISOString(), `${error.name}: ${error.message}`, error.cause ? `(${error.cause.name}: ${error.cause.message})` : "");
      return o.quiet ? c.json({ error: "Unauthorized" }, 401) : error.getResponse();
    });
    serve({ fetch: app.fetch, port: o.port, hostname: "127.0.0.1" });
  },

  async "express-jwt"() {
    const { app, end } = await express();
    const { expressjwt } = await import("express-jwt");
    const { default: jwks } = await import("jwks-rsa");
    const secret = o.jwks ? jwks.expressJwtSecret({ jwksUri: o.jwks, cache: true, rateLimit: true, jwksRequestsPerMinute: o.perMinute ?? 10, cacheMaxAge: 600000 }) : o.secret;
    const check = expressjwt({ secret, algorithms: o.algorithms ?? ["RS256"], audience: o.audience, issuer: o.issuer, credentialsRequired: !o.optional });
    app.get("/api/catalogue", check, (_request, response) => response.json([{ id: 1 }]));
    app.use("/api", check);
    end((error) => ({ name: error.name, code: error.code, message: error.message }));
  },

  async auth0() {
    const { app, end } = await express();
    const { auth, requiredScopes } = await import("express-oauth2-jwt-bearer");
    app.use("/api", auth({ issuer: o.issuer, jwksUri: o.jwks, audience: o.audience, strict: o.strict, tokenSigningAlg: o.tokenSigningAlg, dpop: o.dpop, clockTolerance: o.tolerance }));
    app.get("/api/admin/reports", requiredScopes("reports:read"), (_request, response) => response.json([]));
    end(undefined);
  },

  async passport() {
    const { app, end } = await express();
    const { default: passport } = await import("passport");
    const { Strategy, ExtractJwt } = await import("passport-jwt");
    const from = o.from ? ExtractJwt.fromAuthHeaderWithScheme(o.from) : ExtractJwt.fromAuthHeaderAsBearerToken();
    passport.use(new Strategy({ jwtFromRequest: from, secretOrKey: o.pem ?? o.secret, issuer: o.issuer, audience: o.audience, algorithms: o.algorithms }, (claims, done) => done(null, o.users && !o.users.includes(claims.sub) ? false : claims)));
    app.use("/api", passport.authenticate("jwt", { session: false }));
    end(undefined);
  },

  async sessions() {
    const { app, end } = await express();
    const { default: session } = await import("express-session");
    app.use(session({ secret: o.secret, resave: false, saveUninitialized: false, cookie: { maxAge: 86400000, sameSite: "lax" } }));
    app.post("/login", (request, response) => {
      request.session.user = request.query.user;
      response.json({ user: request.session.user });
    });
    app.get("/api/me", (request, response) => (request.session.user ? response.json({ user: request.session.user }) : response.status(401).json({ error: "Not signed in" })));
    if (o.csurf) {
      const { default: csurf } = await import("csurf");
      app.use(csurf());
      app.get("/csrf", (request, response) => response.json({ token: request.csrfToken() }));
      app.post("/api/orders", (request, response) => response.status(201).json({ id: 18 }));
    }
    end((error) => ({ message: error.message, code: error.code }));
  },
};

async function express() {
  const { default: make } = await import("express");
  const { default: morgan } = await import("morgan");
  const app = make();
  app.set("trust proxy", true);
  app.use(morgan(o.morgan ?? "combined"));
  app.get("/health", (_request, response) => response.send("ok"));
  const end = (body) => {
    app.get(["/api/orders", "/api/orders/:id"], (_request, response) => response.json([order]));
    app.post("/api/orders", (_request, response) => response.status(201).json(order));
    app.get("/api/me", (request, response) => response.json({ id: request.auth?.sub ?? request.user?.sub }));
    app.use((error, _request, response, next) => {
      if (o.loud) console.error(`${new Date().toISOString()} ${error.stack.split("\n")[0]}`);
      if (!body || o.plain) return next(error);
      response.status(error.status ?? 500).json(body(error));
    });
    app.listen(o.port, "127.0.0.1");
  };
  return { app, end };
}

await frameworks[o.framework]();
