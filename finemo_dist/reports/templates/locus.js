// Loci: one view at a time, drawn from the numbers in the page; letters, hits and tracks to scale.
const inflated = (packed) => {
  const bytes = Uint8Array.from(atob(packed), (c) => c.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate")));
};
const unpacked = (packed) => inflated(packed).json();
const svgOf = (tag, attributes = {}, children = []) => {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
};
// A figure as a file of its own: what the page's style says becomes attributes.
const saveSvg = (drawing, name) => {
  const copy = drawing.cloneNode(true);
  const [from, to] = [drawing, copy].map((root) => [root, ...root.querySelectorAll("*")]);
  from.forEach((element, i) => {
    if (!(element instanceof SVGElement)) return;
    const style = getComputedStyle(element);
    for (const key of ["fill", "stroke", "stroke-width", "opacity", "font-size", "font-family", "font-weight", "text-anchor"]) {
      if (style.getPropertyValue(key)) to[i].setAttribute(key, style.getPropertyValue(key));
    }
    to[i].removeAttribute("class");
  });
  for (const use of copy.querySelectorAll("use")) {
    const symbol = document.getElementById(use.getAttribute("href").slice(1));
    if (symbol) {
      const own = svgOf("svg", { viewBox: symbol.getAttribute("viewBox"), width: "100%", height: "100%" }, [...symbol.cloneNode(true).childNodes]);
      const drawn = symbol.querySelectorAll("*");
      own.querySelectorAll("*").forEach((element, i) => {
        for (const key of ["fill", "stroke", "stroke-width", "opacity"]) element.setAttribute(key, getComputedStyle(drawn[i]).getPropertyValue(key));
      });
      use.replaceWith(own);
    }
  }
  const box = drawing.getBoundingClientRect();
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  if (!copy.getAttribute("width")) { copy.setAttribute("width", Math.round(box.width)); copy.setAttribute("height", Math.round(box.height)); }
  saveText(new XMLSerializer().serializeToString(copy), `${name}.svg`, "image/svg+xml");
};
const saveText = (text, name, type) => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name.replace(/[^\w.-]+/g, "_");
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
};

class LocusViewer {
  // root has a select, a search, buttons named by data-act, and places for the overview and view.
  constructor(root, held, prefix) {
    [this.root, this.loci, this.glyphs, this.prefix] = [root, held.loci, held.glyphs, prefix];
    this.perBase = 0;
    this.at = 0;
    const find = (name) => root.querySelector(`[data-part="${name}"]`);
    [this.select, this.search, this.overview, this.view, this.none, this.place] =
      ["select", "search", "overview", "view", "none", "place"].map(find);
    this.list(this.loci.map((_, i) => i));
    this.view.addEventListener("scroll", () => this.pin());
    this.select.addEventListener("change", () => this.show(Number(this.select.value)));
    this.search.addEventListener("input", () => this.find(this.search.value));
    root.querySelectorAll("[data-act]").forEach((button) => button.addEventListener("click", () => this.act(button.dataset.act)));
    addEventListener("hashchange", () => this.follow());
    if (!this.follow()) this.show(0, false);
  }

  list(shown) {
    this.shown = shown;
    this.select.replaceChildren(...shown.map((i) => new Option(this.loci[i].listed || this.loci[i].title, i)));
    this.none.hidden = shown.length > 0;
  }

  // By words of the title, and by a place: chrI:100-200 finds what shares a base with it.
  find(text) {
    const place = /^\s*(\S+):([\d,]+)(?:-([\d,]+))?\s*$/.exec(text);
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    const matches = (locus) => {
      if (words.every((word) => locus.search.includes(word))) return true;
      if (!place) return false;
      const [start, end] = [place[2], place[3] || place[2]].map((n) => Number(n.replaceAll(",", "")));
      return locus.chrom === place[1] && locus.start <= end && locus.end > start;
    };
    this.list(this.loci.flatMap((locus, i) => (matches(locus) ? [i] : [])));
    if (this.shown.length) this.show(this.shown[0]);
  }

