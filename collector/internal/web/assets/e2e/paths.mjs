// Walks the main paths of each role through the sample company, and each kind of form
// with JavaScript and without it, as people do: by what is written on links and buttons.
//
//   node paths.mjs < facts.json
//
// The facts: base (URL), signin {role: [path, …]}, out (folder for screenshots), mine
// (host name of the employee's machine).
import { chromium } from "playwright-core";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const facts = JSON.parse(readFileSync(0, "utf8"));
const { base, out, signin } = facts;
mkdirSync(out, { recursive: true });
const problems = [];
let where = "", steps = 0;
const want = (ok, what) => (steps++, ok || problems.push(`${where}: ${what}`));
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

async function enter(role, javaScriptEnabled) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, javaScriptEnabled, locale: "es-MX", viewport: { width: 1440, height: 900 } });
  const page = await context.newPage();
  page.setDefaultTimeout(20000);
  page.on("pageerror", (e) => problems.push(`${where}: script: ${e.message}`));
  await page.goto(base + signin[role].pop());
  await page.click("main button");
  await page.waitForURL(base + "/");
  return page;
}

const main = (page) => page.locator("main");
const says = async (page, text) => want((await main(page).innerText()).includes(text), `does not say «${text}» at ${page.url()}`);
const at = (page, path) => want(new URL(page.url()).pathname.match(path), `at ${page.url()}, not ${path}`);
const rail = async (page, name) => (await page.click(`.vg-nav a:has-text("${name}")`), page.waitForLoadState());
const press = async (page, name) => (await main(page).getByRole("button", { name }).first().click(), page.waitForLoadState());
const follow = async (page, name) => (await main(page).getByRole("link", { name }).first().click(), page.waitForLoadState());
const fails = (page) => page.locator('[aria-invalid="true"]').first();

