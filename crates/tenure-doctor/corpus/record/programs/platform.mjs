// One small API on a platform's own way to know its callers: OPTIONS.kind of `session`, `authjs`, `auth0`, `jose`, `firebase`, `apollo`.
import { createRequire } from "node:module";
import express from "express";
import jwt from "jsonwebtoken";
import pino from "pino";
import pinoHttp from "pino-http";

const options = { port: 0, host: "web-1", ...JSON.parse(process.env.OPTIONS) };
const log = pino({ base: { pid: process.pid, hostname: options.host } });
const app = express();
app.set("trust proxy", true);
app.disable("x-powered-by");
const http = pinoHttp({
  logger: log, customLogLevel: (_req, res) => (res.statusCode >= 500 ? "error" : res.statusCode >= 400 ? "warn" : "info"),
  serializers: { req: ({ id, method, url, headers }) => ({ id, method, url, ua: headers["user-agent"] }), res: ({ statusCode }) => ({ statusCode }) },
});
if (options.kind !== "session") app.use(http);
app.get("/healthz", (_req, res) => res.json({ status: "ok" }));
const orders = (user) => ({ user, orders: [{ id: 17, total: "12.50" }] });

const kinds = {
  async session() {
    const { default: session } = await import("express-session");
    const morgan = createRequire(import.meta.url)("morgan");
    app.use(morgan("combined"));
    app.use(session({ secret: "corpus-session", resave: false, saveUninitialized: false, name: "shop.sid", cookie: { maxAge: 86400000 } }));
    app.post("/login", (req, res) => {
      req.session.user = "ann";
      res.json({ user: "ann" });
    });
    app.get("/api/:name", (req, res) => (req.session.user ? res.json(orders(req.session.user)) : res.status(401).json({ error: "Not logged in" })));
  },
  async authjs() {
    const { ExpressAuth, getSession } = await import("@auth/express");
    const { default: Credentials } = await import("@auth/express/providers/credentials");
    const config = {
      secret: options.secret, trustHost: true, session: { strategy: "jwt", maxAge: 2592000 },
      providers: [Credentials({ credentials: { name: {} }, authorize: ({ name }) => ({ id: name, name }) })],
    };
    app.use(/^\/auth\/(.*)/, ExpressAuth(config));
    app.get("/api/:name", async (req, res) => {
      const session = await getSession(req, config);
      if (session?.user) res.json(orders(session.user.name));
      else res.status(401).json({ error: "Unauthorized" });
    });
  },
  async auth0() {
    const { auth } = await import("express-oauth2-jwt-bearer");
    app.get("/api/:name", auth({ issuer: options.issuer, jwksUri: options.jwks, audience: options.audience, tokenSigningAlg: "RS256" }),
      (req, res) => res.json(orders(req.auth.payload.sub)));
    app.use((err, req, res, _next) => {
      req.log.warn({ err }, "request refused");
      res.status(err.status ?? 500).set(err.headers ?? {}).json({ message: err.message });
    });
  },
  async jose() {
    const { createRemoteJWKSet, jwtVerify } = await import("jose");
    const keys = createRemoteJWKSet(new URL(options.jwks));
    app.get("/api/:name", async (req, res) => {
      try {
        const { payload } = await jwtVerify((req.get("authorization") ?? "").replace(/^Bearer /, ""), keys,
          { issuer: options.issuer, audience: options.audience });
        res.json(orders(payload.sub));
      } catch (err) {
        req.log.warn({ err }, "token rejected");
        res.status(401).json({ error: "unauthorized" });
      }
    });
  },
  async firebase() {
    const { initializeApp } = await import("firebase-admin/app");
    const { getAuth } = await import("firebase-admin/auth");
    initializeApp({ projectId: options.project });
    app.get("/api/:name", async (req, res) => {
      try {
        const claims = await getAuth().verifyIdToken((req.get("authorization") ?? "").replace(/^Bearer /, ""));
        res.json(orders(claims.uid));
      } catch (err) {
        req.log.error({ err }, "verifyIdToken failed");
        res.status(401).json({ error: "unauthenticated" });
      }
    });
  },
  async apollo() {
    const { ApolloServer } = await import("@apollo/server");
    const { expressMiddleware } = await import("@as-integrations/express5");
    const { GraphQLError } = await import("graphql");
    const server = new ApolloServer({
      typeDefs: "type Order { id: ID total: String } type Query { orders: [Order] me: String catalog: String } "
        + "type Session { accessToken: String refreshToken: String expiresIn: Int } type Mutation { signIn(name: String): Session refresh(token: String): Session }",
      resolvers: {
        Query: {
          catalog: () => "lamps",
          me: (_, __, { user }) => known(user).sub,
          orders: (_, __, { user }) => (known(user), [{ id: 17, total: "12.50" }]),
        },
        Mutation: { signIn: (_, { name }) => issue(name), refresh: (_, { token }) => issue(jwt.verify(token, "corpus-apollo-refresh").sub) },
      },
      plugins: [{
        async requestDidStart({ request }) {
          return { async didEncounterErrors({ errors }) {
            log.warn({ operation: request.operationName, errors: errors.map((each) => ({ message: each.message, code: each.extensions.code })) }, "graphql errors");
          } };
        },
      }],
    });
    const known = (user) => {
      if (user?.sub) return user;
      throw new GraphQLError(user?.reason ?? "You must be signed in", { extensions: { code: "UNAUTHENTICATED" } });
    };
    const issue = (sub) => ({ accessToken: jwt.sign({ sub }, "corpus-apollo", { expiresIn: 900 }), expiresIn: 900,
      refreshToken: jwt.sign({ sub }, "corpus-apollo-refresh", { expiresIn: 2592000 }) });
    await server.start();
    app.use("/graphql", express.json(), expressMiddleware(server, {
      context: async ({ req }) => {
        const token = /^Bearer (.+)/.exec(req.get("authorization") ?? "")?.[1];
        try {
          return { user: token && jwt.verify(token, "corpus-apollo") };
        } catch (error) {
          return { user: { reason: error.message } };
        }
      },
    }));
  },
};

await kinds[options.kind]();
app.listen(options.port, "127.0.0.1", () => options.kind === "session" || log.info({ port: options.port }, "listening"));
