// Uses the lists, the search and the help of a console in a real Chromium as a person
// does: by keyboard and mouse, and once more without JavaScript.
//
//   node lists.mjs BASE_URL SIGNIN_PATH SIGNIN_PATH_WITHOUT_SCRIPT OUT_FOLDER
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

// open returns a signed-in page.
async function open(link, javaScriptEnabled) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, javaScriptEnabled, locale: "es-MX", viewport: { width: 1440, height: 900 } });
  const page = await context.newPage();
  page.setDefaultTimeout(20000);
  page.on("pageerror", (e) => problems.push(`${where}: script: ${e.message}`));
  page.on("console", (m) => m.type() === "error" && problems.push(`${where}: console: ${m.text()}`));
  await page.goto(base + link);
  await page.click("main button");
  await page.waitForURL(base + "/");
  return page;
}

// judge has axe look at what is on the screen, which may be open menus.
async function judge(page, name) {
  const res = await page.evaluate(axe + `;axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]})`);
  for (const v of res.violations) problems.push(`${name}: axe ${v.id}: ${v.nodes.slice(0, 3).map((n) => n.target.join(" ")).join(" | ")}`);
  await page.screenshot({ path: join(out, name + ".png") });
}

const rows = (page) => page.locator("#list tbody tr").count();

try {
  const page = await open(signin, true);

  where = "search box";
  await page.keyboard.press("/");
  await page.keyboard.type("pc-", { delay: 20 });
  await page.waitForSelector("#found [role=option]");
  want((await page.getAttribute("#find", "aria-expanded")) === "true", "is not told as open");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowUp");
  const first = page.locator("#found [aria-selected=true]");
  want((await first.count()) === 1, "the arrows mark nothing");
  want((await page.getAttribute("#find", "aria-activedescendant")) === (await first.getAttribute("id")), "what is marked is not told");
  await judge(page, "search-box");
  const target = await first.getAttribute("href");
  await page.keyboard.press("Enter");
  await page.waitForURL(base + target);
  await page.fill("#find", "pc-");
  await page.waitForSelector("#found [role=option]");
  await page.keyboard.press("Escape");
  want((await page.locator("#found [role=option]").count()) === 0, "Escape does not close it");
  await page.keyboard.press("Enter");
  await page.waitForURL(base + "/search?q=pc-");

  where = "a list that narrows while typing";
  await page.goto(base + "/machines");
  const all = await rows(page);
  await page.click("#q");
  await page.keyboard.type("pc-0", { delay: 20 });
  await page.waitForFunction((n) => document.querySelectorAll("#list tbody tr").length < n, all);
  want(page.url() === base + "/machines?q=pc-0", `the address is ${page.url()}`);
  want(await page.evaluate(() => document.activeElement.id === "q" && document.activeElement.value === "pc-0"), "the focus or the text is lost");

  where = "menus";
  await page.goto(base + "/machines");
  await page.click(".vg-menu:has(select) summary");
  await judge(page, "menu-filter");
  await page.keyboard.press("Escape");
  want((await page.locator(".vg-menu[open]").count()) === 0, "Escape does not close the menu");
  await page.click(".vg-menu:has(select) summary");
  await page.selectOption("#filter-site", { index: 1 });
  await page.click(".vg-menu[open] button");
  await page.waitForURL(/\/machines\?.*site=/);
  want(!page.url().includes("area="), `empty filters stand in ${page.url()}`);
  await page.click(".vg-menu:has(fieldset) summary");
  await judge(page, "menu-columns");
  await page.setViewportSize({ width: 390, height: 844 });
  await judge(page, "menu-columns-390");
  want((await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)) <= 0, "the open menu makes the page too wide");
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.check("input[name=col][value=serial]");
  await page.click(".vg-menu[open] button");
  await page.waitForURL(/cols=.*serial/);
  want((await page.locator("#list thead a[href*='sort=serial']").count()) === 1, "the column chosen is not shown");

  where = "several rows";
  await page.goto(base + "/machines");
  const ask = page.locator(".vg-bulk-bar button");
  want(await ask.isDisabled(), "the button is offered before anything is chosen");
  await page.check("input[data-all]");
  want((await page.locator("input[name=row]:checked").count()) === (await rows(page)), "not all rows are chosen");
  await judge(page, "bulk");
  await ask.click();
  await page.waitForSelector(".vg-note[role=status]");

  where = "a file";
  await page.goto(base + "/machines?q=pc");
  const [download] = await Promise.all([page.waitForEvent("download"), page.click(".vg-tools a[download]")]);
  const text = readFileSync(await download.path(), "utf8");
  want(text.trim().split("\r\n").length === (await rows(page)) + 1, "holds other rows than are shown");

  where = "without JavaScript";
  const plain = await open(plainSignin, false);
  await plain.fill("#find", "pc-");
  await plain.press("#find", "Enter");
  await plain.waitForURL(base + "/search?q=pc-");
  await plain.goto(base + "/machines");
  await plain.fill("#q", "pc-0");
  await plain.press("#q", "Enter");
  await plain.waitForURL(/\/machines\?q=pc-0/);
  await plain.click(".vg-menu:has(fieldset) summary");
  await plain.uncheck("input[name=col][value=os]");
  await plain.click(".vg-menu[open] button");
  await plain.waitForURL(/cols=/);
  want((await plain.locator("#list thead a[href*='sort=os']").count()) === 0, "a column stays that was taken away");
  await plain.check("input[name=row] >> nth=0");
  await plain.click(".vg-bulk-bar button");
  await plain.waitForSelector(".vg-note[role=status]");
  await plain.screenshot({ path: join(out, "plain.png") });
  await plain.goto(base + "/help?q=cuarentena");
  await plain.click(".vg-hits a >> nth=0");
  await plain.waitForURL(/\/help\/[a-z]+/);
  console.log("used");
} catch (e) {
  problems.push(`${where}: ${e.stack}`);
} finally {
  await browser.close();
}
for (const p of problems) console.log("PROBLEM " + p);
process.exit(problems.length ? 1 : 0);