// forms tries each kind of form: a search, a filter, columns, one that is wrong first, a
// choice of rows, an upload, a preview, a step that loses something, preferences.
async function forms(page, scripted) {
  const tell = scripted ? "con" : "sin";
  where = `search (${tell} JavaScript)`;
  await page.fill("#find", "NC-2026-0001");
  await page.press("#find", "Enter");
  await page.waitForURL(/\/search\?q=NC-2026-0001/);
  await says(page, "NC-2026-0001");

  where = `filter and columns (${tell} JavaScript)`;
  await page.goto(base + "/machines");
  await page.click('.vg-menu summary:has-text("Filtrar")');
  await page.selectOption(".vg-menu select[name=site]", { index: 1 });
  await page.click(".vg-menu[open] button");
  await page.waitForURL(/site=/);
  want((await page.locator(".vg-chips [aria-current=true]").count()) === 1, "the filter is no chip");
  await page.click('.vg-menu summary:has-text("Columnas")');
  await page.check('.vg-menu[open] input[value="serial"]');
  await page.click(".vg-menu[open] button");
  await page.waitForURL(/cols=/);
  want(await page.locator('thead:has-text("serie")').count(), "the column is not shown");
  await page.click(".vg-chips [aria-current=true]");
  await page.waitForURL((u) => !u.search.includes("site="));
  await page.click('.vg-menu summary:has-text("Columnas")');
  const reset = page.locator(".vg-menu[open] a");
  if (await reset.count()) await reset.click();

  where = `a choice of rows (${tell} JavaScript)`;
  await page.goto(base + "/machines");
  for (const n of [0, 1]) await page.locator('input[name="row"]').nth(n).check();
  await press(page, "Pedir informe ahora");
  at(page, "^/machines$");
  want(await page.locator("[role=status], [role=alert]").count(), "nothing is said about the rows");

  where = `a form that is wrong first (${tell} JavaScript)`;
  await page.goto(base + "/people/new");
  await page.fill("#email", "no es un correo@@");
  await page.fill("#name", `Nueva ${tell}`);
  await page.evaluate(() => document.querySelector("main form").setAttribute("novalidate", "")).catch(() => {});
  await page.locator("#email").evaluate((e) => (e.type = "text")).catch(() => {});
  await page.click("main form button");
  await page.waitForLoadState();
  want(await fails(page).count(), "the field is not marked");
  want((await page.inputValue("#name")) === `Nueva ${tell}`, "what was typed is gone");
  await page.fill("#email", `nueva.${tell}@example.com`);
  await page.selectOption("#role", "employee");
  await page.click("main form button");
  await page.waitForURL(/done=created/);
  await page.goto(base + "/people?q=nueva." + tell);
  await follow(page, `Nueva ${tell}`);
  await page.waitForURL(/\/people\/\d+/);
  await press(page, "Dar de baja");
  await says(page, "De baja");

  where = `an upload (${tell} JavaScript)`;
  await page.goto(base + "/import");
  await page.setInputFiles("#file", { name: "personas.csv", mimeType: "text/csv", buffer: Buffer.from(`email,name,area,site,remote,manager_email,primary_machine,role\nsubida.${tell}@example.com,Subida ${tell},Ventas,,,,,\n`) });
  await page.click("main form button");
  await page.waitForURL(/\/import\/.+/);
  await says(page, `Subida ${tell}`);
  await page.click('main form[action^="/import/"] button');
  await page.waitForLoadState();
  await page.goto(base + "/people?q=subida." + tell);
  await says(page, `Subida ${tell}`);
  await page.goto(base + "/import");
  await page.setInputFiles("#file", { name: "personas.xlsx", mimeType: "application/octet-stream", buffer: Buffer.from("PK\u0003\u0004 no es un libro") });
  await page.click("main form button");
  await page.waitForSelector(".vg-problem, [role=alert]");
  await says(page, "El archivo XLSX está dañado");

  where = `a preview (${tell} JavaScript)`;
  await page.goto(base + "/software/rules");
  await page.fill("main #name", "gimp*");
  await page.fill("main #to_name", `GIMP ${tell}`);
  await press(page, "Ver qué cambiaría");
  await says(page, `GIMP ${tell}`);
  await page.click('main form[method="post"][action="/software/rules"] button');
  await page.waitForLoadState();
  want(await page.locator(`main td, main th`).filter({ hasText: "gimp*" }).count(), "the rule is not in force");
  await page.click('main form[action="/software/rules/undo"] button');
  await page.waitForLoadState();
  want((await page.locator("main tbody th").filter({ hasText: "gimp*" }).count()) === 0, "undo leaves the rule");

  where = `a step that loses something (${tell} JavaScript)`;
  await page.goto(base + "/machines?sort=-hostname");
  await page.locator('main tbody th a').first().click();
  await page.waitForLoadState();
  await follow(page, "Dar de baja");
  await says(page, "Qué se pierde");
  await press(page, /^Dar de baja/);
  await says(page, "Archivado");
  await press(page, /Deshacer|Restaurar|Reactivar|Volver|Recuperar/);
  await says(page, "Activo");

  where = `preferences (${tell} JavaScript)`;
  await page.goto(base + "/account");
  await page.check('input[name="theme"][value="dark"]');
  await press(page, "Guardar");
  want((await page.getAttribute("html", "data-bs-theme")) === "dark", "dark is not kept");
  await page.check('input[name="theme"][value="system"], input[name="theme"][value=""]');
  await press(page, "Guardar");
  await page.screenshot({ path: join(out, `paths-forms-${tell}.png`) });
  await page.context().close();
}

