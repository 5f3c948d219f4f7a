// What every page of the console is judged by, in a real browser.
import { createRequire } from "node:module";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { mixed, rawIn, sentences } from "./words.mjs";

const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

// texts are all that a page says: each text on it, and what is read out or pointed at.
export function texts(page) {
  return page.evaluate(() => {
    const said = [document.title];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let n = walker.nextNode(); n; n = walker.nextNode()) {
      if (n.parentElement.closest("script, style, pre, code, [lang]:not(html), [translate=no], .vg-mono")) continue;
      said.push(n.data);
    }
    for (const e of document.querySelectorAll("[title], [aria-label], [placeholder], [alt], [data-label]")) {
      if (e.closest("[lang]:not(html), [translate=no]")) continue;
      for (const a of ["title", "aria-label", "placeholder", "alt", "data-label"]) said.push(e.getAttribute(a) || "");
    }
    return [...new Set(said.map((s) => s.replace(/\s+/g, " ").trim()))].filter(Boolean);
  });
}

export const judge = {
  // page opens a page that tells what goes wrong on it.
  async page(context, base, wrong) {
    const page = await context.newPage();
    page.where = "";
    page.on("pageerror", (e) => wrong(page.where, `script: ${e.message}`));
    page.on("console", (m) => m.type() === "error" && !/status of 404/.test(m.text()) && wrong(page.where, `console: ${m.text()}`));
    page.on("requestfailed", (r) => r.failure()?.errorText !== "net::ERR_ABORTED" && wrong(page.where, `request failed: ${r.url()} ${r.failure()?.errorText}`));
    page.on("response", async (r) => {
      const path = new URL(r.url()).pathname;
      if (r.status() >= 400 && !path.startsWith("/nothing")) wrong(page.where, `request answered ${r.status()}: ${path}`);
      const kept = r.headers()["cache-control"] || "";
      if (path.startsWith("/static/") && r.ok() && !/max-age=31536000, immutable/.test(kept)) wrong(page.where, `${path} is not kept for good: ${kept}`);
      if (r.request().isNavigationRequest() && !/no-store/.test(kept)) wrong(page.where, `a page may be kept: ${kept}`);
      if (!r.url().startsWith(base)) wrong(page.where, `request to ${r.url()}`);
    });
    await page.addInitScript(() => {
      window.cspViolations = [];
      document.addEventListener("securitypolicyviolation", (e) => window.cspViolations.push(`${e.violatedDirective} ${e.blockedURI}`));
    });
    return page;
  },

  // head judges what does not depend on size and colours.
  async head(page, v, lang, wrong) {
    const is = await page.evaluate(() => ({
      lang: document.documentElement.lang, title: document.title, csp: window.cspViolations,
      h1: [...document.querySelectorAll("h1")].map((h) => h.innerText),
      css: [...document.styleSheets].length, js: document.scripts.length, icon: !!document.querySelector('link[rel~="icon"]'),
      marks: ["main", "nav"].filter((m) => !document.querySelector(m)),
      inline: document.querySelectorAll("[style], script:not([src])").length,
      ids: [...document.querySelectorAll("[id]")].map((e) => e.id).filter((id, i, all) => all.indexOf(id) !== i),
    }));
    if (is.lang !== lang) wrong(page.where, `the page says that it is in ${is.lang}`);
    if (!/^\S.* · Vigía$/.test(is.title)) wrong(page.where, `title «${is.title}» of ${v.kind}`);
    if (is.h1.length !== 1 || !is.h1[0].trim()) wrong(page.where, `${is.h1.length} first headings on ${v.kind}`);
    if (is.css !== 1 || is.js !== 1 || !is.icon) wrong(page.where, `${is.css} style sheets, ${is.js} scripts, icon ${is.icon} on ${v.kind}`);
    for (const m of is.marks) wrong(page.where, `no landmark ${m} on ${v.kind}`);
    for (const c of is.csp) wrong(page.where, `CSP: ${c} on ${v.kind}`);
    if (is.inline) wrong(page.where, `${is.inline} inline styles or scripts on ${v.kind}`);
    for (const id of is.ids) wrong(page.where, `id ${id} twice on ${v.kind}`);
    await page.keyboard.press("Tab");
    if (!(await page.evaluate(() => document.activeElement.matches(".vg-skip, [autofocus], form *")))) wrong(page.where, `Tab does not reach the skip link first on ${v.kind}`);
    await page.evaluate(() => document.activeElement.blur());
  },

  async width(page, width, where, wrong) {
    const over = await page.evaluate(() => {
      const wide = document.documentElement.clientWidth;
      const inner = wide >= 1440 ? [...document.querySelectorAll("main *")].filter((e) => e.scrollWidth > e.clientWidth + 1 && /auto|scroll/.test(getComputedStyle(e).overflowX)) : [];
      if (inner.length) return "within " + inner.map((e) => `${e.tagName}.${e.className} by ${e.scrollWidth - e.clientWidth} px`).join(" ");
      if (document.documentElement.scrollWidth <= wide) return "";
      return [...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > wide + 1).slice(0, 4).map((e) => `${e.tagName}.${e.className}`).join(" ") || "?";
    });
    if (over) wrong(where, `scrolls sideways at ${width}: ${over}`);
  },

  async axe(page, where, wrong) {
    if (!(await page.evaluate(() => !!window.axe))) await page.evaluate(axeSource); // the protocol's world is not bound by the CSP
    const res = await page.evaluate((runOnly) => window.axe.run(document, { runOnly, resultTypes: ["violations"] }).then((r) => ({
      bad: r.violations.map((v) => `${v.id}: ${v.nodes.slice(0, 3).map((n) => n.target.join(" ") + " " + (n.any[0]?.message || n.all[0]?.message || "")).join(" | ")}`),
      ran: r.passes.map((p) => p.id),
    })), tags);
    for (const b of res.bad) wrong(where, `axe ${b}`);
    if (!res.ran.includes("color-contrast")) wrong(where, "axe did not look at contrast");
  },

  // stillness: who asked for little motion gets none.
  async stillness(page, where, wrong) {
    const moving = await page.evaluate(() => [...document.querySelectorAll("*")].filter((e) => {
      const s = getComputedStyle(e);
      return Math.max(...s.transitionDuration.split(",").map(parseFloat)) > 0.01 || (s.animationName !== "none" && parseFloat(s.animationDuration) > 0.01);
    }).slice(0, 3).map((e) => `${e.tagName}.${e.className}`));
    if (moving.length) wrong(where, `moves although motion is not wanted: ${moving.join(" ")}`);
  },

  // paper: a printed page has its text and none of the frame.
  async paper(page, v, file, wrong) {
    await page.emulateMedia({ media: "print", colorScheme: "light" });
    const shown = await page.evaluate(() => [".vg-rail", ".vg-top", ".vg-skip", ".vg-tools", "main button", "main .btn"].filter((s) => [...document.querySelectorAll(s)].some((e) => e.checkVisibility())));
    if (shown.length) wrong(page.where, `printed ${v.kind} shows ${shown.join(" ")}`);
    await page.pdf({ path: file, preferCSSPageSize: true, format: "Letter" });
    await page.emulateMedia({ media: "screen" });
  },

  // languages: neither version of a page speaks the other's language, nor the program's.
  languages(said, v, catalogue, wrong) {
    for (const [lang, other] of [["es", "en"], ["en", "es"]]) {
      for (const t of said[lang]) {
        const raw = rawIn(t, lang, catalogue);
        if (raw) wrong(`${v.role} ${v.at} ${lang}`, `the program's own word on a page: «${t}» (${raw})`);
        const why = mixed(t, lang, other, said[other], catalogue, v.kind.startsWith("/mail"));
        if (why) wrong(`${v.role} ${v.at} ${lang}`, `${other} on a page in ${lang}: «${t.slice(0, 100)}» (${why})`);
      }
    }
  },

  // catalogue reads the sentences of both languages; data is what people named.
  catalogue(folder, data) {
    const all = { es: {}, en: {} };
    for (const f of readdirSync(folder).filter((f) => f.endsWith(".json"))) {
      Object.assign(all[f.split(".").at(-2)], JSON.parse(readFileSync(join(folder, f), "utf8")));
    }
    return { ...sentences(all), data };
  },

  // data are names that people gave to places, and what was sent: they are in their own language.
  async data(context, base) {
    const names = new Set();
    for (const list of ["/areas.csv", "/sites.csv", "/people.csv", "/mail.csv", "/allowlist.csv"]) {
      const res = await context.request.get(base + list);
      const text = res.ok() ? await res.text() : "";
      for (const cell of text.split(/[\n,;\t"]+/)) names.add(cell.trim().toLowerCase());
    }
    return names;
  },
};
