// One function for each kind of view: what views.py described and the numbers at hand -> its size and its shapes.

const VIEWS = { grid: gridView, bars: barsView, lines: linesView, block: blockView, shares: sharesView, cell: cellView, points: pointsView };

function gridView(view, look) {
  const table = look.tables[view.parts[0].table];
  const panels = view.panels ? look.names(view.panels) : [""];
  const left = 26 + 7 * look.label(view.rows).length, top = view.panels ? 20 : 4, high = view.panels ? 19 : 25;
  const rows = look.names(view.rows), columns = look.names(view.columns);
  const step = rows.length * high + top + 4;
  const shapes = panels.flatMap((name, panel) => {
    const at = view.panels ? { ...look.at, [view.panels]: panel } : look.at;
    const values = pick(table, [view.rows, view.columns], at);
    const here = !view.panels || look.at[view.panels] === panel;
    return [
      ...(view.panels ? [label(left, panel * step + 14, `${look.label(view.panels)} ${name}`, { "font-weight": here ? 700 : 400 })] : []),
      ...cells(values, left, panel * step + top, view.width, high, table.digits, look, look.spec.colours[view.palette]),
      ...cursors(view, look, left, panel * step + top, high, rows.length, columns.length, here),
    ];
  });
  const bottom = panels.length * step;
  const heads = columns.map((name, j) => label(left + (j + 0.5) * view.width, bottom + 12, name, { "text-anchor": "middle" }));
  const sides = panels.flatMap((_, panel) => rows.map((name, i) => label(left - 6, panel * step + top + (i + 0.5) * high + 4, name, { "text-anchor": "end" })));
  const titles = [
    label(left + (columns.length * view.width) / 2, bottom + 28, look.label(view.columns), { "text-anchor": "middle" }),
    label(2, top + (rows.length * high) / 2 + 4, look.label(view.rows)),
  ];
  return { width: left + columns.length * view.width + 4, height: bottom + 34, shapes: [...shapes, ...heads, ...sides, ...titles] };
}

// A number alone wants the name of what it counts; a name stands by itself.
function named(look, axis, name) {
  return /^\d+$/.test(name) ? `${look.label(axis)} ${name}` : name;
}

function cells(values, left, top, wide, high, digits, look, stops) {
  return values.flatMap((row, i) =>
    row.flatMap((value, j) => cellOf(left + j * wide, top + i * high, wide, high, value, digits, stops, look.spec.limits)));
}

// A frame around the column and around the row at which a slider stands.
function cursors(view, look, left, top, high, rows, columns, here) {
  const shapes = [];
  if (view.columns in look.at) shapes.push(...frame(left + look.at[view.columns] * view.width, top, view.width, rows * high));
  if (view.rows in look.at && here) shapes.push(...frame(left, top + look.at[view.rows] * high, columns * view.width, high));
  return shapes;
}

function barsView(view, look) {
  const rows = look.names(view.rows).map((name) => named(look, view.rows, name)), [low, high] = view.limits;
  const left = Math.max(64, 14 + 7 * Math.max(...rows.map((name) => name.length))), wide = 220, tall = view.parts.length > 1 ? 34 : 26;
  const x = (value) => left + ((Math.min(high, Math.max(low, value)) - low) / (high - low)) * wide;
  const shapes = [line(x(0), 0, x(0), rows.length * tall, { "stroke-width": 1 })];
  view.parts.forEach((part, p) => {
    const { digits } = look.tables[part.table];
    partOf(view, part, look).forEach((value, i) => {
      const y = i * tall + (p === 0 ? 3 : 20), thick = p === 0 ? (view.parts.length > 1 ? 15 : 19) : 9;
      const length = Number.isNaN(value) ? 0 : Math.abs(x(value) - x(0));
      shapes.push(rect(Math.min(x(0), x(Number.isNaN(value) ? 0 : value)), y, length, thick, barStyle(view, p, value, look)));
      shapes.push(label(left + wide + 6 + (p ? 58 : 0), i * tall + 16, number(value, digits), { "font-weight": p ? 400 : 600 }));
    });
  });
  const names = rows.map((name, i) => label(left - 6, i * tall + 16, name, { "text-anchor": "end" }));
  const legend = view.parts.length > 1 ? view.parts.map((part, p) => label(left + wide + 6 + 58 * p, rows.length * tall + 12, part.label)) : [];
  return { width: left + wide + 60 + (view.parts.length > 1 ? 70 : 0), height: rows.length * tall + 18, shapes: [...shapes, ...names, ...legend] };
}

