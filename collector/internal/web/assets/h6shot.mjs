import { chromium } from "playwright-core";
import { mkdtempSync } from "node:fs";
const [base, link, out, ...jobs] = process.argv.slice(2);
const b = await chromium.launchPersistentContext(mkdtempSync("/tmp/h6prof-"), { executablePath: "/usr/bin/chromium", headless: true, ignoreHTTPSErrors: true, args: ["--no-sandbox", "--disable-gpu", "--disable-quic"] });
const p = await b.newPage();
p.on("console", m => { if (m.type()==="error") console.log("CONSOLE", m.text()); });
await p.goto(link); await p.click("main button"); await p.waitForLoadState();
for (const j of jobs) {
  const [name, path, width, scheme, action] = j.split("|");
  await p.setViewportSize({ width: +width, height: +width < 500 ? 844 : 900 });
  await p.emulateMedia({ colorScheme: scheme || "light" });
  await p.goto(base + path);
  if (action) await eval("(async()=>{" + action + "})()");
  await p.screenshot({ path: `${out}/${name}.png`, fullPage: !action });
}
await b.close();
