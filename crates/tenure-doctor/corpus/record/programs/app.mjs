// A client as teams write it: axios with interceptors. OPTIONS: `base`, `steps`, `flaws`, and the file that keeps its session.
// Prints one line for each thing that it notes: time, level, text, JSON.
import { createHash } from "node:crypto";
import fs from "node:fs";
import axios from "axios";

const options = { steps: [], flaws: [], store: "session.json", timeout: 3000, agent: "shop-desktop/5.2.0", proactive: false, byToken: false, email: "ann@example.test",
  ...JSON.parse(process.env.OPTIONS) };
const flaw = (name) => options.flaws.includes(name);
const wait = (ms) => new Promise((done) => setTimeout(done, ms));
const short = (token) => (token ? createHash("sha256").update(token).digest("hex").slice(0, 8) : null);
const fs_read = (name) => (fs.existsSync(name) ? JSON.parse(fs.readFileSync(name, "utf8")) : null);

function note(level, text, more = {}) {
  console.log(`${new Date().toISOString()}\t${level}\t${text}\t${Object.keys(more).length ? JSON.stringify(more) : ""}`);
}

let session = fs_read(options.store) ?? {};
let refreshing = null;
const api = axios.create({ baseURL: options.base, timeout: options.timeout, headers: { "user-agent": options.agent } });
api.interceptors.request.use(async (config) => {
  if (options.proactive && session.refreshToken && Date.now() > session.expiresAt - 30000) await refresh();
  if (session.accessToken) config.headers.Authorization = `Bearer ${session.accessToken}`;
  return config;
});
api.interceptors.response.use(
  (response) => {
    note("debug", `[api] ${response.config.method.toUpperCase()} ${response.config.url} ${response.status}`);
    return response;
  },
  async (error) => {
    const { config, response } = error;
    if (config.url.endsWith("/auth/refresh")) throw error;
    note("warn", `[api] ${config.method.toUpperCase()} ${config.url} failed: ${error.message}`,
      { status: response?.status, code: error.code, body: response?.data, ...(options.byToken && { date: response?.headers.date }), hadToken: Boolean(config.headers.Authorization) });
    if (response?.status !== 401 || config.retried) throw error;
    if (flaw("never")) {
      leave("unauthorized");
      throw error;
    }
    if (!session.refreshToken && !flaw("blank")) throw error;
    await refresh();
    return api({ ...config, retried: true });
  },
);

function save(given) {
  const blank = flaw("blank") ? { refreshToken: given.refreshToken ?? "" } : {};
  const expiresAt = options.byToken ? JSON.parse(Buffer.from(given.accessToken.split(".")[1], "base64url")).exp * 1000 : Date.now() + given.expiresIn * 1000;
  session = { ...session, ...given, ...blank, expiresAt };
  const kept = flaw("forget") ? { ...session, refreshToken: fs_read(options.store)?.refreshToken ?? session.refreshToken } : session;
  fs.writeFileSync(options.store, JSON.stringify(kept));
  const written = flaw("forget") && fs_read(options.store).refreshToken !== session.refreshToken ? ["accessToken", "expiresAt"] : Object.keys(session);
  note("debug", "[session] saved", { keys: written, accessToken: session.accessToken.length, refreshToken: (session.refreshToken ?? "").length });
}

function leave(reason) {
  session = {};
  fs.rmSync(options.store, { force: true });
  note("info", "[session] cleared, navigating to /login", { reason });
}

function refresh() {
  if (refreshing && !flaw("parallel")) return refreshing;
  refreshing = exchange().finally(() => { refreshing = null; });
  return refreshing;
}

async function exchange() {
  const sent = session.refreshToken;
  note("info", "[session] refreshing", { refreshToken: short(sent), length: (sent ?? "").length });
  for (let attempt = 1; ; attempt++) {
    try {
      const { data } = await axios.post(`${options.base}/auth/refresh`, { refreshToken: sent },
        { timeout: options.timeout, headers: { "user-agent": options.agent } });
      note("info", "[session] refreshed", { refreshToken: short(data.refreshToken), expiresIn: data.expiresIn });
      return save(data);
    } catch (error) {
      const status = error.response?.status;
      note("error", `[session] refresh failed: ${error.message}`, { status, code: error.code, body: error.response?.data });
      if (status === 400 || status === 401 || flaw("wipe")) {
        leave("refresh failed");
        throw error;
      }
      if (attempt === 4) throw error;
      note("info", "[session] keeping session, will retry", { attempt, inMs: 250 * 2 ** attempt });
      await wait(40);
      pass((250 * 2 ** attempt) / 1000);
    }
  }
}

function restore() {
  session = fs_read(options.store) ?? {};
  note("info", "[session] restored", { accessToken: (session.accessToken ?? "").length, refreshToken: short(session.refreshToken) });
}

function pass(seconds) {
  const now = Number(fs.readFileSync(process.env.CLOCK, "utf8"));
  fs.writeFileSync(`${process.env.CLOCK}.next`, String(now + Number(seconds)));
  fs.renameSync(`${process.env.CLOCK}.next`, process.env.CLOCK);
}

const paths = ["/v1/orders", "/v1/me", "/v1/cart", "/v1/messages", "/v1/wishlist"];
const steps = {
  async login() {
    const { data } = await axios.post(`${options.base}/auth/login`, { email: options.email }, { headers: { "user-agent": options.agent } });
    note("info", "[session] signed in", { email: options.email, expiresIn: data.expiresIn });
    save(data);
  },
  async get(count = 1) {
    if (options.byToken) note("debug", "[session] access token", { expiresAt: new Date(session.expiresAt).toISOString(), valid: Date.now() < session.expiresAt });
    const all = paths.slice(0, Number(count)).map((path) => api.get(path).catch(() => {}));
    await Promise.all(all);
  },
  async start() {
    session = {};
    note("info", "[app] started", { version: "5.2.0", platform: options.agent.split("/")[0] });
    if (flaw("early")) {
      const first = steps.get(2);
      await wait(60);
      restore();
      await first;
    } else restore();
    if (session.accessToken) await steps.get(1);
  },
  async note(text) { note("info", text.replaceAll("_", " ")); },
  pass,
  logout: () => leave("user"),
  drop: () => fs.rmSync(options.store, { force: true }),
};

for (const step of options.steps) {
  const [name, value] = step.split(":");
  await steps[name](value);
  await wait(15);
}
