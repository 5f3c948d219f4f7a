// Walks the console in a real Chromium: every page in Spanish and English, light and
// dark, on a telephone and on a desk; without console errors, CSP violations, sideways
// scrolling or anything that axe-core finds. Screenshots go into a folder.
//
//   node walk.mjs BASE_URL SIGNIN_PATH OUT_FOLDER PATH...
//
// A PATH is a page to visit. CHROMIUM names the browser (/usr/bin/chromium). With QUICK
// set, pages are seen in Spanish only, light on a desk and dark on a telephone.
import { chromium } from "playwright-core";
import { createRequire } from "node:module";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const [base, signin, out, ...paths] = process.argv.slice(2);
if (!out || paths.length === 0) {
  console.error("usage: node walk.mjs BASE_URL SIGNIN_PATH OUT_FOLDER PATH...");
  process.exit(2);
}
mkdirSync(out, { recursive: true });
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const profile = mkdtempSync(join(tmpdir(), "vigia-chromium-"));
const problems = [];
const missing = "/nada"; // a page that does not exist, to see how that looks

const browser = await chromium.launchPersistentContext(profile, {
  executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
  headless: true,
  ignoreHTTPSErrors: true,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

const page = await browser.newPage();
let where = "sign-in";
let statusExpected = 200;
page.on("console", (m) => {
  if (m.type() === "error" && statusExpected < 400) problems.push(`${where}: console: ${m.text()}`);
});
page.on("pageerror", (e) => problems.push(`${where}: script: ${e.message}`));
await page.addInitScript(() => {
  window.cspViolations = [];
  document.addEventListener("securitypolicyviolation", (e) => window.cspViolations.push(`${e.violatedDirective} ${e.blockedURI}`));
});

// look judges what is on the screen now.
async function look(name, width) {
  const found = await page.evaluate(() => ({
    csp: window.cspViolations,
    wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    theme: document.documentElement.getAttribute("data-bs-theme"),
    raw: document.body.innerText.match(/‹[^›]*›|no value/g) || [],
  }));
  for (const v of found.csp) problems.push(`${name}: CSP: ${v}`);
  for (const v of found.raw) problems.push(`${name}: raw key: ${v}`);
  if (found.wide > 0) {
    const who = await page.evaluate(() => [...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > document.documentElement.clientWidth + 1).slice(0, 4).map((e) => e.tagName + "." + e.className));
    problems.push(`${name}: ${found.wide} px too wide at ${width}: ${who.join(" ")}`);
  }
  // The isolated world of the protocol is not bound by the page's CSP.
  const res = await page.evaluate(axe + `;axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]})`);
  for (const v of res.violations) {
    problems.push(`${name}: axe ${v.id} (${v.impact}): ${v.nodes.slice(0, 3).map((n) => n.target.join(" ") + " " + (n.any[0]?.message || n.all[0]?.message || "")).join(" | ")}`);
  }
  if (!res.passes.some((p) => p.id === "color-contrast")) problems.push(`${name}: axe did not look at contrast`);
  return found;
}

try {
  await page.setViewportSize({ width: 1440, height: 900 });
  statusExpected = 401;
  await page.goto(base + "/?lang=es");
  await look("anonymous", 1440);
  await page.screenshot({ path: join(out, "anonymous-es.png") });
  statusExpected = 200;
  await page.goto(base + signin);
  await look("signin", 1440);
  await page.screenshot({ path: join(out, "signin-es.png") });
  await page.click("main button");
  await page.waitForURL(base + "/");

  let visits = 0;
  for (const lang of ["es", "en"]) {
    for (const scheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme: scheme });
      for (const [width, height] of [[390, 844], [1440, 900]]) {
        const telephone = width === 390;
        if (lang === "en" && (scheme === "light") === telephone) continue; // seen often enough
        if (process.env.QUICK && (lang === "en" || (scheme === "dark") !== telephone)) continue;
        await page.setViewportSize({ width, height });
        for (const path of paths) {
          const file = `${path.replace(/[^a-zA-Z0-9]+/g, "-").replace(/^-|-$/g, "").slice(0, 60) || "home"}-${lang}-${scheme}-${width}`;
          where = file;
          statusExpected = path === missing ? 404 : 200;
          const res = await page.goto(base + path + (path.includes("?") ? "&" : "?") + "lang=" + lang);
          const found = await look(file, width);
          if (found.theme !== scheme) problems.push(`${file}: theme ${found.theme}`);
          if (res.status() !== statusExpected) problems.push(`${file}: status ${res.status()}`);
          await page.screenshot({ path: join(out, file + ".png"), fullPage: true });
          visits++;
        }
      }
    }
  }

  // The widest screen that is promised.
  await page.setViewportSize({ width: 2560, height: 1440 });
  for (const path of paths) {
    where = "wide " + path;
    statusExpected = path === missing ? 404 : 200;
    await page.goto(base + path);
    await look(where, 2560);
  }

  // The counts refresh themselves; "/" goes to the search box; Tab reaches the skip link first.
  where = "live";
  statusExpected = 200;
  await page.goto(base + "/");
  await page.focus("#live a");
  for (let i = 0; i < 2; i++) {
    await page.waitForResponse((r) => r.url().startsWith(base + "/home/counts?v=") && [200, 204].includes(r.status()), { timeout: 30000 });
  }
  await page.waitForFunction(() => document.querySelectorAll("#live").length === 1);
  if (!(await page.evaluate(() => document.activeElement.closest("#live a")))) problems.push("the counts take the focus away when they refresh");
  await look("live", 2560);
  await page.goto(base + "/machines");
  await page.keyboard.press("Tab");
  if (!(await page.evaluate(() => document.activeElement.classList.contains("vg-skip")))) problems.push("Tab does not reach the skip link first");
  await page.keyboard.press("/");
  if (!(await page.evaluate(() => document.activeElement.type === "search"))) problems.push("/ does not reach the search box");

  // Paper.
  const record = paths.find((p) => /^\/nonconformities\/./.test(p));
  if (record) {
    await page.goto(base + record + "?lang=es");
    await page.emulateMedia({ media: "print", colorScheme: "light" });
    await page.pdf({ path: join(out, "nonconformity.pdf"), preferCSSPageSize: true, format: "Letter" });
    await page.emulateMedia({ media: "screen" });
  }
  where = "sign-out";
  statusExpected = 401;
  await page.goto(base + "/");
  const other = await browser.newPage(); // signs out while the home page is open elsewhere
  await other.goto(base + "/software");
  await other.click(".vg-account form button");
  await other.waitForURL(base + "/signin");
  await page.waitForFunction(() => !document.querySelector("#live") && document.querySelector("code"), undefined, { timeout: 30000 });
  console.log(`${visits} visits`);
} catch (e) {
  problems.push(`${where}: ${e.stack}`);
} finally {
  await browser.close();
  rmSync(profile, { recursive: true, force: true });
}
for (const p of problems) console.log("PROBLEM " + p);
process.exit(problems.length ? 1 : 0);
