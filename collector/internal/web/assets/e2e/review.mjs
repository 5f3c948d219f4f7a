// Reviews findings in a real Chromium as a technician does: by keys, with undo; looks at
// what a rule and a mode would do; and does one form of each kind without JavaScript.
//
//   node review.mjs BASE_URL SIGNIN_PATH SIGNIN_PATH_WITHOUT_SCRIPT OUT_FOLDER
import { chromium } from "playwright-core";
import { createRequire } from "node:module";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const [base, signin, plainSignin, out] = process.argv.slice(2);
mkdirSync(out, { recursive: true });
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const problems = [];
let where = "";
const want = (ok, what) => ok || problems.push(`${where}: ${what}`);

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

async function open(link, javaScriptEnabled) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, javaScriptEnabled, locale: "es-MX", viewport: { width: 1440, height: 900 } });
  const page = await context.newPage();
  page.setDefaultTimeout(20000);
  page.on("pageerror", (e) => problems.push(`${where}: script: ${e.message}`));
  page.on("console", (m) => m.type() === "error" && !m.text().includes("422") && problems.push(`${where}: console: ${m.text()}`));
  await page.goto(base + link);
  await page.click("main button");
  await page.waitForURL(base + "/");
  return page;
}

async function judge(page, name) {
  const res = await page.evaluate(axe + `;axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]})`);
  for (const v of res.violations) problems.push(`${name}: axe ${v.id}: ${v.nodes.slice(0, 3).map((n) => n.target.join(" ")).join(" | ")}`);
  await page.screenshot({ path: join(out, name + ".png"), fullPage: true });
}

const rows = (page) => page.locator("tr[data-row]").count();
const queue = async (page) => { await page.goto(base + "/findings/review"); return rows(page); };
const line = (page) => page.evaluate(() => Number(document.activeElement?.closest("tr[data-row]")?.dataset.row ?? -1));

