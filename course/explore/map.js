// The map of the story: the hive in the middle, three places around it, and where the bee points.

VIEWS.map = mapView;

function mapView(view, look) {
  const glances = partOf(view, view.parts[0], look), step = look.at[view.step];
  const leader = pick(look.tables[view.leader], [], look.at), names = look.names(view.places);
  const half = 130, left = 6, reach = 2.6, faint = { stroke: "var(--hs-faint)", "stroke-width": 0.5 };
  const x = (east) => left + half + (half * Math.max(-reach, Math.min(reach, east))) / reach;
  const y = (north) => left + half - (half * Math.max(-reach, Math.min(reach, north))) / reach;
  const ink = { fill: "var(--hs-ink)" }, [east, north] = glances[step];
  const places = names.flatMap((name, i) => {
    const angle = (2 * Math.PI * i) / names.length, [px, py] = [x(2.1 * Math.cos(angle)), y(2.1 * Math.sin(angle))];
    const said = leader === i;
    return [
      mark(i, px, py, said),
      label(px, py < y(0.5) ? py - 16 : py + 23, name, { "text-anchor": "middle", "font-weight": said ? 700 : 400 }),
      ["circle", { cx: px, cy: py, r: said ? 11 : 0, fill: "none", stroke: "var(--hs-ink)", "stroke-width": 2 }],
    ];
  });
  const before = glances.slice(0, Math.min(step, glances.length - 1)).map((glance) => ["circle", { cx: x(glance[0]), cy: y(glance[1]), r: 2.5, fill: "var(--hs-faint)" }]);
  const asked = step === glances.length - 1;
  const now = asked
    ? [label(x(0), y(0) - 12, "where?", { "text-anchor": "middle", "font-weight": 700 })]
    : [line(x(0), y(0), x(east), y(north), { "stroke-width": 2.5 }), ["circle", { cx: x(east), cy: y(north), r: 5, ...ink }]];
  return {
    width: 2 * half + 2 * left,
    height: 2 * half + 2 * left,
    shapes: [
      rect(left, left, 2 * half, 2 * half, { fill: "none", ...faint }),
      ...before, ["circle", { cx: x(0), cy: y(0), r: 3.5, ...ink }], ...now,
      label(x(0) + 7, y(0) + 15, "hive"), ...places,
      label(left + 8, left + 17, "↑ north"),
    ],
  };
}
