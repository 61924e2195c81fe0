// The living page of an explorer: it listens to the sliders, picks the numbers, and draws. It never waits for the kernel.

// Milliseconds without a change,
const REST = 80;        // after which the kernel is asked for the lines through the new point,
const SPOKEN = 400;     // after which a screen reader hears the new sentence: not at every position of a drag,
const PATIENCE = 700;   // and after which a picture that waits for the kernel says so.
const WAITS = "This picture shows where the sliders stood before. It waits for the kernel: is it busy, or gone?";

function render({ model, el, signal }) {
  const page = new Page(model, el);
  const moved = page.spec.controls.map(({ name }) => `change:at_${name}`);
  const update = () => page.update();
  for (const event of [...moved, "change:tables"]) model.on(event, update);
  const watcher = new MutationObserver(() => page.nameControls());
  page.whenPlaced(() => {
    page.nameControls();
    watcher.observe(page.box, { childList: true, subtree: true, attributes: true, attributeFilter: ["aria-valuenow", "class"] });
  });
  page.update();
  signal?.addEventListener("abort", () => page.close(watcher));
  return () => page.close(watcher);
}

class Page {
  constructor(model, el) {
    Object.assign(this, { model, el, spec: model.get("scene"), lit: null, figures: [] });
    el.classList.add("hidden-state-canvas");
    el.setAttribute("role", "group");
    el.setAttribute("aria-label", this.spec.title);
    this.views = this.add("div", "hidden-state-views");
    for (const view of this.spec.views) this.addView(view);
    this.formula = this.spec.views.some(({ kind }) => kind === "cell") ? this.add("p", "hidden-state-formula") : null;
    this.words = this.add("p", "hidden-state-words");
    this.note = this.add("p", "hidden-state-note");
    this.spoken = this.add("p", "hidden-state-spoken");
    this.spoken.setAttribute("aria-live", "polite");
    this.details = this.add("details", "hidden-state-numbers");
    this.details.innerHTML = "<summary data-lm-suppress-shortcuts='true'>The numbers</summary><div></div>";
    this.details.addEventListener("toggle", () => this.update());
  }

  add(tag, name, parent = this.el) {
    const node = Object.assign(document.createElement(tag), { className: name });
    parent.append(node);
    return node;
  }

  addView(view) {
    const figure = this.add("figure", "", this.views);
    const title = this.add("figcaption", "", figure);
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("role", view.kind === "cell" ? "group" : "img");
    svg.addEventListener("click", (event) => this.light(event));
    svg.addEventListener("keydown", (event) => { if (event.key === "Enter" || event.key === " ") this.light(event); });
    figure.append(svg);
    this.figures.push({ view, title, svg });
  }

  light(event) {
    const term = event.target.dataset?.term;
    if (!term) return;
    event.preventDefault();
    const [part, row] = term.split(" ").map(Number);
    this.lit = { part, row };
    this.update();
  }

  // Where every slider stands: its value and its position on its grid.
  positions() {
    const at = {}, values = {};
    for (const control of this.spec.controls) {
      const value = this.model.get(`at_${control.name}`) ?? control.values[0];
      const gaps = control.values.map((each) => Math.abs(each - value));
      const position = gaps.indexOf(Math.min(...gaps));
      if (gaps[position] > 1e-6) this.model.set(`at_${control.name}`, control.values[position]);   // a typed value goes to the grid
      at[control.name] = position;
      values[control.name] = control.values[position];
    }
    return { at, values };
  }

  // Tables around a point hold one line for each slider: find the line on which the sliders stand now, if there is one.
  onLine(at, around) {
    if (!around) return at;
    const moved = this.spec.controls.map(({ name }, i) => (at[name] === around[i] ? -1 : i)).filter((i) => i >= 0);
    if (moved.length > 1) return null;
    const line = moved[0] ?? 0;
    return { ...at, line, along: at[this.spec.controls[line].name] };
  }

  update() {
    const { around, tables, note } = this.model.get("tables");
    const { at, values } = this.positions();
    const position = this.onLine(at, around);
    this.el.dataset.around = around ?? "";      // where the kernel's lines lie, for whoever waits for them
    this.askAround(at, around, position === null);
    clearTimeout(this.waiting);
    if (!position) {
      this.waiting = setTimeout(() => { this.note.textContent = WAITS; }, PATIENCE);
      return;
    }
    if (this.packed !== tables) {
      this.packed = tables;
      this.unpacked = Object.fromEntries(Object.entries(tables).map(([name, table]) => [name, unpacked(table)]));
    }
    this.draw(this.look(position, values), note);
  }

