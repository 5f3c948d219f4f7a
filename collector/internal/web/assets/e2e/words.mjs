// Finds words of the wrong language, and of no language, among what a page says.

const common = {
  es: new Set("el la los las del que para con sin por una se su sus es son y en al está están hay este esta cada como más desde hasta cuando quien".split(" ")),
  en: new Set("the of and to is are with for this that from not by be has have was were it its which when until since each who".split(" ")),
};

// sentences indexes a catalogue {es: {key: text or forms}, en: …}.
export function sentences(all) {
  const said = {}, shapes = {}, keys = new Set(), codes = new Set();
  for (const lang of ["es", "en"]) {
    said[lang] = new Set();
    shapes[lang] = [];
    for (const [key, v] of Object.entries(all[lang])) {
      if (key.includes(".")) keys.add(key);
      const last = key.split(".").slice(1).join(".");
      if (/^[a-z]+([-_][a-z]+)+$/.test(last)) codes.add(last); // "area-manager" of "role.area-manager"
      for (const text of typeof v === "string" ? [v] : Object.values(v)) {
        const t = text.replace(/\s+/g, " ").trim();
        if (!t.includes("{{")) said[lang].add(t.toLowerCase());
        else if (t.replace(/\{\{.*?\}\}/g, "").replace(/[^\p{L}]/gu, "").length >= 6) {
          shapes[lang].push(new RegExp("^" + t.split(/\{\{.*?\}\}/).map((s) => s.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join(".{1,80}?") + "$", "i"));
        }
      }
    }
  }
  return { said, shapes, keys, codes };
}

// rawIn tells which key or code of the program stands in a text.
export function rawIn(t, lang, c) {
  if (/‹[^›]*›|<no value>|%!|\{\{|undefined|\[object|NaN/.test(t)) return "marker";
  for (const word of t.split(/[\s,;:()«»"]+/)) {
    const bare = word.replace(/[.…]+$/, "");
    if (c.keys.has(bare) && !c.said[lang].has(bare)) return "key";
  }
  if (c.codes.has(t) && !c.said[lang].has(t)) return "code";
  if (/^(true|false|null|nil|ok)$/.test(t) && !c.said[lang].has(t)) return "value";
  if (/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/.test(t)) return "id";
  if (/\d{4}-\d\d-\d\dT\d\d:\d\d/.test(t)) return "time";
  return "";
}

// mixed tells why a text is in the other language; "" where it is not. What stands on
// both versions of a page is data, unless the catalogue has another word for it; where
// letters are shown, which are in the language of whom they are for, it is data anyway.
export function mixed(t, lang, other, onOther, c, letters) {
  const low = t.toLowerCase();
  if (c.data.has(low) || !/\p{L}{2}/u.test(t) || (letters && onOther.includes(t))) return "";
  if (c.said[other].has(low) && !c.said[lang].has(low)) return "the other catalogue's";
  if (c.shapes[other].some((s) => s.test(t)) && !c.shapes[lang].some((s) => s.test(t))) return "shaped as the other catalogue's";
  if (onOther.includes(t)) return "";
  const words = low.split(/[^\p{L}]+/u);
  const theirs = words.filter((w) => common[other].has(w)).length, ours = words.filter((w) => common[lang].has(w)).length;
  return theirs >= 2 && ours === 0 ? "words of the other language" : "";
}

// sharp throws unless what is wrong is found and what is right is not: a test that
// cannot fail is none.
export function sharp() {
  const c = { ...sentences({ es: { "nav.findings": "Hallazgos", "role.area-manager": "Responsable de área", "count.machines": { one: "{{.N}} equipo registrado", other: "{{.N}} equipos registrados" } },
    en: { "nav.findings": "Findings", "role.area-manager": "Area manager", "count.machines": { one: "{{.N}} enrolled machine", other: "{{.N}} enrolled machines" } } }), data: new Set(["findings inc."]) };
  const bad = { Findings: true, "29 enrolled machines": true, "What is in the list": true, Hallazgos: false, "29 equipos registrados": false, "Findings Inc.": false, "Microsoft Visual C++": false, "Qué hay en la lista": false };
  for (const [t, want] of Object.entries(bad)) if (!!mixed(t, "es", "en", [], c) !== want) throw new Error(`«${t}» in Spanish: ${!want}`);
  if (mixed("Turn the key in the lock", "es", "en", ["Turn the key in the lock"], c)) throw new Error("data is taken for a sentence");
  const raw = { "area-manager": true, "nav.findings": true, "Ver nav.findings.": true, "‹nav.x›": true, true: true, "12db0915-ae77-46f1-b8fc-63025a7bd338": true, "2026-11-28T10:00:00Z": true, "Area manager": false, "lib.so.6": false, "pc-017": false };
  for (const [t, want] of Object.entries(raw)) if (!!rawIn(t, "en", c) !== want) throw new Error(`«${t}» as a raw word: ${!want}`);
}