  act(name) {
    const here = this.shown.indexOf(this.at);
    const n = this.shown.length;
    if (name === "previous" && n) this.show(this.shown[(here - 1 + n) % n]);
    if (name === "next" && n) this.show(this.shown[(here + 1) % n]);
    if (name === "closer") this.zoom(Math.min(this.perBase * 1.8, 24));
    if (name === "wider") this.zoom(Math.max(this.perBase / 1.8, this.fit()));
    if (name === "whole") this.zoom(this.fit());
    if (name === "save") {
      this.pinned.removeAttribute("transform");
      saveSvg(this.view.querySelector("svg"), this.loci[this.at].name);
      this.pin();
    }
  }

  // Names and scales stay at the left while the bases move.
  pin() {
    this.pinned.setAttribute("transform", `translate(${this.view.scrollLeft} 0)`);
  }

  fit() {
    const locus = this.loci[this.at];
    return Math.max((this.view.clientWidth - 90) / (locus.end - locus.start), 0.25);
  }

  zoom(perBase) {
    const share = (this.view.scrollLeft + this.view.clientWidth / 2) / this.view.scrollWidth;
    this.perBase = perBase;
    this.draw();
    this.view.scrollLeft = share * this.view.scrollWidth - this.view.clientWidth / 2;
  }

  follow() {
    const match = new RegExp(`^#${this.prefix}=(.*)$`).exec(location.hash);
    const name = match && decodeURIComponent(match[1]);
    const found = this.loci.findIndex((locus) => locus.name === name);
    if (found < 0) return false;
    this.show(found, false);
    return true;
  }

  show(index, isChosen = true) {
    this.at = index;
    const locus = this.loci[index];
    if (![...this.select.options].some((o) => o.value === String(index))) this.list(this.loci.map((_, i) => i));
    this.select.value = String(index);
    this.place.textContent = locus.title;
    if (isChosen) history.replaceState(null, "", `#${this.prefix}=${encodeURIComponent(locus.name)}`);
    this.perBase = Math.max(this.fit(), Math.min(9, 7000 / (locus.end - locus.start)));
    this.draw();
    const hits = locus.rows.flatMap((row) => row.hits);
    const best = hits.reduce((a, b) => (a && a[5] >= b[5] ? a : b), null);
    const middle = locus.marks.length ? locus.marks[0][0] + 0.5 : best ? (best[3] + best[4]) / 2 : (locus.end - locus.start) / 2;
    this.view.scrollLeft = 74 + middle * this.perBase - this.view.clientWidth / 2;
  }

  decoded(row) {
    if (!row.read) {
      const read = (text) => Float64Array.from(new Int8Array(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer), (v) => v * row.unit);
      row.read = [["contributions", read(row.values), 92]];
      if (row.rebuilt) {
        const rebuilt = read(row.rebuilt);
        row.read.push(["hits explain", rebuilt, 52], ["residual", row.read[0][1].map((v, i) => v - rebuilt[i]), 52]);
      }
    }
    return row.read;
  }

