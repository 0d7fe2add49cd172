// Chromium by Playwright: a job on stdin, its HAR in a file, what the console said on stdout.
// Steps: ["goto", tab, url], ["run", tab, script], ["both", script] in all tabs at once, ["wait", ms].
import fs from "node:fs";
import { chromium } from "playwright-core";

const job = JSON.parse(fs.readFileSync(0, "utf8"));
const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", `--host-resolver-rules=MAP *.test:443 127.0.0.1:${job.https}, MAP *.test:80 127.0.0.1:${job.http}`,
    ...(job.args ?? [])],
});
const context = await browser.newContext({
  ignoreHTTPSErrors: true, recordHar: { path: job.har, content: "embed" },
  userAgent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36",
});
const said = [];
const results = [];
const tabs = [];

async function tab(number) {
  if (!tabs[number]) {
    const page = await context.newPage();
    page.on("console", (message) => {
      const { url, lineNumber } = message.location();
      said.push(`${new Date().toISOString()} [tab ${number}] ${message.type()}: ${message.text()}  ${url.split("/").pop() || "(index)"}:${lineNumber + 1}`);
    });
    page.on("pageerror", (error) => said.push(`${new Date().toISOString()} [tab ${number}] error: Uncaught ${error.name}: ${error.message}`));
    tabs[number] = page;
  }
  return tabs[number];
}

for (const [step, ...rest] of job.steps) {
  if (step === "goto") await (await tab(rest[0])).goto(rest[1]).catch((error) => said.push(`${new Date().toISOString()} ${error.message.split("\n")[0]}`));
  if (step === "run") results.push(await (await tab(rest[0])).evaluate(`(${rest[1]})()`));
  if (step === "both") results.push(await Promise.all(tabs.map((page) => page.evaluate(`(${rest[0]})()`))));
  if (step === "wait") await new Promise((done) => setTimeout(done, rest[0]));
}
await new Promise((done) => setTimeout(done, 300));
await context.close();
await browser.close();
console.log(JSON.stringify({ console: said.join("\n") + "\n", results }));
