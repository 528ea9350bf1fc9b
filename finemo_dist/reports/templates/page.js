(async () => {
  "use strict";
  const data = JSON.parse(document.getElementById("data").textContent);
  if (data.packed) Object.assign(data, await unpacked(data.packed));
  const $ = (id) => document.getElementById(id);
  const all = (query, root = document) => [...root.querySelectorAll(query)];
  const element = (tag, properties = {}, children = []) => {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  };
  const svgElement = (tag, attributes, children = []) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  };
  const whole = new Intl.NumberFormat("en");

  // Charts: drawn when they come near the view, and again when the theme changes.
  const drawn = new Map();
  const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const isDark = () => style("color-scheme") === "dark";
  const theme = () => {
    const [ink, mute, line, accent] = ["--ink", "--mute", "--line", "--accent"].map(style);
    const font = getComputedStyle(document.body).fontFamily;
    return {
      background: null, font, view: { stroke: null },
      axis: { labelColor: mute, titleColor: mute, gridColor: line, domainColor: line, tickColor: line,
        labelFontSize: 11, titleFontSize: 12, titleFontWeight: "normal", titlePadding: 8, gridOpacity: 0.7 },
      axisX: { grid: false },
      legend: { labelColor: ink, titleColor: mute, labelFontSize: 12, symbolSize: 90 },
      text: { color: mute }, bar: { color: accent }, point: { color: accent }, line: { color: mute },
      style: { threshold: { stroke: style("--look") } },
      range: { category: isDark()
        ? ["#9db0ff", "#f0b858", "#5fd09b", "#f59ad0"] : ["#3350c8", "#d98f00", "#008f68", "#b5438a"] },
    };
  };
  // The policy of the page knows the program by its digest, so that it may become a script.
  let program;
  const chartProgram = () => program ??= inflated($("charts-program").textContent).text()
    .then((text) => {
      const made = element("script", { textContent: text });
      document.head.append(made);
      made.remove();
    });
  (window.requestIdleCallback || setTimeout)(chartProgram);
  async function draw(place) {
    const key = place.dataset.chart;
    const chart = data.charts[key];
    if (!chart) return;
    const held = drawn.get(place) || {};
    const turn = (held.turn || 0) + 1;
    drawn.set(place, { ...held, turn });
    const rows = chart.rows || [];
    if (!rows.length) {
      held.view?.finalize();
      place.replaceChildren(element("p", { className: "empty", textContent: chart.empty || "Nothing to show." }));
      return;
    }
    const spec = { ...chart.spec, datasets: { ...chart.spec.datasets, rows, threshold: chart.threshold || [] }, description: place.getAttribute("aria-label") };
    const space = element("div");
    place.replaceChildren(space);
    await chartProgram();
    if (drawn.get(place).turn !== turn) return;
    // ast: expressions are interpreted, so that the page needs no eval and its policy forbids it.
    const result = await window.vegaEmbed(space, spec, {
      ast: true, renderer: "svg", config: theme(), tooltip: { theme: isDark() ? "dark" : "light" },
      actions: false,
    });
    if (drawn.get(place).turn !== turn) { result.finalize(); return; }
    held.view?.finalize();
    drawn.set(place, { turn, view: result });
    place.dataset.drawn = "yes";
  }
  const near = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      near.unobserve(entry.target);
      draw(entry.target);
    }
  }, { rootMargin: "300px" });
  all(".plot").forEach((place) => near.observe(place));
  const redraw = (key) => all(`.plot[data-chart="${key}"]`).forEach((place) => { if (drawn.has(place)) draw(place); });
  addEventListener("beforeprint", () => all(".plot").forEach((place) => { if (!drawn.has(place)) draw(place); }));

  // Theme
  const root = document.documentElement;
  const nameTheme = () => { $("theme-name").textContent = isDark() ? "Light" : "Dark"; };
  const redrawAll = () => { nameTheme(); for (const place of drawn.keys()) draw(place); };
  $("theme").addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    try { localStorage.setItem("finemo-dist-theme", root.dataset.theme); } catch { /* holds until the page is closed */ }
    redrawAll();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redrawAll);
  nameTheme();

  // Tables
  const valueOf = (row, index, isNumber) => {
    const text = row.cells[index].dataset.v ?? row.cells[index].textContent.trim();
    if (!isNumber) return text.toLowerCase();
    return text === "" ? NaN : Number(text);
  };
  function sort(table, index) {
    const head = table.tHead.rows[0].cells[index];
    const isNumber = head.dataset.type === "number";
    const now = head.getAttribute("aria-sort");
    const descending = now ? now === "ascending" : isNumber;
    for (const cell of table.tHead.rows[0].cells) cell.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", descending ? "descending" : "ascending");
    const body = table.tBodies[0];
    const rows = [...body.rows].map((row, place) => ({ row, place, value: valueOf(row, index, isNumber) }));
    rows.sort((a, b) => {
      const [gone, other] = [Number.isNaN(a.value), Number.isNaN(b.value)];
      if (gone || other) return gone - other || a.place - b.place;
      const order = isNumber ? a.value - b.value : a.value.localeCompare(b.value, "en", { numeric: true });
      return (descending ? -order : order) || a.place - b.place;
    });
    body.append(...rows.map((entry) => entry.row));
  }
  all("table.sortable").forEach((table) => {
    [...table.tHead.rows[0].cells].forEach((cell, index) => {
      cell.querySelector("button")?.addEventListener("click", () => sort(table, index));
    });
  });
  // Words, and conditions on columns: hits>100, recall<0.5.
  const plain = (text) => text.toLowerCase().replace(/[^a-z0-9]/g, "");
  const conditionOf = (table, word) => {
    const match = /^([a-z][a-z0-9]*)(<=|>=|<|>|=)(-?[\d.]+)(%?)$/.exec(word);
    if (!match) return null;
    const index = [...table.tHead.rows[0].cells].findIndex((cell) => cell.dataset.type === "number" && plain(cell.textContent).startsWith(match[1]));
    if (index < 0) return null;
    const than = Number(match[3]) / (match[4] ? 100 : 1);
    const holds = { "<": (v) => v < than, ">": (v) => v > than, "<=": (v) => v <= than, ">=": (v) => v >= than, "=": (v) => v === than }[match[2]];
    return (row) => holds(valueOf(row, index, true));
  };
  const search = $("motif-search");
  if (search) {
    const table = $("motif-table");
    const rows = [...table.tBodies[0].rows];
    search.addEventListener("input", () => {
      const words = search.value.toLowerCase().replace(/\s*(<=|>=|<|>|=)\s*/g, "$1").split(/\s+/).filter(Boolean);
      const tests = words.map((word) => conditionOf(table, word) || ((row) => row.dataset.search.includes(word)));
      let shown = 0;
      for (const row of rows) {
        row.hidden = !tests.every((test) => test(row));
        shown += !row.hidden;
      }
      $("motif-count").textContent = (shown === rows.length ? "" : `${shown} of `) + (rows.length === 1 ? "1 motif" : `${rows.length} motifs`);
      $("motif-none").hidden = shown > 0;
    });
  }

  // Columns that are hidden, and tables as files
  const textOf = (cell) => (cell.dataset.v ?? cell.textContent).trim().replace(/\s+/g, " ");
  all(".table-card > table, .table-card table.sortable").forEach((table) => {
    const heads = [...table.tHead.rows[0].cells];
    const save = element("button", { type: "button", className: "button small-button", textContent: "Save TSV" });
    save.addEventListener("click", () => {
      const kept = heads.map((head, i) => (head.hidden || (!head.dataset.type && i) ? -1 : i)).filter((i) => i >= 0);
      const rows = [table.tHead.rows[0], ...[...table.tBodies[0].rows].filter((row) => !row.hidden)];
      const lines = rows.map((row) => kept.map((i) => (row.parentNode === table.tHead ? row.cells[i].textContent.trim() : textOf(row.cells[i]))).join("\t"));
      saveText(lines.join("\n") + "\n", `${table.id || "table"}.tsv`, "text/tab-separated-values");
    });
    const boxes = heads.map((head, i) => {
      if (!i) return "";
      const box = element("input", { type: "checkbox", checked: true });
      box.addEventListener("change", () => { for (const row of table.rows) if (row.cells[i]) row.cells[i].hidden = !box.checked; });
      return element("label", {}, [box, " ", head.textContent.trim()]);
    });
    const columns = element("details", { className: "columns" }, [element("summary", { textContent: "Columns" }), element("div", {}, boxes)]);
    table.closest(".table-card").before(element("div", { className: "bar tools" }, [columns, save]));
  });
  // Figures as files
  const saver = (act) => {
    const button = element("button", { type: "button", className: "button small-button save-svg", textContent: "Save SVG" });
    button.addEventListener("click", act);
    return button;
  };
  all("figure .plot").forEach((place) => {
    place.closest("figure").querySelector("h3").append(saver(async () => {
      if (!drawn.get(place)?.view) await draw(place);
      const view = drawn.get(place)?.view?.view;
      if (view) saveText(await view.toSVG(), `${place.dataset.chart}.svg`, "image/svg+xml");
    }));
  });
  all("figure [data-matrix]").forEach((place) => {
    place.closest("figure").querySelector("h3").append(saver(() => saveSvg(place.querySelector("svg"), place.dataset.matrix)));
  });

  // One motif
  const select = $("motif-select");
  const quantities = ["hits_per_region", "coefficient", "similarity", "importance", "position"];
  const short = (value) => String(Number(value.toPrecision(4)));
  const binned = ([start, end, n], isCount) => (isCount
    ? { start: start - 0.5, end: end - 0.5, n, label: short(start) }
    : { start, end, n, label: `${short(start)} to ${short(end)}` });
  function showMotif(index) {
    const motif = data.motifs[index];
    select.value = String(index);
    $("motif-flags").replaceChildren(...motif.flags.map(([label, meaning]) => element("span", { className: "flag", textContent: label, title: meaning })));
    const logo = (caption, drawing) => element("figure", {}, [
      element("figcaption", { textContent: caption }), drawing,
      saver(() => saveSvg(drawing, `${select.selectedOptions[0].text} ${caption}`)),
    ]);
    $("motif-logos").replaceChildren(
      ...motif.logos.map(([id, label, caption]) => logo(caption, svgElement("svg", { class: "logo", role: "img", "aria-label": label }, [svgElement("use", { href: `#${id}` })]))),
      ...motif.more.map(([caption, label, width, height, zero, paths]) => logo(caption, svgElement("svg", { class: "logo", role: "img", "aria-label": label, viewBox: `0 0 ${width} ${height}` }, [
        ...paths.map(([base, d]) => svgElement("path", { class: `base-${base}`, "fill-rule": "evenodd", d })),
        svgElement("path", { class: "zero", d: `M0 ${zero}h${width}` }),
      ]))),
    );
    $("motif-facts").replaceChildren(...motif.facts.map(([term, value]) => element("div", {}, [element("dt", { textContent: term }), element("dd", { textContent: value })])));
    for (const quantity of quantities) {
      const chart = data.charts[`motif-${quantity}`];
      if (!chart) continue;
      chart.rows = (motif.bins[quantity] || []).map((bin) => binned(bin, quantity === "hits_per_region"));
      chart.empty = "This motif has no hits.";
      if (quantity === "similarity") chart.threshold = motif.threshold === null ? [] : [{ value: motif.threshold }];
      redraw(`motif-${quantity}`);
    }
  }
  const names = select ? new Map([...select.options].map((option) => [option.dataset.name, Number(option.value)])) : new Map();
  const chooseMotif = (index) => {
    showMotif(index);
    history.replaceState(null, "", `#motif=${encodeURIComponent(select.selectedOptions[0].dataset.name)}`);
  };
  if (select) {
    const step = (by) => {
      select.selectedIndex = (select.selectedIndex + by + select.options.length) % select.options.length;
      chooseMotif(Number(select.value));
    };
    select.addEventListener("change", () => chooseMotif(Number(select.value)));
    $("motif-previous").addEventListener("click", () => step(-1));
    $("motif-next").addEventListener("click", () => step(1));
    all(".motif-name").forEach((button) => button.addEventListener("click", () => {
      chooseMotif(Number(button.dataset.motif));
      goTo($("motif"));
      select.focus({ preventScroll: true });
    }));
    if (select.options.length) showMotif(Number(select.value));
  }

  // Pairs
  const pairs = $("pair-select");
  if (pairs) {
    const showPair = () => {
      data.charts.spacing.rows = data.pairs[Number(pairs.value)].map(([orientation, start, end, n]) => ({ orientation, start, end, n, label: `${start} to ${end - 1}` }));
      redraw("spacing");
    };
    pairs.addEventListener("change", showPair);
    showPair();
  }

  // Matrices: what lies under the pointer, or under a cursor moved by the arrow keys.
  for (const place of all("[data-matrix]")) {
    const matrix = data.matrices[place.dataset.matrix];
    const [height, width] = [matrix.rows.length, matrix.columns.length];
    if (!height || !width) continue;
    const bytes = Uint8Array.from(atob(matrix.values), (c) => c.charCodeAt(0));
    const values = new Float32Array(bytes.buffer);
    const image = place.querySelector("image");
    const cursor = place.querySelector(".cursor");
    const readout = place.closest("figure").querySelector(".readout");
    const [x, y, w, h] = ["x", "y", "width", "height"].map((name) => Number(image.getAttribute(name)));
    let at = [0, 0];
    const show = (row, column) => {
      at = [Math.min(Math.max(row, 0), height - 1), Math.min(Math.max(column, 0), width - 1)];
      const value = values[at[0] * width + at[1]];
      const number = Number.isNaN(value) ? "no data" : `${Number(value.toPrecision(3))} ${matrix.unit}`;
      const names = [[matrix.rowNoun, matrix.rows[at[0]]], [matrix.columnNoun, matrix.columns[at[1]]]];
      readout.textContent = `${names.map((pair) => pair.filter(Boolean).join(" ")).join(" × ")}: ${number}`;
      cursor.style.display = "";
      const box = { x: x + at[1] * w / width, y: y + at[0] * h / height, width: w / width, height: h / height };
      for (const [name, side] of Object.entries(box)) cursor.setAttribute(name, side);
    };
    image.addEventListener("pointermove", (event) => {
      const box = image.getBoundingClientRect();
      show(Math.floor((event.clientY - box.top) / box.height * height), Math.floor((event.clientX - box.left) / box.width * width));
    });
    place.addEventListener("keydown", (event) => {
      const by = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
      if (!by) return;
      event.preventDefault();
      show(at[0] + by[0], at[1] + by[1]);
    });
  }

  // Example regions begin at their strongest hit.
  all("[data-focus]").forEach((place) => {
    place.scrollLeft = Number(place.dataset.focus) * place.scrollWidth - place.clientWidth / 2;
  });

  all("[data-copy]").forEach((button) => button.addEventListener("click", async () => {
    const source = $(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(source.innerText);
    } catch {
      const range = document.createRange();
      range.selectNodeContents(source);
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      document.execCommand("copy");
    }
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  }));

  // Loci
  const viewer = document.querySelector("[data-locus]");
  if (viewer && data.loci) new LocusViewer(viewer, data, "region");

  // What lies between here and a target grows while it comes into view, so that one jump falls short.
  function goTo(target) {
    let isOver = false;
    const end = () => { isOver = true; };
    const events = ["wheel", "touchstart", "keydown", "pointerdown"];
    events.forEach((event) => addEventListener(event, end, { once: true, passive: true }));
    let nStill = 0, before = NaN;
    const step = () => {
      if (isOver) return;
      const top = target.getBoundingClientRect().top;
      if (Math.abs(top - parseFloat(getComputedStyle(root).scrollPaddingTop)) > 1) target.scrollIntoView({ behavior: "instant" });
      // The last section may end above: what counts is that nothing moves any more.
      nStill = Math.abs(top - before) < 1 ? nStill + 1 : 0;
      before = top;
      if (nStill < 60) requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  }
  all(".nav a").forEach((link) => link.addEventListener("click", (event) => {
    event.preventDefault();
    history.replaceState(null, "", link.hash);
    goTo($(link.hash.slice(1)));
  }));
  const follow = () => {
    const motif = /^#motif=(.*)$/.exec(location.hash);
    const index = motif && names.get(decodeURIComponent(motif[1]));
    if (index !== null && index !== undefined) { showMotif(index); goTo($("motif")); return; }
    if (location.hash.startsWith("#region=")) { goTo($("regions")); return; }
    const target = location.hash.length > 1 && $(location.hash.slice(1));
    if (target) goTo(target);
  };
  addEventListener("hashchange", follow);
  follow();

  // Which section is being read
  const links = new Map(all(".nav a").map((link) => [link.hash.slice(1), link]));
  const reading = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      links.forEach((link) => link.removeAttribute("aria-current"));
      const link = links.get(entry.target.id);
      link?.setAttribute("aria-current", "true");
      const strip = link?.closest("ul");
      if (strip && strip.scrollWidth > strip.clientWidth) strip.scrollTo({ left: link.offsetLeft - 60 });
    }
  }, { rootMargin: "-20% 0px -70% 0px" });
  all("main > section").forEach((section) => reading.observe(section));
  root.dataset.ready = String(Math.round(performance.now()));
})();
