// Which nets train: test accuracy by learning rate and depth, without a norm and with batch norm.
// data: pairs (activation, initialization), norms (2), depths, rates, steps, seeds; median, low and
// high over seeds, in per cent, by pair, norm, depth and rate; start (pair, depth and rate).

function trainability(figure, data) {
  const HALF = 50; // a net that gets half of the digits right has begun to train
  const state = { ...data.start };
  const percent = (value, decimals = 1) => `${format(value, decimals)}\u00a0%`;
  const layers = (depth) => (depth === 1 ? "1 hidden layer" : `${depth} hidden layers`);

  const at = (table, norm) => table[state.pair][norm][state.depth][state.rate];
  /** Over all learning rates, for the chosen net and depth. */
  const best = (norm) => Math.max(...data.median[state.pair][norm][state.depth]);
  const trained = (norm) =>
    data.median[state.pair][norm][state.depth].filter((value) => value >= HALF).length;

  // ---- the controls ----------------------------------------------------------------------------

  const picker = figure.picker("Activation and initialization", data.pairs.map((pair) => pair.join(", ")), {
    value: state.pair,
    change: (pair) => go({ pair }),
  });
  const rate = figure.slider("Learning rate", {
    min: 0, max: data.rates.length - 1, step: 1,
    show: (i) => String(data.rates[i]),
    input: (i) => go({ rate: i }),
  });
  const depth = figure.slider("Hidden layers", {
    min: 0, max: data.depths.length - 1, step: 1,
    show: (i) => String(data.depths[i]),
    input: (i) => go({ depth: i }),
  });
  figure.controls(picker.element, rate.element, depth.element);

  // ---- the picture: a map without, a map with ----------------------------------------------------

  const ROW = 30;
  const LEFT = 30;
  const TOP = 26; // above each map
  const HEIGHT = data.depths.length * ROW;
  const GAP = 20; // between them
  const top = (norm) => TOP + norm * (HEIGHT + TOP + GAP);
  const BOTTOM = top(1) + HEIGHT;
  let column; // a cell's width

  const stage = figure.stage(BOTTOM + 44, (canvas, width) => {
    column = (width - LEFT - 2) / data.rates.length;
    canvas.replaceChildren(
      ...data.norms.flatMap((name, norm) => [
        svg("text", { class: "bn-strong", x: 0, y: top(norm) - 10 }, `${name}: test accuracy, %`),
        ...data.depths.flatMap((layers, row) => [
          svg("text", { x: LEFT - 8, y: top(norm) + (row + 0.5) * ROW + 4, "text-anchor": "end" }, String(layers)),
          ...data.rates.map((_, i) => cell(norm, row, i)),
        ]),
        chosen(norm),
      ]),
      ...data.rates.flatMap((value, i) => (every(i) ? [tick(value, i)] : [])),
      svg("text", { x: LEFT + (width - LEFT) / 2, y: BOTTOM + 40, "text-anchor": "middle" }, "learning rate; rows: hidden layers"),
    );
  });

  /** On a narrow screen only every other rate is written out: the whole powers of ten. */
  const every = (i) => column > 44 || i % 2 === 0;

  function tick(value, i) {
    return svg("text", { x: LEFT + (i + 0.5) * column, y: BOTTOM + 18, "text-anchor": "middle" }, String(value));
  }

  function cell(norm, row, i) {
    const value = data.median[state.pair][norm][row][i];
    const x = LEFT + i * column;
    const y = top(norm) + row * ROW;
    return svg(
      "g",
      { "data-norm": norm, "data-depth": row, "data-rate": i, "data-value": value, style: "cursor: pointer" },
      svg("rect", {
        x: x + 1, y: y + 1, width: column - 2, height: ROW - 2, rx: 3,
        fill: "var(--bn-blue)", "fill-opacity": (0.04 + 0.0076 * value).toFixed(4),
        stroke: "var(--bn-line)", "stroke-width": 0.8,
      }),
      svg("text", { class: value >= HALF ? "bn-strong" : "", x: x + column / 2, y: y + ROW / 2 + 4.5, "text-anchor": "middle" }, format(value, 0)),
    );
  }

  const chosen = (norm) =>
    svg("rect", {
      x: LEFT + state.rate * column, y: top(norm) + state.depth * ROW, width: column, height: ROW, rx: 4,
      fill: "none", stroke: "var(--bn-vermilion)", "stroke-width": 3, "data-chosen": norm,
    });

  const clamp = (value, length) => Math.min(length - 1, Math.max(0, Math.floor(value)));
  function hit(px, py) {
    const norm = py < top(1) - TOP ? 0 : 1;
    go({
      rate: clamp((px - LEFT) / column, data.rates.length),
      depth: clamp((py - top(norm)) / ROW, data.depths.length),
    });
  }
  draggable(stage.element, {
    grab(px, py) {
      const inside = (norm) => py >= top(norm) && py < top(norm) + HEIGHT;
      if (px < LEFT || !(inside(0) || inside(1))) return false;
      hit(px, py);
      return true;
    },
    move: hit,
  });

  // ---- numbers and words -----------------------------------------------------------------------

  const show = figure.readouts({
    without: `${data.norms[0]}, %`, with: `${data.norms[1]}, %`,
    "best-without": `${data.norms[0]}, best rate, %`, "best-with": `${data.norms[1]}, best rate, %`,
  });

  function go(change) {
    Object.assign(state, change);
    update();
  }

  function update() {
    for (const name of ["pair", "depth", "rate"]) figure.root.dataset[name] = state[name];
    stage.paint();
    picker.set(state.pair);
    rate.set(state.rate);
    depth.set(state.depth);
    ["without", "with"].forEach((key, norm) => {
      show(key, at(data.median, norm), { decimals: 1 });
      show(`best-${key}`, best(norm), { decimals: 1 });
    });
    figure.say(words());
  }

  function words() {
    const net = `${data.pairs[state.pair].join(", ")}, ${layers(data.depths[state.depth])}`;
    const scores = data.norms.map((name, norm) => {
      const range = `${format(at(data.low, norm), 1)} to ${format(at(data.high, norm), 1)} over ${data.seeds} seeds`;
      return `${name} ${percent(at(data.median, norm))} (${range})`;
    });
    const counts = data.norms.map((name, norm) => `${name} ${trained(norm) || "none"}`);
    return `${net}, learning rate ${data.rates[state.rate]}: ${scores.join(", ")}. Learning rates, of ${data.rates.length}, that get half of the digits right: ${counts.join(", ")}.`;
  }

  update();
}
