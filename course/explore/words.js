// Numbers from tables and into sentences; words.py and views.py do the same for the still form.

const CERTAIN = 5;      // places of a float32 that are the same however its sum was added up

// Rounded first to the places that are certain, and then to those that are shown; halves away from zero, in whole numbers.
function number(value, digits) {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value < 0 ? "−∞" : "∞";
  if (Math.abs(value) >= 1e6) return value.toExponential(1).replaceAll("-", "−");
  const places = Math.max(digits, CERTAIN), unit = 10n ** BigInt(places - digits);
  const certain = BigInt(Math.abs(value).toFixed(places).replace(".", ""));
  const text = String((certain + unit / 2n) / unit).padStart(digits + 1, "0");
  const sign = value < 0 && /[1-9]/.test(text) ? "−" : "";
  return sign + (digits ? `${text.slice(0, -digits)}.${text.slice(-digits)}` : text);
}

function numbers(values, digits) {
  return Array.isArray(values) ? `[${values.map((value) => numbers(value, digits)).join(", ")}]` : number(values, digits);
}

// A table as the kernel sent it, with its bytes read as float32.
function unpacked({ axes, shape, digits, names, data }) {
  const bytes = data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength);
  return { axes, shape, digits, names, data: new Float32Array(bytes) };
}

// The numbers along the axes in `keep`; every other axis stands at its position in `at`.
function pick(table, keep, at) {
  const strides = table.shape.map((_, i) => table.shape.slice(i + 1).reduce((a, b) => a * b, 1));
  const start = table.axes.reduce((sum, axis, i) => sum + (keep.includes(axis) ? 0 : at[axis] * strides[i]), 0);
  const walk = (offset, [axis, ...rest]) => {
    if (axis === undefined) return table.data[offset];
    const i = table.axes.indexOf(axis);
    return Array.from({ length: table.shape[i] }, (_, n) => walk(offset + n * strides[i], rest));
  };
  return walk(start, keep);
}

function fill(template, look) {
  return template.replace(/\{(#?\w+)(:shape)?\}/g, (_, name, shape) => {
    if (name.startsWith("#")) return look.at[name.slice(1)];
    const control = look.controls[name];
    if (control) return control.texts[look.at[name]];
    const table = look.tables[name];
    const found = pick(table, table.axes.filter((axis) => !(axis in look.at)), look.at);
    if (shape) return `(${found.map((size) => number(size, 0)).join(", ")})`;
    return table.names?.length ? table.names[found] : numbers(found, table.digits);
  });
}

// The numbers of a part of a view, along those of the view's axes that its table has.
function partOf(view, part, look, axes = [view.rows, view.columns]) {
  const table = look.tables[part.table];
  return pick(table, axes.filter((axis) => table.axes.includes(axis)), look.at);
}

// The numbers of a view as text: a head, and rows that begin with their names.
function sheet(view, look) {
  const rows = view.rows ? look.names(view.rows) : [""];
  const head = [view.rows ? look.label(view.rows) : ""];
  const columns = [];
  for (const part of view.parts) {
    const table = look.tables[part.table];
    const wide = table.axes.includes(view.columns);
    const values = partOf(view, part, look, [view.columns, view.rows]);
    const name = fill(part.label, look), whose = view.parts.length > 1 ? `${name}, ` : "";
    head.push(...(wide ? look.names(view.columns).map((each) => `${whose}${look.label(view.columns)} ${each}`) : [name]));
    for (const column of wide ? values : [values]) {
      columns.push([column].flat().map((value) => number(value, table.digits)));
    }
  }
  return [head, rows.map((name, i) => [name, ...columns.map((column) => column[column.length === 1 ? 0 : i])])];
}
