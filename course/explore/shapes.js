// Numbers in, SVG out: a shape is [tag, attributes, text]. Colours and dashes that mean the same in every view.

const SVG = "http://www.w3.org/2000/svg";
const INK = "#1f2328";
const LINES = [
  { stroke: "var(--hs-line-0)" },
  { stroke: "var(--hs-line-1)", "stroke-dasharray": "7 3" },
  { stroke: "var(--hs-line-2)", "stroke-dasharray": "2 3" },
  { stroke: "var(--hs-line-3)", "stroke-dasharray": "9 3 2 3" },
];

// Make the children of an element equal to these shapes, and touch only what is different: a drag stays
// fast, and what has the keyboard's focus keeps it.
function patch(parent, shapes) {
  shapes.forEach(([tag, attributes, text], i) => {
    let node = parent.childNodes[i];
    if (!node || node.tagName !== tag) {
      const fresh = Object.assign(document.createElementNS(SVG, tag), { drawn: {} });
      if (node) parent.replaceChild(fresh, node);
      else parent.append(fresh);
      node = fresh;
    }
    for (const name of Object.keys(node.drawn)) if (!(name in attributes)) node.removeAttribute(name);
    for (const [name, value] of Object.entries(attributes)) if (node.drawn[name] !== value) node.setAttribute(name, value);
    node.drawn = attributes;
    if (node.textContent !== (text ?? "")) node.textContent = text ?? "";
  });
  while (parent.childNodes.length > shapes.length) parent.lastChild.remove();
}

function mixed(from, to, share) {
  const channel = (colour, i) => parseInt(colour.slice(1 + 2 * i, 3 + 2 * i), 16);
  return [0, 1, 2].map((i) => Math.round(channel(from, i) + (channel(to, i) - channel(from, i)) * share));
}

// The colour of a value between fixed limits, centred on zero, and an ink that can be read on it.
function colours(value, stops, [low, high]) {
  if (Number.isNaN(value)) return { fill: "#ffd33d", ink: INK };
  const share = Math.min(1, Math.abs(value) / (value < 0 ? -low : high));
  const [r, g, b] = mixed(stops[1], value < 0 ? stops[0] : stops[2], share);
  return { fill: `rgb(${r},${g},${b})`, ink: 0.299 * r + 0.587 * g + 0.114 * b < 128 ? "#ffffff" : INK };
}

function rect(x, y, width, height, attributes) {
  return ["rect", { x, y, width, height, ...attributes }];
}

function label(x, y, text, attributes = {}) {
  return ["text", { x, y, ...attributes }, text];
}

// A coloured cell with its number.
function cellOf(x, y, width, height, value, digits, stops, limits, attributes = {}) {
  const { fill, ink } = colours(value, stops, limits);
  return [
    rect(x, y, width, height, { fill, stroke: "var(--hs-faint)", "stroke-width": 0.8, ...attributes }),
    label(x + width / 2, y + height / 2 + 4, number(value, digits), { "text-anchor": "middle", style: `fill:${ink}`, "pointer-events": "none" }),
  ];
}

// Around cells, which are light in every theme: dark on light within a light edge, so that it can be seen on either ground.
function frame(x, y, width, height) {
  const plain = { fill: "none", "pointer-events": "none" };
  return [rect(x, y, width, height, { ...plain, stroke: "#ffffff", "stroke-width": 5 }), rect(x, y, width, height, { ...plain, stroke: INK, "stroke-width": 2.5 })];
}

function line(x1, y1, x2, y2, attributes = {}) {
  return ["line", { x1, y1, x2, y2, stroke: "var(--hs-ink)", ...attributes }];
}