try {
  const page = await open(signin, true);

  where = "keys that move";
  await page.goto(base + "/findings");
  await page.click(`a[href="/findings/review"]`);
  const all = await rows(page);
  want(all >= 2, `${all} rows: the test would prove nothing`);
  await page.keyboard.press("j");
  want((await line(page)) === 0, "j does not go to the first line");
  await page.keyboard.press("j");
  want((await line(page)) === 1, "j does not go on");
  await page.keyboard.press("k");
  want((await line(page)) === 0, "k does not go back");
  await page.keyboard.press("?");
  want(await page.locator("[data-keys][open]").isVisible(), "? shows no keys");
  await judge(page, "keys");
  await page.keyboard.press("Escape");
  want((await page.locator("[data-keys][open]").count()) === 0, "Escape leaves the keys open");

  where = "not now, and back";
  await page.keyboard.press("j");
  const first = await line(page);
  await page.keyboard.press("s");
  await page.waitForSelector(".vg-undo");
  want((await rows(page)) === all - 1, "s leaves the line");
  want((await line(page)) === Math.min(first, all - 2), `the focus is at ${await line(page)}, not at ${first}`);
  await judge(page, "put-off");
  await page.reload();
  want((await page.locator(".vg-undo").count()) === 1, "the way back does not survive a reload");
  await page.keyboard.press("u");
  await page.waitForFunction((n) => document.querySelectorAll("tr[data-row]").length === n, all);
  want((await page.locator(".vg-undo").count()) === 0, "what was taken back is offered again");

  where = "a nonconformity, and back";
  await page.keyboard.press("j");
  await page.keyboard.press("n");
  await page.waitForSelector(".vg-undo");
  want((await rows(page)) === all - 1, "n leaves the line");
  want((await page.textContent(".vg-undo")).includes("no conformidad"), "it does not say what was done");
  await page.keyboard.press("u");
  await page.waitForFunction((n) => document.querySelectorAll("tr[data-row]").length === n, all);

  where = "authorize, with what else it would cover";
  const allowed = page.locator("tr[data-row]:has(button[data-do=a])").first();
  await allowed.locator("input[name=row]").focus();
  await page.keyboard.press("a");
  await page.waitForURL(/\/findings\/review\/authorize\?/);
  want(await page.evaluate(() => document.activeElement.id === "reason"), "the reason has not the focus");
  want((await page.textContent("#preview")).includes("Autorizaría"), "no preview");
  await page.keyboard.type("j k a n x");
  want((await page.inputValue("#reason")) === "j k a n x", "keys act inside a field");
  const before = await page.textContent("#preview");
  await page.check("input[name=where][value=machines]");
  await page.waitForFunction((was) => document.querySelector("#preview").textContent !== was, before);
  want((await page.inputValue("#reason")) === "j k a n x", "the preview takes what was typed");
  await judge(page, "authorize");
  await page.setViewportSize({ width: 390, height: 844 });
  await judge(page, "authorize-390");
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.focus("#reason");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/findings\/review(\?|$)/);
  want((await rows(page)) === all - 1, "what was authorized is still there");
  await page.keyboard.press("u");
  await page.waitForFunction((n) => document.querySelectorAll("tr[data-row]").length === n, all);

  where = "several at once, until nothing is left";
  await page.keyboard.press("j");
  await page.keyboard.press("x");
  await page.keyboard.press("j");
  await page.keyboard.press("x");
  want((await page.locator("input[name=row]:checked").count()) === 2, "x does not mark");
  await judge(page, "marked");
  await page.keyboard.press("s");
  await page.waitForFunction((n) => document.querySelectorAll("tr[data-row]").length === n, all - 2);
  while ((await rows(page)) > 0) {
    const n = await rows(page);
    await page.check("input[data-all]");
    await page.click("[data-bulk=s]");
    await page.waitForFunction((n) => document.querySelectorAll("tr[data-row]").length < n, n);
  }
  want((await page.textContent("main")).includes("Buen trabajo"), "nobody is praised");
  await judge(page, "done");
  await page.setViewportSize({ width: 390, height: 844 });
  await judge(page, "done-390");
  await page.setViewportSize({ width: 1440, height: 900 });
  for (let i = 0; i < 10 && (await page.locator("[data-undo]").count()); i++) {
    await Promise.all([page.waitForNavigation(), page.keyboard.press("u")]);
  }
  want((await rows(page)) === all, `${await rows(page)} lines after every step was taken back, not ${all}`);

  where = "keys that are switched off";
  await page.keyboard.press("?");
  await page.uncheck("[data-keys-on]");
  await page.reload();
  await page.keyboard.press("j");
  want((await line(page)) === -1, "they act all the same");
  await page.keyboard.press("?");
  await page.check("[data-keys-on]");

  where = "a rule, shown while it is written";
  await page.goto(base + "/allowlist");
  await judge(page, "rules");
  await page.click(`a[href="/allowlist/rules/new"]`);
  await page.fill("#name", "Mensajería");
  await page.fill("#program", "telegram*");
  await page.press("#program", "Tab");
  await page.waitForSelector("#preview button[value=save]");
  want((await page.textContent("#preview")).includes("Autorizaría"), "no preview");
  await page.fill("#version", ">1, <");
  await page.press("#version", "Tab");
  await page.waitForFunction(() => !document.querySelector("#preview button[value=save]"));
  await page.fill("#version", "");
  await page.press("#version", "Tab");
  await page.waitForSelector("#preview button[value=save]");
  await judge(page, "rule");
  await page.setViewportSize({ width: 390, height: 844 });
  await judge(page, "rule-390");
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.click("#preview button[value=save]");
  await page.waitForURL(/\/allowlist\?changed=/);
  want((await queue(page)) < all, "the rule authorizes nothing");
  await page.goBack();
  await page.click(".vg-undo button");
  await page.waitForURL(/\/allowlist\/history\?changed=/);
  await judge(page, "history");
  want((await queue(page)) === all, "the rule was not taken back");

  where = "the mode, with its consequence";
  await page.goto(base + "/allowlist/mode");
  await page.click(`a[href^="/allowlist/mode?to=learn"]`);
  await judge(page, "mode");
  await page.click("#preview button[value=save]");
  await page.waitForURL(/changed=/);
  want((await queue(page)) === 0, "learning leaves findings open");
  await page.goto(base + "/allowlist/mode?to=monitor");
  const text = await page.textContent("#preview");
  want(/Abriría \d+ hallazgo/.test(text) && text.includes("Primeros equipos"), `the consequence is not told: ${text}`);
  await judge(page, "mode-opening");
  await page.click("#preview button[value=save]");
  await page.waitForURL(/changed=/);
  want((await queue(page)) === all, "not everything is found again");

  where = "without JavaScript";
  const plain = await open(plainSignin, false);
  await plain.goto(base + "/findings/review");
  await plain.check("input[name=row] >> nth=1");
  await plain.click("[data-bulk=s]");
  await plain.waitForSelector(".vg-undo");
  want((await rows(plain)) === all - 1, "nothing was put off");
  await plain.click("[data-undo]");
  await plain.waitForSelector(".vg-note[role=status]");
  want((await rows(plain)) === all, "nothing was taken back");
  await plain.click("tr[data-row] button[data-do=a] >> nth=0");
  await plain.waitForURL(/authorize/);
  await plain.check("input[name=where][value=machines]");
  await plain.click("button[formmethod=get]");
  await plain.waitForURL(/where=machines/);
  await plain.fill("#reason", "sin guion");
  await plain.click(".vg-form button.btn-primary");
  await plain.waitForURL(/\/findings\/review(\?|$)/);
  want((await rows(plain)) === all - 1, "nothing was authorized");
  await plain.goto(base + "/allowlist/rules/new");
  await plain.fill("#name", "Sin guion");
  await plain.fill("#program", "vim*");
  await plain.click(".vg-form .vg-buttons button");
  await plain.click("#preview button[value=save]");
  await plain.waitForURL(/changed=/);
  await plain.screenshot({ path: join(out, "plain.png") });
  await plain.goto(base + "/allowlist/import");
  await plain.fill("#text", "rules: [");
  await plain.click(".vg-form button");
  want((await plain.locator("table tbody tr").count()) > 0, "errors of a file are not told");
  await plain.screenshot({ path: join(out, "plain-file.png") });
  console.log("reviewed");
} catch (e) {
  problems.push(`${where}: ${e.stack}`);
} finally {
  await browser.close();
}
for (const p of problems) console.log("PROBLEM " + p);
process.exit(problems.length ? 1 : 0);