  draw() {
    const locus = this.loci[this.at];
    const [left, width] = [74, (locus.end - locus.start) * this.perBase];
    const [parts, pinned] = [[], []];
    let y = 4;
    for (const row of locus.rows) {
      const panels = this.decoded(row);
      const all = (locus.shared ? locus.rows : [row]).flatMap((one) => this.decoded(one).flatMap((panel) => [...panel[1]]));
      const [high, low] = [Math.max(0, ...all), Math.min(0, ...all)];
      pinned.push(svgOf("text", { x: left, y: y + 13, class: "locus-name" }, [row.title]));
      y += 20;
      panels.forEach(([label, values, height], i) => {
        parts.push(...this.panel(row, values, [left, y, width, height], [high, low]));
        pinned.push(...this.scale(label, [left, y, height], [high, low]));
        y += height + 12;
        if (i === 0) y = this.boxes(row, left, y - 4, width, parts);
      });
      y += 6;
    }
    for (const track of locus.tracks) y = this.track(track, left, y, width, parts);
    for (const mark of locus.marks) {
      const x = left + (mark[0] + 0.5) * this.perBase;
      parts.push(svgOf("path", { class: "locus-mark", d: `M${x} 0V${y}` }, [svgOf("title", {}, [mark[1]])]));
    }
    const total = left + width + 24;
    parts.push(svgOf("path", { class: "locus-axis", d: `M${left} ${y}H${left + width}` }));
    let step = 1;
    while ((locus.end - locus.start) / step > Math.max(1, width / 90)) step = String(step)[0] === "2" ? step * 2.5 : step * 2;
    for (let at = Math.ceil(locus.start / step) * step; at <= locus.end; at += step) {
      const x = left + (at - locus.start) * this.perBase;
      parts.push(svgOf("path", { class: "locus-axis", d: `M${x} ${y}v5` }), svgOf("text", { x, y: y + 17, "text-anchor": "middle", class: "locus-small" }, [at.toLocaleString("en")]));
    }
    pinned.push(svgOf("text", { x: 4, y: y + 17, class: "locus-small" }, [locus.chrom || "in region"]));
    this.pinned = svgOf("g", {}, [svgOf("rect", { class: "locus-gutter", x: 0, y: 0, width: left - 1, height: y + 26 }), ...pinned]);
    const drawing = svgOf("svg", { width: total, height: y + 26, viewBox: `0 0 ${total} ${y + 26}`, role: "img", "aria-label": locus.description }, [...parts, this.pinned]);
    this.view.replaceChildren(drawing);
    this.profile(locus);
  }

  panel(row, values, [x, y, width, height], [high, low]) {
    const scale = height / (high - low || 1);
    const zero = y + high * scale;
    const paths = { A: [], C: [], G: [], T: [] };
    const least = Math.max(height * 0.012, 0.2);
    [...row.sequence].forEach((base, i) => {
      const tall = values[i] * scale;
      if (!paths[base] || Math.abs(tall) < least) return;
      const [from, to] = tall > 0 ? [zero - tall, zero] : [zero, zero - tall];
      const [begin, wide] = [x + (i + 0.03) * this.perBase, this.perBase * 0.94];
      if (this.perBase < 2.2) { paths[base].push(`M${begin.toFixed(1)} ${from.toFixed(1)}h${wide.toFixed(2)}V${to.toFixed(1)}h-${wide.toFixed(2)}z`); return; }
      for (const [command, points] of this.glyphs[base]) {
        paths[base].push(command + points.map((p, k) => (k % 2 ? from + p * (to - from) : begin + p * wide).toFixed(1)).join(" "));
      }
    });
    const drawn = Object.entries(paths).filter(([, d]) => d.length).map(([base, d]) => svgOf("path", { class: `base-${base}`, "fill-rule": "evenodd", d: d.join("") }));
    for (const gap of row.sequence.matchAll(/-+/g)) drawn.unshift(svgOf("rect", { class: "locus-gap", x: x + gap.index * this.perBase, y, width: gap[0].length * this.perBase, height }));
    drawn.push(svgOf("path", { class: "locus-axis", d: `M${x} ${zero}H${x + width}` }));
    return drawn;
  }

  scale(label, [x, y, height], [high, low]) {
    const per = height / (high - low || 1);
    const zero = y + high * per;
    const drawn = [svgOf("path", { class: "locus-axis", d: `M${x - 1} ${y}v${height}` })];
    for (const value of [high, 0, low]) {
      if (value && Math.abs(value) * per <= 10) continue;
      drawn.push(svgOf("text", { x: x - 6, y: zero - value * per + 4, "text-anchor": "end", class: "locus-small" }, [String(Number(value.toPrecision(3)))]));
    }
    drawn.push(svgOf("text", { transform: `translate(12 ${y + height / 2}) rotate(-90)`, "text-anchor": "middle", class: "locus-small" }, [label]));
    return drawn;
  }

  lanes(entries) {
    const ends = [];
    return entries.map(([from, to]) => {
      let lane = ends.findIndex((end) => end <= from);
      if (lane < 0) lane = ends.length;
      ends[lane] = to;
      return lane;
    });
  }

