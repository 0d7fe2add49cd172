// supabase-js with its own debug log, against a fake of Supabase Auth. OPTIONS: `base`, `steps`, `storage` (a file).
import fs from "node:fs";
import { createClient } from "@supabase/supabase-js";

const options = { storage: "supabase.json", ...JSON.parse(process.env.OPTIONS) };
const read = () => (fs.existsSync(options.storage) ? JSON.parse(fs.readFileSync(options.storage, "utf8")) : {});
const storage = {
  getItem: (key) => read()[key] ?? null,
  setItem: (key, value) => fs.writeFileSync(options.storage, JSON.stringify({ ...read(), [key]: value })),
  removeItem: (key) => fs.writeFileSync(options.storage, JSON.stringify({ ...read(), [key]: undefined })),
};
const hidden = (text) => text.replace(/eyJ[\w-]+\.[\w-]+\.[\w-]+/g, (token) => `${token.slice(0, 9)}…`);
const debug = (text, ...more) => console.log(hidden([new Date().toISOString(), text, ...more.map((each) => (typeof each === "string" ? each : JSON.stringify(each)))].join(" ")));
const client = createClient(options.base, "sb_publishable_corpus", { realtime: { transport: class {} }, auth: { storage, debug, autoRefreshToken: false, persistSession: true } });
client.auth.onAuthStateChange((event, session) => debug(`[app] auth state: ${event}`, session ? { user: session.user.email, expires_at: session.expires_at } : null));

const pass = (seconds) => {
  const now = Number(fs.readFileSync(process.env.CLOCK, "utf8"));
  fs.writeFileSync(`${process.env.CLOCK}.next`, String(now + Number(seconds)));
  fs.renameSync(`${process.env.CLOCK}.next`, process.env.CLOCK);
};
const steps = {
  async login() {
    const { error } = await client.auth.signInWithPassword({ email: "ann@example.test", password: "corpus" });
    if (error) debug("[app] sign-in failed", String(error));
  },
  async get(table = "orders") {
    const { data: { session }, error } = await client.auth.getSession();
    if (error) debug(`[app] getSession: ${error.name}: ${error.message}`, { status: error.status, code: error.code });
    const { status, error: refused } = await client.from(table).select("*");
    debug(`[app] select ${table}: ${status}`, { signedIn: Boolean(session), error: refused });
  },
  pass,
};
for (const step of options.steps) {
  const [name, value] = step.split(":");
  await steps[name](value);
  await new Promise((done) => setTimeout(done, 20));
}
