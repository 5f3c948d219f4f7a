// Signs in and looks after an account in a real Chromium: the whole way once without
// JavaScript on a telephone, then every page with it, in Spanish and English, light and
// dark, on a telephone and on a desk, with axe-core.
//
//   node signin.mjs BASE_URL OUT_FOLDER FACTS
//
// FACTS is JSON: email and password of somebody without a second factor, coded {email,
// password, secret} of somebody with one, operator (path of a link), invitation (path),
// clock (the console's time in seconds).
import { chromium } from "playwright-core";
import { createHmac } from "node:crypto";
import { createRequire } from "node:module";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const [base, out, text] = process.argv.slice(2);
if (!text) {
  console.error("usage: node signin.mjs BASE_URL OUT_FOLDER FACTS");
  process.exit(2);
}
const facts = JSON.parse(text);
mkdirSync(out, { recursive: true });
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const problems = [];
const profile = mkdtempSync(join(tmpdir(), "vigia-signin-"));
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", `--disk-cache-dir=${profile}`],
});
const expect = (ok, what) => ok || problems.push(what);

// totp is RFC 6238 for the console's clock, steps ahead of it.
function totp(secret, ahead) {
  const bits = [...secret].map((c) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(c).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((b) => parseInt(b, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(facts.clock / 30) + ahead));
  const mac = createHmac("sha1", key).update(counter).digest();
  return ((mac.readUInt32BE(mac[19] & 15) & 0x7fffffff) % 1000000).toString().padStart(6, "0");
}

// Without JavaScript, on a telephone.
async function plain() {
  const context = await browser.newContext({ javaScriptEnabled: false, ignoreHTTPSErrors: true, viewport: { width: 390, height: 844 }, locale: "es-MX" });
  const page = await context.newPage();
  const at = (path) => expect(page.url() === base + path, `without JavaScript: at ${page.url()}, not ${path}`);
  const shot = (name) => page.screenshot({ path: join(out, `plain-${name}.png`), fullPage: true });
  const enter = async (email, password) => {
    await page.fill("#email", email);
    await page.fill("#password", password);
    await page.click("main form button");
  };
  await page.goto(base + "/account");
  await enter(facts.email, "no es esta contraseña");
  expect((await page.textContent("[role=alert]")).includes("no son correctos"), "no sentence about a wrong password");
  expect((await page.inputValue("#email")) === facts.email, "what was typed is gone");
  await shot("wrong");
  await enter(facts.email, facts.password);
  at("/account");
  await page.check("input[value=dark]");
  await page.click("form[action='/account/preferences'] button");
  at("/account?done=preferences");
  await shot("account");
  await page.goto(base + "/account/totp");
  const secret = (await page.textContent("code.vg-code")).replaceAll(" ", "");
  await shot("totp");
  await page.fill("#code", totp(secret, 0));
  await page.click("form[action='/account/totp'] button");
  const codes = await page.locator(".vg-codes li").allTextContents();
  expect(codes.length === 10, `${codes.length} recovery codes`);
  await shot("codes");
  await page.click(".vg-account form button");
  at("/signin");
  await enter(facts.email, facts.password);
  at("/signin/code");
  await shot("code");
  await page.fill("#code", totp(secret, 1));
  await page.click("main form button");
  at("/");
  await page.click(".vg-account form button");
  await enter(facts.email, facts.password);
  await page.fill("#code", codes[0].toLowerCase());
  await page.click("main form button");
  at("/");
  await page.goto(base + "/account/totp");
  await page.fill("#code-off", codes[1]);
  await page.click("form[action='/account/totp/remove'] button");
  at("/account?done=totp-removed");
  await page.goto(base + "/account/password");
  await page.fill("#current", facts.password);
  for (const field of ["#password", "#again"]) await page.fill(field, "otra frase bastante larga");
  await page.click("main form button");
  at("/account?done=password");
  const second = await browser.newContext({ javaScriptEnabled: false, ignoreHTTPSErrors: true });
  const elsewhere = await second.newPage();
  await elsewhere.goto(base + "/signin");
  await elsewhere.fill("#email", facts.email);
  await elsewhere.fill("#password", "otra frase bastante larga");
  await elsewhere.click("main form button");
  await page.goto(base + "/account");
  await shot("sessions");
  await page.click("form[action='/account/sessions/end-others'] button");
  at("/account?done=others-ended");
  await elsewhere.goto(base + "/account");
  expect((await elsewhere.locator("#password").count()) === 1, "a session that was ended still opens");
  await second.close();
  await context.close();
}

async function look(page, name, width, theme) {
  const found = await page.evaluate(() => ({
    csp: window.cspViolations,
    wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    theme: document.documentElement.getAttribute("data-bs-theme"),
    raw: document.body.innerText.match(/‹[^›]*›|no value/g) || [],
  }));
  if (theme && found.theme !== theme) problems.push(`${name}: theme ${found.theme}`);
  for (const v of [...found.csp, ...found.raw]) problems.push(`${name}: ${v}`);
  if (found.wide > 0) problems.push(`${name}: ${found.wide} px too wide at ${width}`);
  const res = await page.evaluate(axe + `;axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]})`);
  for (const v of res.violations) problems.push(`${name}: axe ${v.id}: ${v.nodes.slice(0, 3).map((n) => n.target.join(" ") + " " + (n.any[0]?.message || "")).join(" | ")}`);
}

// tour looks at pages as one visitor sees them.
async function tour(who, before, paths) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  const page = await context.newPage();
  page.on("pageerror", (e) => problems.push(`${who}: script: ${e.message}`));
  page.on("console", (m) => m.type() === "error" && !m.text().includes("status of 4") && problems.push(`${who}: console: ${m.text()}`));
  await page.addInitScript(() => {
    window.cspViolations = [];
    document.addEventListener("securitypolicyviolation", (e) => window.cspViolations.push(`CSP ${e.violatedDirective} ${e.blockedURI}`));
  });
  await before(page);
  let seen = 0;
  for (const [lang, colorScheme, width, height] of [["es", "light", 1440, 900], ["es", "dark", 390, 844], ["en", "dark", 1440, 900], ["en", "light", 390, 844]]) {
    await page.setViewportSize({ width, height });
    await page.emulateMedia({ colorScheme });
    for (const path of paths) {
      const name = `${who}${path.replace(/[^a-z]+/gi, "-").slice(0, 30)}-${lang}-${colorScheme}-${width}`;
      await page.goto(`${base}${path}?lang=${lang}`);
      await look(page, name, width, who === "new" ? "dark" : colorScheme); // "new" chose dark
      await page.screenshot({ path: join(out, name + ".png"), fullPage: true });
      seen++;
    }
  }
  await context.close();
  return seen;
}

const enter = (who) => async (page) => {
  await page.goto(base + "/signin");
  await page.fill("#email", who.email);
  await page.fill("#password", who.password);
  await page.click("main form button");
};

try {
  await plain();
  let seen = await tour("anonymous", async () => {}, ["/signin", "/signin/link", "/signin/reset", facts.invitation]);
  seen += await tour("pending", enter(facts.coded), ["/signin/code"]);
  const inside = async (page) => {
    await enter(facts.coded)(page);
    await page.fill("#code", totp(facts.coded.secret, 1));
    await page.click("main form button");
  };
  seen += await tour("coded", inside, ["/account", "/account/password", "/account/totp"]);
  seen += await tour("new", enter({ email: facts.email, password: "otra frase bastante larga" }), ["/account/totp"]);
  const operator = async (page) => {
    await page.goto(base + facts.operator);
    await page.click("main form button");
  };
  seen += await tour("operator", operator, ["/accounts", "/accounts/" + facts.coded.email]);
  console.log(`${seen} visits`);
} catch (e) {
  problems.push(e.stack);
} finally {
  await browser.close();
  rmSync(profile, { recursive: true, force: true });
}
for (const p of problems) console.log("PROBLEM " + p);
process.exit(problems.length ? 1 : 0);