  look(at, values) {
    const controls = Object.fromEntries(this.spec.controls.map((control) => [control.name, control]));
    return {
      at, values, controls, spec: this.spec, tables: this.unpacked, lit: this.lit,
      names: (axis) => controls[axis]?.texts ?? this.spec.axes[axis].names,
      label: (axis) => controls[axis]?.label ?? this.spec.axes[axis].label,
    };
  }

  draw(look, note) {
    const words = fill(this.spec.words, look);
    for (const { view, title, svg } of this.figures) {
      const { width, height, shapes, formula } = VIEWS[view.kind](view, look);
      patch(svg, shapes);
      const name = fill(view.title, look);
      if (title.textContent !== name) title.textContent = name;
      for (const [attribute, value] of Object.entries({ width, height, viewBox: `0 0 ${width} ${height}`, "aria-label": `${name}. ${words}` })) {
        if (svg.getAttribute(attribute) !== String(value)) svg.setAttribute(attribute, value);
      }
      if (formula) this.formula.textContent = formula;
    }
    this.words.textContent = words;
    this.note.textContent = note;
    this.sayLater(words);
    if (this.details.open) this.details.lastChild.innerHTML = look.spec.views.map((view) => tableOf(view, look)).join("");
  }

  sayLater(words) {
    clearTimeout(this.speaking);
    const first = this.said === undefined;
    this.said ??= words;
    if (!first) this.speaking = setTimeout(() => { this.spoken.textContent = words; }, SPOKEN);
  }

  askAround(at, around, now) {
    clearTimeout(this.asking);
    const wanted = this.spec.controls.map(({ name }) => at[name]);
    if (!around || wanted.every((position, i) => position === around[i])) return;
    this.asking = setTimeout(() => {
      this.model.send({ wanted });    // a change of the model would be held back until the sliders' own messages are answered
    }, now ? 0 : REST);
  }

  // ipywidgets gives its sliders no accessible name, and in Notebook 7 the notebook takes their arrow keys.
  nameControls() {
    const { at } = this.positions();
    const widgets = [...this.box.querySelectorAll(".hidden-state-controls > *")];
    this.spec.controls.forEach((control, i) => {
      const handle = widgets[i]?.querySelector(".noUi-handle");
      if (handle) give(handle, { "aria-label": control.label, "aria-valuetext": control.texts[at[control.name]] });
      for (const button of widgets[i]?.querySelectorAll(".jupyter-button") ?? []) give(button, { "aria-pressed": button.classList.contains("mod-active") });
      if (widgets[i] && !handle) give(widgets[i], { role: "group", "aria-label": control.label });
      for (const part of widgets[i]?.querySelectorAll(".noUi-handle, .widget-readout, .jupyter-button") ?? []) give(part, { "data-lm-suppress-shortcuts": "true" });
      const readout = widgets[i]?.querySelector(".widget-readout");
      if (readout) give(readout, { role: "textbox", "aria-label": `${control.label}, as a number` });
    });
  }

  // The view is rendered before it stands beside its sliders: wait until it does.
  whenPlaced(then) {
    this.box = this.el.closest(".hidden-state-explorer");
    if (this.box) then();
    else if (!this.closed) requestAnimationFrame(() => this.whenPlaced(then));
  }

  close(watcher) {
    this.closed = true;
    watcher.disconnect();
    clearTimeout(this.asking);
    clearTimeout(this.speaking);
    clearTimeout(this.waiting);
  }
}

function give(node, attributes) {
  for (const [name, value] of Object.entries(attributes)) if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
}

function tableOf(view, look) {
  const safe = (text) => String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;");
  const [head, rows] = sheet(view, look);
  const lines = rows.map(([name, ...cells]) => `<tr><th scope="row">${safe(name)}</th>${cells.map((cell) => `<td>${safe(cell)}</td>`).join("")}</tr>`);
  const heads = head.map((name) => `<th scope="col">${safe(name)}</th>`).join("");
  return `<table><caption>${safe(fill(view.title, look))}</caption><thead><tr>${heads}</tr></thead><tbody>${lines.join("")}</tbody></table>`;
}

export default { render };
