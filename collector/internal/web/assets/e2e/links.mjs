// Links of the console's pages, and which kind of page an address is.

// linksIn lists the paths that a page's links and searching forms lead to, without what
// only narrows, sorts or translates.
export function linksIn(html, at) {
  const found = [];
  for (const m of [...html.matchAll(/<a [^>]*?href="([^"]*)"/g), ...html.matchAll(/<form [^>]*?method="get"[^>]*? action="([^"]*)"/g)]) {
    const href = m[1].replaceAll("&amp;", "&");
    if (href.startsWith("#")) continue;
    const u = new URL(href, "https://here" + at);
    if (u.host === "here" && u.pathname !== "/accounts/find") found.push(u.pathname); // which wants an address typed in
  }
  return found;
}

// kindOf is the pattern of routes that a path belongs to: the one with the most parts
// that are not placeholders; the path itself where there is none.
export function kindOf(patterns, path) {
  let best = path, most = -1;
  const have = path.split("/");
  for (const p of patterns) {
    const want = p.split("/");
    if (want.length !== have.length || want.some((w, i) => !w.startsWith("{") && w !== have[i])) continue;
    const fixed = want.filter((w) => !w.startsWith("{")).length;
    if (fixed > most) [best, most] = [p, fixed];
  }
  return best;
}

// partsOf lists what a page's content is made of, each kind of element once; nothing
// where it is no page.
export function partsOf(html) {
  const main = html.slice(html.indexOf("<main"), html.indexOf("</main>"));
  return [...new Set([...main.matchAll(/<([a-z0-9]+)(?:[^>]*? class="([^"]*)")?/g)].map((m) => `${m[1]}.${m[2] || ""}`))];
}
