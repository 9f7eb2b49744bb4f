// access.js returns what keeps people from reading and using the page as it is now.
(() => {
  const found = [];
  const visible = (e) => e.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true }) && e.getClientRects().length > 0;
  const where = (e) => e.tagName.toLowerCase() + (e.id ? "#" + e.id : e.getAttribute("class") ? "." + e.getAttribute("class").split(/\s+/).join(".") : "");
  const say = (e, what) => found.push(`${where(e)}: ${what}`);
  const all = (selector) => [...document.querySelectorAll(selector)].filter(visible);

  // Landmarks, title, language, headings.
  if (!document.documentElement.lang) found.push("the document has no language");
  if (!document.title) found.push("the document has no title");
  for (const landmark of ["main", "header"]) {
    if (document.querySelectorAll(landmark).length !== 1) found.push(`there is not one ${landmark}`);
  }
  const headings = all("h1, h2, h3, h4");
  if (headings.filter((h) => h.tagName === "H1").length !== 1) found.push("there is not one h1");
  let level = 0;
  for (const h of headings) {
    const next = Number(h.tagName[1]);
    if (next > level + 1) say(h, `it follows on one of level ${level}`);
    level = next;
  }
  const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
  for (const id of new Set(ids)) if (ids.filter((i) => i === id).length > 1) found.push(`two elements are #${id}`);
  for (const e of all("[aria-labelledby], [aria-describedby]")) {
    for (const name of ["aria-labelledby", "aria-describedby"]) {
      for (const id of (e.getAttribute(name) ?? "").split(/\s+/).filter(Boolean)) if (!document.getElementById(id)) say(e, `${name} names #${id}, which is not there`);
    }
  }
  for (const e of document.querySelectorAll("img:not([alt])")) say(e, "it has no alt");
  for (const e of document.querySelectorAll("svg:not([aria-hidden]):not([aria-label])")) say(e, "it has no label");

  // Tables.
  for (const t of all("table")) {
    if (!t.getAttribute("aria-labelledby")) say(t, "it has no label");
    for (const th of t.querySelectorAll("th")) if (!th.scope) say(th, "it has no scope");
    for (const e of t.querySelectorAll("thead, tbody, tr, th, td")) if (!e.getAttribute("role")) say(e, "its role is lost where it is shown as a card");
    const sorted = t.querySelectorAll("[aria-sort]");
    if (sorted.length && [...sorted].filter((e) => e.getAttribute("aria-sort") !== "none").length !== 1) say(t, "it is not sorted by one column");
  }

  // Controls: large enough, and as wide as the window at most.
  for (const e of all("button, input, summary, .back")) {
    const { width, height } = e.type === "checkbox" ? e.closest("label").getBoundingClientRect() : e.getBoundingClientRect();
    if (width < 20 || height < 20) say(e, `it is ${Math.round(width)} by ${Math.round(height)} pixels`);
  }
  if (document.documentElement.scrollWidth > innerWidth) {
    found.push(`the page is ${document.documentElement.scrollWidth} pixels wide in a window of ${innerWidth}`);
    for (const e of all("body *")) if (e.getBoundingClientRect().right > innerWidth + 1 && !e.parentElement.closest("svg, pre, .phases, .instances thead, .drawing")) say(e, "it is part of that");
  }

  // Contrast.
  const parse = (color) => {
    const n = color.match(/[\d.]+/g)?.map(Number) ?? [0, 0, 0, 0];
    return [n[0], n[1], n[2], n.length > 3 ? n[3] : 1];
  };
  const over = (a, b) => [0, 1, 2].map((n) => a[n] * a[3] + b[n] * (1 - a[3])).concat(1);
  const luminance = (c) => {
    const [r, g, b] = c.slice(0, 3).map((v) => (v / 255 <= 0.03928 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (e) => {
    const layers = [];
    for (let at = e; at; at = at.parentElement) {
      const svg = at.matches("g.state, g.times") ? getComputedStyle(at.querySelector("rect")).fill : "";
      const color = parse(svg || getComputedStyle(at).backgroundColor);
      if (color[3] > 0) layers.push(color);
      if (color[3] === 1) break;
    }
    return layers.reverse().reduce((below, c) => over(c, below), [255, 255, 255, 1]);
  };
  const ratio = (a, b) => {
    const [x, y] = [luminance(a), luminance(b)].sort((m, n) => n - m);
    return (x + 0.05) / (y + 0.05);
  };
  let texts = 0;
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const seen = new Set();
  while (walk.nextNode()) {
    const e = walk.currentNode.parentElement;
    if (!walk.currentNode.data.trim() || seen.has(e) || !visible(e) || e.closest(".unseen, noscript, title")) continue;
    seen.add(e);
    texts++;
    const style = getComputedStyle(e);
    const below = ground(e);
    const color = over(parse(e.closest("svg") ? style.fill : style.color), below);
    const size = parseFloat(style.fontSize);
    const needed = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700) ? 3 : 4.5;
    if (ratio(color, below) < needed) say(e, `the contrast of ${JSON.stringify(walk.currentNode.data.slice(0, 30))} is ${ratio(color, below).toFixed(2)}`);
  }
  for (const e of all("input[type=search], input[type=password], .acts button")) {
    const style = getComputedStyle(e);
    const r = ratio(over(parse(style.borderTopColor), ground(e.parentElement)), ground(e.parentElement));
    if (r < 3) say(e, `the contrast of its border is ${r.toFixed(2)}`);
  }
  return { found: [...new Set(found)], texts };
})()
