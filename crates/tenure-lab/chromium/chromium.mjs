// A headless Chromium in a process of its own, and one window of it. It reads one JSON command a
// line on stdin and writes one JSON answer a line on stdout: {"ok": …} or {"failed": "…"}.

import { createInterface } from 'node:readline'
import { chromium } from 'playwright-core'

const [executablePath, scripts] = process.argv.slice(2)
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
const context = await browser.newContext({ javaScriptEnabled: scripts === 'scripts' })
const page = await context.newPage()
page.setDefaultTimeout(60_000)

const commands = {
  // Goes to an address, as if it were typed.
  async open({ url }) {
    await page.goto(url)
  },

  // Types into the field that has this label.
  async fill({ label, text }) {
    await page.getByLabel(label).fill(text)
  },

  // Presses the button that says this, and waits for what it leads to.
  async press({ button }) {
    await Promise.all([
      page.waitForEvent('domcontentloaded'),
      page.getByRole('button', { name: button, exact: true }).click(),
    ])
  },

  // What a person sees.
  async look() {
    return { url: page.url(), title: await page.title(), text: await page.innerText('body') }
  },
}

process.stdout.write('{"ok":null}\n')
for await (const line of createInterface({ input: process.stdin })) {
  const { do: name, ...command } = JSON.parse(line)
  let answer
  try {
    answer = { ok: (await commands[name](command)) ?? null }
  } catch (error) {
    answer = { failed: `${name}: ${error.message} at ${page.url()}` }
  }
  process.stdout.write(JSON.stringify(answer) + '\n')
}
await browser.close()