const paths = {
  administrator: async (page) => {
    for (const [tile, title] of [["Personas", "Personas"], ["Ajustes", "Ajustes"], ["Correo", "Correo"], ["Respaldos", "Respaldos"]]) {
      await rail(page, "Administración");
      await page.locator("main .vg-tiles a", { has: page.locator(`strong:text-is("${tile}")`) }).click();
      await page.waitForLoadState();
      want((await page.innerText("h1")) === title, `${tile} leads to ${await page.innerText("h1")}`);
    }
    await page.goto(base + "/settings");
    await page.fill('[name="company.name"]', "Empresa de Muestra");
    await page.fill('[name="company.time-zone"]', "America/Nowhere");
    await press(page, /Guardar/);
    want(await fails(page).count(), "a zone that is none is taken");
    want((await page.inputValue('[name="company.name"]')) === "Empresa de Muestra", "what was typed is gone");
    await page.fill('[name="company.time-zone"]', "America/Mexico_City");
    await press(page, /Guardar/);
    want((await page.inputValue('[name="company.time-zone"]')) === "America/Mexico_City", "the zone is not kept");
  },
  technician: async (page) => {
    await follow(page, /hallazgos? abiertos?/);
    at(page, "^/findings");
    await page.goto(base + "/findings?state=open");
    await page.locator("main tbody th a, main tbody a[href^='/findings/']").first().click();
    await page.waitForURL(/\/findings\/\d+/);
    await page.locator('main a[href^="/machines/"]').first().click();
    await page.waitForURL(/\/machines\//);
    await says(page, "Qué tan reciente es la información");
    await press(page, "Pedir informe ahora");
    want(await page.locator("#asked section").count(), "the progress of the report is not shown");
    await follow(page, "Asignar");
    await page.fill("#tags, [name=tags]", "prestamo");
    await press(page, "Guardar cambios");
    await says(page, "prestamo");
    await follow(page, /^Programas/);
    await page.fill("main #q", "e");
    await press(page, "Buscar");
    await follow(page, "Historial");
    want(await page.locator(".vg-line li").count(), "no history");
  },
  "area-manager": async (page) => {
    await rail(page, "Equipos");
    want((await page.locator("main tbody tr").count()) > 0, "no machine of the area");
    await rail(page, "No conformidades");
    await page.goto(base + "/people");
    want((await page.innerText("h1")).length > 0 && (await page.locator("main tbody tr").count()) === 0, "a manager reads the directory");
  },
  hr: async (page) => {
    await follow(page, "Ver la lista");
    await page.locator("main tbody th a").first().click();
    await page.waitForURL(/\/nonconformities\/NC/);
    want((await page.locator('main a[href^="/machines/"]').count()) === 0, "HR is led to a machine that it may not open");
  },
  purchasing: async (page) => {
    await rail(page, "Programas");
    await page.fill("main #q", "adobe");
    await page.waitForTimeout(0);
    await page.press("main #q", "Enter");
    await page.waitForURL(/q=adobe/);
    const file = await page.request.get(base + (await page.getAttribute('main a[href*=".csv"]', "href")));
    const lines = (await file.text()).trim().split("\n");
    want(file.ok() && lines.length > 1 && lines.slice(1).every((l) => /adobe/i.test(l)), `the file has ${lines.length} lines and more than is shown`);
  },
  treasury: async (page) => {
    await says(page, "Qué necesita atención hoy");
    const shown = await page.innerText(".vg-nav");
    want(!/Programas|Administración/.test(shown), `Treasury sees too much in the rail: ${shown}`);
  },
  "general-management": async (page) => {
    await says(page, "equipos en total");
    await follow(page, "Ver la lista");
    at(page, "^/nonconformities");
  },
  employee: async (page) => {
    await says(page, "Equipos a su nombre");
    await page.locator('main a[href^="/machines/"]').first().click();
    await page.waitForURL(/\/machines\//);
    want((await page.innerText("h1")).includes(facts.mine), "the first machine is somebody else's");
    want((await page.locator("main form").count()) === 0, "an employee gets a form on a machine");
    await rail(page, "Equipos");
    want((await page.locator("main tbody tr").count()) === 1, "an employee sees machines of others");
  },
  auditor: async (page) => {
    for (const path of ["/", "/machines", "/findings", "/nonconformities", "/people", "/settings", "/mail", "/backups", "/software/rules", "/groups"]) {
      await page.goto(base + path);
      want((await page.locator('main form[method="post"] button').count()) === 0, `an auditor gets a button that changes something at ${path}`);
    }
  },
};

try {
  for (const [role, walk] of Object.entries(paths)) {
    where = role;
    const page = await enter(role, true);
    want((await page.locator("h1").count()) === 1, "home has no heading");
    await walk(page).catch((e) => problems.push(`${where}: ${e.message.slice(0, 600)} at ${page.url()}`));
    await page.screenshot({ path: join(out, `paths-${role}.png`) });
    await page.context().close();
  }
  for (const scripted of [true, false]) {
    const page = await enter("administrator", scripted);
    await forms(page, scripted).catch((e) => problems.push(`${where}: ${e.message.slice(0, 600)} at ${page.url()}`));
  }
  console.log(`${steps} steps walked`);
} catch (e) {
  problems.push(`${where}: ${e.stack}`);
} finally {
  await browser.close();
}
for (const p of problems) console.log("PROBLEM " + p);
process.exit(problems.length ? 1 : 0);