  boxes(row, left, y, width, parts) {
    const spans = row.hits.map(([label, , strand, start, end, coefficient, similarity, , , state]) => {
      const text = `${label} ${strand}`;
      const scores = `${Number(coefficient.toPrecision(3))} / ${similarity.toFixed(2)}${state ? ` ${state}` : ""}`;
      const room = (text.length + scores.length + 1) * 6.4;
      const from = Math.max(left, left + start * this.perBase);
      const begin = Math.max(left, Math.min(from, left + width - room));
      return { from, begin, far: Math.min(left + width, left + end * this.perBase), to: begin + room + 8, text, scores };
    });
    const order = spans.map((_, i) => i).sort((a, b) => spans[a].begin - spans[b].begin || a - b);
    const found = this.lanes(order.map((i) => [spans[i].begin, Math.max(spans[i].to, spans[i].far)]));
    order.forEach((i, k) => {
      const [hit, at] = [row.hits[i], y + found[k] * 25];
      const { from, begin, far, text, scores } = spans[i];
      const tip = Math.min(5, (far - from) / 2);
      const d = hit[2] === "-" ? `M${from} ${at + 4}l${tip} -4H${far}v8H${from + tip}z` : `M${from} ${at}H${far - tip}l${tip} 4l${-tip} 4H${from}z`;
      parts.push(svgOf("g", {}, [
        svgOf("title", {}, [hit[8]]), svgOf("path", { d, class: `hit-${hit[7]}` }),
        svgOf("text", { x: begin, y: at + 19, class: "locus-label" }, [text, svgOf("tspan", { dx: 5, class: "locus-small" }, [scores])]),
      ]));
    });
    return y + (Math.max(-1, ...found) + 1) * 25 + 4;
  }

  track(track, left, y, width, parts) {
    parts.push(svgOf("text", { x: left, y: y + 12, class: "locus-name" }, [track.name]));
    y += 18;
    const x = (position) => Math.min(Math.max(left + position * this.perBase, left), left + width);
    const found = this.lanes(track.features.map(([name, start, end]) => [x(start), Math.max(x(end), x(start) + (name.length + 2) * 6.4) + 8]));
    track.features.forEach(([name, start, end, strand, blocks], i) => {
      const at = y + found[i] * 24;
      parts.push(svgOf("path", { class: "locus-axis", d: `M${x(start)} ${at + 4}H${x(end)}` }));
      for (const [first, last] of blocks.length ? blocks : [[start, end]]) {
        if (x(last) > x(first)) parts.push(svgOf("rect", { class: "locus-feature", x: x(first), y: at, width: Math.max(1, x(last) - x(first)), height: 8 }));
      }
      parts.push(svgOf("text", { x: x(start), y: at + 18, class: "locus-small" }, [`${name} ${strand}`]));
    });
    return y + (Math.max(-1, ...found) + 1) * 24 + 6;
  }

  profile(locus) {
    const n = locus.end - locus.start;
    const values = this.decoded(locus.rows[0])[0][1];
    const [high, low] = [Math.max(0, ...values), Math.min(0, ...values)];
    const scale = 40 / (high - low || 1);
    const bars = [...values].map((v, i) => (v ? `M${i + 0.5} ${high * scale}v${-v * scale}` : "")).join("");
    const hits = locus.rows.flatMap((row) => row.hits).map((hit) => svgOf("rect", { class: `hit hit-${hit[7]}`, x: hit[3], y: 43, width: hit[4] - hit[3], height: 6 }));
    const drawing = svgOf("svg", { viewBox: `0 0 ${n} 50`, preserveAspectRatio: "none", "aria-hidden": "true" }, [svgOf("path", { d: bars }), ...hits]);
    drawing.addEventListener("click", (event) => {
      const box = drawing.getBoundingClientRect();
      this.view.scrollLeft = 74 + (event.clientX - box.left) / box.width * n * this.perBase - this.view.clientWidth / 2;
    });
    this.overview.replaceChildren(drawing);
  }
}
