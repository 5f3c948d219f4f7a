// Follows every link of the console from / as each role, in a real Chromium, and judges
// every kind of page: in Spanish and English, light and dark, on a telephone, on a desk
// and on the widest screen. What it looks for is in judge.mjs. Kinds of pages are the
// table of routes; of each kind a few are looked at.
//
//   node crawl.mjs < facts.json
//
// The facts: base (URL), signin {role: path}, patterns (of pages), catalogue (folder),
// out (folder for screenshots), workers, only (part of a pattern; empty: all).
import { chromium } from "playwright-core";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { judge, texts } from "./judge.mjs";
import { sharp } from "./words.mjs";
import { kindOf, linksIn, partsOf } from "./links.mjs";

const facts = JSON.parse(readFileSync(0, "utf8"));
const { base, out } = facts;
mkdirSync(out, { recursive: true });
const problems = new Map(); // what is wrong → where, so that one fault is told once
const wrong = (where, what) => problems.set(what, [...(problems.get(what) || []), where]);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

// signIn returns a role's browser.
async function signIn(role) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, reducedMotion: "reduce", locale: "es-MX" });
  const page = await context.newPage();
  await page.goto(base + facts.signin[role]);
  await page.click("main button");
  await page.waitForURL(base + "/");
  await page.close();
  return context;
}

// follow finds what a role reaches: kind → addresses, a few of each.
async function follow(role, context) {
  const found = new Map(), seen = new Set(["/"]), todo = ["/"];
  while (todo.length) {
    const at = todo.shift(), kind = kindOf(facts.patterns, at);
    const those = found.get(kind) || [];
    if (those.length >= 6) continue;
    const res = await context.request.get(base + at);
    if (!res.ok()) {
      wrong(`${role} ${at}`, `a link leads to status ${res.status()} (${kind})`);
      continue;
    }
    const html = (res.headers()["content-type"] || "").startsWith("text/html") ? await res.text() : "";
    found.set(kind, [...those, { at, parts: partsOf(html) }]);
    for (const to of linksIn(html, at)) {
      if (seen.has(to) || to.startsWith("/static/")) continue;
      seen.add(to);
      todo.push(to);
    }
  }
  return found;
}

const states = [["light", 1440, 900], ["dark", 1440, 900], ["dark", 390, 844], ["light", 390, 844]];
const name = (kind, role, nth) => `${kind.replace(/[^a-z]+/gi, "-").replace(/^-|-$/g, "") || "home"}${nth ? "-" + nth : ""}-${role}`;

// look visits one page in one language, in the states given by number.
async function look(page, v, lang, which) {
  const at = v.at + (v.at.includes("?") ? "&" : "?") + "lang=" + lang;
  page.where = `${v.role} ${at}`;
  await page.emulateMedia({ media: "screen", colorScheme: states[which[0]][0] });
  await page.setViewportSize({ width: states[which[0]][1], height: states[which[0]][2] });
  const res = await page.goto(base + at);
  if (res.status() !== (v.status || 200)) wrong(page.where, `status ${res.status()} of ${v.kind}`);
  await judge.head(page, v, lang, wrong);
  for (const [i, n] of which.entries()) {
    const [scheme, width, height] = states[n];
    await page.emulateMedia({ media: "screen", colorScheme: scheme });
    await page.setViewportSize({ width, height });
    const where = `${page.where} ${scheme} ${width}`;
    await judge.width(page, width, where, wrong);
    if (which.length === 1 || i === 0 || (lang === "es" && n === 2)) await judge.axe(page, where, wrong); // each theme and each width once
    await shoot(page, `${name(v.kind, v.role, v.nth)}-${lang}-${scheme}-${width}`, width);
  }
  return texts(page);
}

async function shoot(page, file, width) {
  const height = await page.evaluate(() => document.documentElement.scrollHeight);
  await page.screenshot({ path: join(out, file + ".png"), fullPage: true, clip: { x: 0, y: 0, width, height: Math.min(height, 2400) } });
}

// visit looks at one page as v says: whole, or once.
async function visit(page, v) {
  if (!v.whole) {
    await look(page, v, v.lang, [v.state]);
    return;
  }
  const said = {};
  for (const lang of ["es", "en"]) said[lang] = await look(page, v, lang, [0, 1, 2, 3]);
  judge.languages(said, v, facts.catalogue, wrong);
  await page.setViewportSize({ width: 2560, height: 1440 });
  await judge.width(page, 2560, `${page.where} 2560`, wrong);
  await judge.stillness(page, page.where, wrong);
  await shoot(page, `${name(v.kind, v.role, v.nth)}-en-light-2560`, 2560);
  if (/\}$/.test(v.kind)) await judge.paper(page, v, join(out, name(v.kind, v.role, v.nth) + ".pdf"), wrong);
}

try {
  sharp();
  const visits = [], covered = new Map(), contexts = {};
  const roles = Object.keys(facts.signin);
  const reached = await Promise.all(roles.map(async (role) => [role, await follow(role, (contexts[role] = await signIn(role)))]));
  for (const [r, [role, found]] of reached.entries()) {
    if (found.size < 8) wrong(role, `only ${found.size} kinds of pages are reached: the test would prove nothing`);
    for (const [kind, list] of found) {
      if (!kind.includes(facts.only || "")) continue;
      const whole = kind === "/" || !covered.has(kind), known = covered.get(kind) || new Set();
      covered.set(kind, known);
      for (const [nth, p] of list.entries()) { // those with a part that no page of the kind had yet
        if (p.parts.length && (p.parts.some((x) => !known.has(x)) || (whole && !nth))) {
          visits.push({ role, kind, at: p.at, nth, whole: whole && !nth, lang: ["es", "en"][visits.length % 2], state: visits.length % 4 });
        }
        p.parts.forEach((x) => known.add(x));
      }
      if (whole && facts.patterns.includes(kind + ".csv")) visits.push({ role, kind, at: kind + "?q=zzzzzz", nth: "empty", lang: "es", state: 3 });
      if (!known.size) covered.delete(kind); // a file
    }
  }
  if (!facts.only) visits.push({ role: roles[0], kind: "/nothing", at: "/nothing-here", whole: true, status: 404 });
  facts.catalogue = judge.catalogue(facts.catalogue, await judge.data(contexts[roles[0]], base));
  let next = 0;
  const work = async () => {
    const pages = {};
    while (next < visits.length) {
      const v = visits[next++];
      pages[v.role] ||= await judge.page(contexts[v.role], base, wrong);
      try {
        await visit(pages[v.role], v);
      } catch (e) {
        wrong(`${v.role} ${v.at}`, e.stack);
      }
    }
  };
  await Promise.all(Array.from({ length: facts.workers }, work));
  console.log(`${visits.length} pages, ${visits.filter((v) => v.whole).length} of them whole, of ${covered.size} kinds; ${roles.length} roles`);
  console.log("COVERED " + JSON.stringify([...covered.keys()]));
} catch (e) {
  wrong("crawl", e.stack);
} finally {
  await browser.close();
}
for (const [what, where] of problems) console.log(`PROBLEM ${what}\n    ${where.length} times: ${where.slice(0, 4).join("; ")}`);
process.exit(problems.size ? 1 : 0);