// Negative bars have a dashed outline, and the second part is hollow: colour is never alone.
function barStyle(view, part, value, look) {
  const colour = look.spec.colours[view.palette];
  const stop = Array.isArray(colour) ? colour[value < 0 ? 0 : 2] : colour;
  const dashes = value < 0 ? { "stroke-dasharray": "4 2" } : {};
  return { fill: stop, "fill-opacity": part ? 0 : value < 0 ? 0.6 : 1, stroke: "var(--hs-ink)", "stroke-width": 1, ...dashes };
}

function linesView(view, look) {
  const columns = look.names(view.columns), [low, high] = view.limits;
  const left = 40, top = 8, wide = 300, tall = 130;
  const x = (i) => left + (wide * i) / (columns.length - 1);
  const y = (value) => top + tall * (1 - (Math.min(high, Math.max(low, value)) - low) / (high - low));
  const shapes = [low, (low + high) / 2, high].flatMap((value) => [
    line(left, y(value), left + wide, y(value), { stroke: "var(--hs-faint)", "stroke-width": 0.5 }),
    label(left - 5, y(value) + 4, number(value, high < 1 ? 2 : 1), { "text-anchor": "end" }),
  ]);
  const traces = view.parts.flatMap((part) => {
    const values = partOf(view, part, look, [view.rows, view.columns]);
    return view.rows ? values.map((row, i) => [named(look, view.rows, look.names(view.rows)[i]), row]) : [[fill(part.label, look), values]];
  });
  const ends = spread(traces.map(([, row]) => y(row[row.length - 1]) + 4), 13);
  traces.forEach(([name, row], i) => {
    const points = row.map((value, j) => (Number.isNaN(value) ? "" : `${x(j)},${y(value)}`)).filter(Boolean).join(" ");
    shapes.push(["polyline", { points, fill: "none", "stroke-width": 2.4, ...LINES[i % LINES.length] }]);
    shapes.push(label(left + wide + 8, ends[i], name));
    if (view.noticed !== undefined) shapes.push(...dots(row, x, y, view.noticed, LINES[i % LINES.length].stroke));
  });
  if (view.columns in look.at) shapes.push(line(x(look.at[view.columns]), top, x(look.at[view.columns]), top + tall, { "stroke-width": 2 }));
  columns.forEach((name, i) => shapes.push(label(x(i), top + tall + 15, name, { "text-anchor": "middle" })));
  shapes.push(label(left + wide / 2, top + tall + 30, look.label(view.columns), { "text-anchor": "middle" }));
  return { width: left + wide + 120, height: top + tall + 36, shapes };
}

// A full dot where a value is above what counts as noticed, a hollow one where it is not.
function dots(row, x, y, noticed, stroke) {
  return row.map((value, j) => ["circle", { cx: x(j), cy: y(value), r: 3.2, stroke, "stroke-width": 1.5, fill: value > noticed ? stroke : "var(--jp-layout-color0, #fff)" }]);
}

// Heights of labels, moved apart where they would cover each other.
function spread(heights, gap) {
  const order = heights.map((_, i) => i).sort((a, b) => heights[a] - heights[b]);
  const moved = [...heights];
  order.forEach((i, place) => { if (place) moved[i] = Math.max(moved[i], moved[order[place - 1]] + gap); });
  const over = Math.max(0, Math.max(...moved) - 145);
  return moved.map((height) => height - over);
}

function blockView(view, look) {
  const sizes = partOf(view, view.parts[0], look), [sheets, rows, columns] = sizes;
  const [most, tallest, widest] = view.largest, side = 17, shift = 8;
  const names = look.names(view.columns);
  const ground = (most - 1) * shift + tallest * side;
  const shapes = [];
  for (let sheet = sheets - 1; sheet >= 0; sheet--) {
    const x = 4 + sheet * shift, y = 4 + (sheets - 1 - sheet) * shift;
    for (let i = 0; i < (sheet ? 1 : rows); i++) {
      for (let j = 0; j < (sheet ? 1 : columns); j++) {
        const size = sheet ? [columns * side, rows * side] : [side, side];
        shapes.push(rect(x + j * side, y + i * side, ...size, { fill: sheet ? "#ffffff" : "#d6e6f2", stroke: INK, "stroke-width": 1 }));
      }
    }
  }
  const edge = 4 + (most - 1) * shift + widest * side + 10;
  shapes.push(label(edge, 16, `(${sizes.join(", ")})`, { "font-weight": 700 }));
  sizes.forEach((size, i) => {
    shapes.push(label(edge, 40 + i * 36, `${size} ${["sheet", "row", "column"][i]}${size === 1 ? "" : "s"}:`));
    shapes.push(label(edge, 55 + i * 36, names[i], { "font-weight": 700 }));
  });
  return { width: edge + 170, height: ground + 12, shapes };
}

