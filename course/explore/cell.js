// The cell: x and h on the left, the two parts they become, their sum, tanh of it. One term is lit at a time.
function cellView(view, look) {
  const values = view.parts.map((part) => partOf(view, part, look));
  const x = view.x.map((name) => look.values[name]), h = view.h.map((name) => look.values[name]);
  const weights = Object.fromEntries(Object.entries(view.weights).map(([name, table]) => [name, weight(look.tables[table], look)]));
  const lit = look.lit ?? { part: 2, row: h.length - 1 };
  const high = 24, top = 22, second = top + x.length * high + 34, middle = top + 2.6 * high;
  const places = [[150, top], [150, second], [266, middle], [366, middle], [458, middle]].slice(0, values.length);
  const arrows = [
    ...feeds(x, weights.W_ih, 78, top, 150, top, high, lit.part === 0 ? lit.row : lit.part >= 2 ? lit.row : -1),
    ...feeds(h, weights.W_hh, 78, second, 150, second, high, lit.part === 1 ? lit.row : lit.part >= 2 ? lit.row : -1),
    ...values[0].flatMap((_, u) => sums(u, u === lit.row && lit.part >= 2, u === lit.row && lit.part >= 3, top, second, middle, high)),
  ];
  const inputs = [...column("x", x, 22, top, high, look, "input"), ...column("h", h, 22, second, high, look, "state")];
  const terms = values.flatMap((column, part) => column.flatMap((value, row) => term(view, part, row, value, places[part], high, lit, look)));
  const [litLeft, litTop] = places[lit.part];
  const mark = frame(litLeft - 1, litTop + lit.row * high, 60, high);
  const heads = places.map(([left, y], part) => label(left + 29, y - 7, view.parts[part].label, { "text-anchor": "middle" }));
  const bottom = second + h.length * high + 20;
  const legend = [
    line(22, bottom - 4, 62, bottom - 4), label(68, bottom, "weight above 0"),
    line(170, bottom - 4, 210, bottom - 4, { "stroke-dasharray": "5 3" }), label(216, bottom, "below 0"),
    label(280, bottom, "strong: in the framed number"),
  ];
  return {
    width: Math.max(places[places.length - 1][0] + 66, 560), height: bottom + 8, shapes: [...arrows, ...inputs, ...terms, ...mark, ...heads, ...legend],
    formula: formula(view, lit, values, x, h, weights, look),
  };
}

function weight(table, look) {
  return pick(table, table.axes.filter((axis) => !(axis in look.at)), look.at);
}

function column(name, values, left, top, high, look, palette) {
  return [
    label(left + 28, top - 7, name, { "text-anchor": "middle" }),
    ...values.flatMap((value, i) => cellOf(left, top + i * high + 1, 56, high - 2, value, 2, look.spec.colours[palette], look.spec.limits)),
    ...values.map((_, i) => label(left - 4, top + (i + 0.5) * high + 4, i, { "text-anchor": "end" })),
  ];
}

// Lines from each source to the rows it feeds; dashed where the weight is negative, strong where the row is lit.
function feeds(sources, W, from, y, to, Y, high, lit) {
  return W.flatMap((row, u) => row.flatMap((w, j) => (w === 0 ? [] : [line(from, y + (j + 0.5) * high, to, Y + (u + 0.5) * high, {
    "stroke-width": u === lit ? 1 + 2.5 * Math.min(1, Math.abs(w)) : 0.7, opacity: u === lit ? 1 : 0.3, ...(w < 0 ? { "stroke-dasharray": "5 3" } : {}),
  })])));
}

function sums(u, strong, onward, top, second, middle, high) {
  const style = (on) => ({ "stroke-width": on ? 3 : 0.7, opacity: on ? 1 : 0.3 });
  const y = middle + (u + 0.5) * high;
  return [
    line(208, top + (u + 0.5) * high, 266, y, style(strong)), line(208, second + (u + 0.5) * high, 266, y, style(strong)),
    line(324, y, 366, y, style(onward)),
  ];
}

function term(view, part, row, value, [left, top], high, lit, look) {
  const { digits } = look.tables[view.parts[part].table];
  const on = lit.part === part && lit.row === row;
  const button = {
    class: "hs-term", role: "button", tabindex: 0, "aria-pressed": on, "data-term": `${part} ${row}`, "data-lm-suppress-shortcuts": "true",
    "aria-label": `${view.parts[part].label}, ${look.label(view.rows)} ${row}: ${number(value, digits)}`,
  };
  return cellOf(left, top + row * high + 1, 58, high - 2, value, digits, look.spec.colours.state, look.spec.limits, button);
}

function formula(view, { part, row }, values, x, h, weights, look) {
  const head = `${view.parts[part].label}, ${look.label(view.rows)} ${row}: `;
  const product = (W, b, name, sources) => [...W[row].map((w, j) => [w, sources[j]]).filter(([w]) => w !== 0)
    .map(([w, value]) => `${number(w, 3)} × ${number(value, 2)}`), `${number(b[row], 3)} (${name})`].join(" + ");
  const result = number(values[part][row], 3);
  if (part === 0) return `${head}${product(weights.W_ih, weights.b_ih, "b_ih", x)} = ${result}`;
  if (part === 1) return `${head}${product(weights.W_hh, weights.b_hh, "b_hh", h)} = ${result}`;
  if (part === 2) return `${head}${number(values[0][row], 3)} + ${number(values[1][row], 3)} = ${result}`;
  return `${head}tanh(${number(values[2][row], 3)}) → ${result}`;
}