function sharesView(view, look) {
  const [share, ...rest] = view.parts, { colours: palette, limits } = look.spec;
  const rows = look.names(view.rows), columns = look.names(view.columns);
  const left = 52, top = 20, wide = 48, high = 28, digits = look.tables[share.table].digits;
  const edge = left + columns.length * wide;
  const shapes = cells(partOf(view, share, look), left, top, wide, high, digits, look, palette.state);
  columns.forEach((name, j) => shapes.push(label(left + (j + 0.5) * wide, 14, `${look.label(view.columns)} ${name}`, { "text-anchor": "middle" })));
  rest.forEach((part, p) => {
    const x = edge + 14 + p * (wide + 14), values = partOf(view, part, look, [view.rows]);
    shapes.push(label(x + wide / 2, 14, part.label, { "text-anchor": "middle", "font-weight": p ? 700 : 400 }));
    values.forEach((value, i) => {
      shapes.push(label(x - 7, top + (i + 0.5) * high + 4, p === 0 ? "+" : p === 1 ? "=" : "", { "text-anchor": "middle" }));
      shapes.push(rect(x, top + i * high + 3, wide, high - 6, { fill: "none", stroke: p ? palette.logits : "var(--hs-faint)", "stroke-width": p ? 2.5 : 1 }));
      shapes.push(label(x + wide / 2, top + (i + 0.5) * high + 4, number(value, digits), { "text-anchor": "middle", "font-weight": p ? 700 : 400 }));
    });
  });
  rows.forEach((name, i) => shapes.push(label(left - 6, top + (i + 0.5) * high + 4, named(look, view.rows, name), { "text-anchor": "end" })));
  return { width: edge + 14 + rest.length * (wide + 14), height: top + rows.length * high + 6, shapes };
}

// Marks on a map: the shape and the colour say the class, a hollow mark that the answer is another one.
function pointsView(view, look) {
  const [place, answer] = view.parts.map((part) => partOf(view, part, look, [view.rows, view.columns]));
  const [low, high] = view.limits, left = 22, top = 6, side = 300;
  const at = (value) => (side * (Math.min(high, Math.max(low, value)) - low)) / (high - low);
  const thin = { stroke: "var(--hs-faint)", "stroke-width": 0.5 };
  const shapes = [
    rect(left, top, side, side, { fill: "none", ...thin }),
    line(left, top + at(0), left + side, top + at(0), thin), line(left + at(0), top, left + at(0), top + side, thin),
  ];
  place.forEach(([x, y], i) => shapes.push(mark(view.classes[i], left + at(x), top + side - at(y), answer[i] === view.classes[i])));
  const edge = left + side + 18;
  const classes = [...new Set(view.classes)].sort();
  classes.forEach((c, i) => shapes.push(mark(c, edge, top + 20 + 24 * i, true), label(edge + 12, top + 24 + 24 * i, look.names("class")[c])));
  const hollow = top + 30 + 24 * classes.length;
  classes.forEach((c, i) => shapes.push(mark(c, edge + 18 * i, hollow, false)));
  shapes.push(label(edge - 7, hollow + 22, "wrong answer"));
  const [across, up] = look.names(view.columns);
  shapes.push(label(left + side / 2, top + side + 15, across, { "text-anchor": "middle" }));
  shapes.push(label(14, top + side / 2, up, { "text-anchor": "middle", transform: `rotate(-90 14 ${top + side / 2})` }));
  return { width: left + side + 130, height: top + side + 22, shapes };
}

function mark(kind, x, y, full) {
  const { stroke } = LINES[kind % LINES.length];
  const style = { stroke, "stroke-width": 1.8, fill: stroke, "fill-opacity": full ? 0.75 : 0 };
  if (kind === 0) return ["circle", { cx: x, cy: y, r: 5, ...style }];
  if (kind === 1) return rect(x - 4.5, y - 4.5, 9, 9, style);
  return ["polygon", { points: `${x},${y - 6} ${x - 5.5},${y + 4.5} ${x + 5.5},${y + 4.5}`, ...style }];
}
