// Drag one example of a minibatch and watch the others' outputs.
// data: x (one unit's pre-activations over the batch), running_mean, running_var, gamma, beta, eps.

function minibatch(figure, data) {
  const m = data.x.length;
  const original = batchStatistics(data.x);
  const spread = Math.sqrt(original.variance);
  const FAR = original.mean + 1000 * spread;

  const state = {
    mode: "train",
    chosen: data.x.indexOf(Math.max(...data.x)),
    value: Math.max(...data.x), // where the chosen example stands now; the others never leave
  };

  // The picture's frame stays put while the points move.
  const bound = Math.abs(data.gamma) * Math.sqrt(m - 1);
  const xDomain = padded([...data.x, original.mean - 4 * spread, original.mean + 6 * spread], 0);
  const yDomain = padded(
    [...outputs(data.x, "train"), ...outputs(data.x, "eval"), data.beta - 1.15 * bound, data.beta + 1.15 * bound],
    0.04,
  );

  function batchStatistics(x) {
    const mean = x.reduce((sum, v) => sum + v, 0) / m;
    const variance = x.reduce((sum, v) => sum + (v - mean) ** 2, 0) / m;
    return { mean, variance };
  }

  function statistics(x, mode) {
    return mode === "train"
      ? batchStatistics(x)
      : { mean: data.running_mean, variance: data.running_var };
  }

  function outputs(x, mode) {
    const { mean, variance } = statistics(x, mode);
    const scale = data.gamma / Math.sqrt(variance + data.eps);
    return x.map((v) => scale * (v - mean) + data.beta);
  }

  // ---- the picture ---------------------------------------------------------------------------

  const TOP = 64;
  const BOTTOM = 234;
  let toX, toY;

  const stage = figure.stage(290, (canvas, width) => {
    const edge = 22;
    toX = linear(xDomain, [edge, width - edge]);
    toY = linear(yDomain, [edge, width - edge]);
    const x = data.x.with(state.chosen, state.value);
    const before = outputs(data.x, state.mode);
    const y = outputs(x, state.mode);
    const count = width < 480 ? 5 : 9;

    const order = data.x.map((_, i) => i).filter((i) => i !== state.chosen).concat(state.chosen);
    canvas.replaceChildren(
      svg("text", { class: "bn-strong", x: edge, y: 16 }, "in: the unit\u2019s values x"),
      horizontalAxis(toX, TOP, { count, above: true }),
      horizontalAxis(toY, BOTTOM, { count }),
      svg("text", { class: "bn-strong", x: edge, y: BOTTOM + 46 }, "out: normalized, y"),
      ...order.map((i) => join(i, x[i], y[i])),
      ...limits(width),
      ...order.map((i) => ring(i, before[i])),
      ...order.flatMap((i) => [point(i, x[i], toX, TOP, "x"), point(i, y[i], toY, BOTTOM, "y")]),
    );
  });

  const colour = (i) => (i === state.chosen ? "var(--bn-vermilion)" : "var(--bn-blue)");

  function join(i, x, y) {
    const chosen = i === state.chosen;
    return svg("line", {
      x1: toX.clamped(x), y1: TOP, x2: toY.clamped(y), y2: BOTTOM,
      stroke: colour(i), "stroke-width": chosen ? 2 : 1.2, "stroke-opacity": chosen ? 1 : 0.5,
    });
  }

  /** Where the output was before anything moved. */
  function ring(i, y) {
    return svg("circle", {
      cx: toY.clamped(y), cy: BOTTOM, r: i === state.chosen ? 7 : 4.5,
      fill: "var(--bn-card)", stroke: "var(--bn-soft)", "stroke-width": 1.2,
    });
  }

  function point(i, value, scale, height, axis) {
    const chosen = i === state.chosen;
    const marks = { fill: colour(i), stroke: "var(--bn-card)", "stroke-width": 1, class: axis === "x" ? "bn-handle" : null };
    marks["data-index"] = i;
    marks[`data-${axis}`] = value;
    if (chosen) marks["data-chosen"] = true;
    const [low, high] = scale.domain;
    if (value >= low && value <= high) {
      return svg("circle", { cx: scale(value), cy: height, r: chosen ? 8.5 : 4.5, ...marks });
    }
    // Beyond the axis: an arrowhead at its end.
    const way = value > high ? 1 : -1;
    const d = `M${scale.clamped(value) + 13 * way} ${height}l${-17 * way} -9v18z`;
    return svg("path", { d, ...marks });
  }

  /** No output of a training batch can pass these, however far an example goes. */
  function limits(width) {
    if (state.mode !== "train") return [];
    const formula = (sign) =>
      width < 480 ? "limit" : `limit \u03b2 ${sign < 0 ? "\u2212" : "+"} |\u03b3|\u221a(m\u22121)`;
    return [-1, 1].flatMap((sign) => {
      const at = toY(data.beta + sign * bound);
      return [
        svg("path", { d: `M${at} ${BOTTOM - 30}v36`, stroke: "var(--bn-soft)", "stroke-dasharray": "4 3", fill: "none" }),
        svg("text", { x: at, y: BOTTOM - 36, "text-anchor": "middle" }, formula(sign)),
      ];
    });
  }

  // ---- the controls --------------------------------------------------------------------------

  const names = data.x.map((_, i) => `example ${i + 1}`);
  const picker = figure.picker("Example to move", names, {
    value: state.chosen,
    change: (i) => choose(i),
  });
  const step = niceStep(xDomain[1] - xDomain[0], 200);
  const slider = figure.slider("Its value x", {
    min: tidy(Math.floor(xDomain[0] / step) * step),
    max: tidy(Math.ceil(xDomain[1] / step) * step),
    step,
    input: (value) => moveTo(value),
  });
  const mode = figure.choice("Mode", { train: "train", eval: "eval" }, {
    value: state.mode,
    change: (value) => {
      state.mode = value;
      update();
    },
  });

  figure.legend(
    [svg("circle", { cx: 7, cy: 7, r: 6.5, fill: "var(--bn-vermilion)" }), "the example you move"],
    [svg("circle", { cx: 7, cy: 7, r: 4.5, fill: "var(--bn-blue)" }), "its batch-mates"],
    [svg("circle", { cx: 7, cy: 7, r: 4.5, fill: "none", stroke: "var(--bn-soft)", "stroke-width": 1.3 }), "outputs before the move"],
  );
  figure.controls(mode, picker.element, slider.element);
  figure.controls(
    figure.button("Put it back", () => glideTo(data.x[state.chosen])),
    figure.button("Send it far away", () => glideTo(FAR)),
  );
  const show = figure.readouts({ mean: "mean", sd: "sd", own: "its own output", moved: "" });

  draggable(stage.element, {
    grab(px, py, reach) {
      if (Math.abs(py - TOP) > reach) return false;
      const distance = (i) => Math.abs(toX.clamped(i === state.chosen ? state.value : data.x[i]) - px);
      let nearest = state.chosen;
      if (distance(nearest) > reach) {
        for (let i = 0; i < m; i++) if (distance(i) < distance(nearest)) nearest = i;
      }
      if (distance(nearest) > reach) return false;
      if (nearest !== state.chosen) choose(nearest);
      return true;
    },
    move: (px) => moveTo(toX.invert(Math.min(toX(xDomain[1]), Math.max(toX(xDomain[0]), px)))),
  });

  let journey = 0;

  function choose(i) {
    journey += 1;
    state.chosen = i;
    state.value = data.x[i];
    update();
  }

  function moveTo(value) {
    journey += 1; // a hand on the point ends any glide
    state.value = value;
    update();
  }

  function glideTo(target) {
    const mine = ++journey;
    const [low, high] = xDomain;
    const seen = Math.min(high * 1.02, Math.max(low, state.value)); // the way beyond the axis is not drawn
    const visible = Math.min(high * 1.02, target);
    glide(seen, visible, (value, last) => {
      if (mine !== journey) return false;
      state.value = last ? target : value;
      update();
    });
  }

  // ---- what it says --------------------------------------------------------------------------

  function update() {
    const x = data.x.with(state.chosen, state.value);
    const { mean, variance } = statistics(x, state.mode);
    const before = outputs(data.x, state.mode);
    const y = outputs(x, state.mode);
    const moved = Math.max(...y.map((v, i) => (i === state.chosen ? 0 : Math.abs(v - before[i]))));

    figure.root.dataset.mode = state.mode;
    stage.paint();
    picker.set(state.chosen);
    slider.set(state.value);
    const source = state.mode === "train" ? "of this batch" : "stored";
    show("mean", mean, { name: `mean, ${source}` });
    show("sd", Math.sqrt(variance), { name: `sd, ${source}` });
    show("own", y[state.chosen], { name: "the moved example\u2019s output" });
    show("moved", moved, { name: "largest move of a batch-mate\u2019s output" });
    figure.say(words(state.value - data.x[state.chosen], y[state.chosen], moved));
  }

  function words(shift, own, moved) {
    const who = `example ${state.chosen + 1}`;
    if (Math.abs(shift) < 1e-12) {
      return `Nothing has moved yet. Drag the large point on the upper line, or use the slider, to move ${who}.`;
    }
    if (state.mode === "eval") {
      return `Eval: ${who} moved by ${format(shift)}, and no other output moved at all. Each output depends on its own x alone.`;
    }
    const tail = Math.abs(own - data.beta) > 0.97 * bound
      ? " It is at its limit, and its batch-mates are squeezed together."
      : "";
    return `Train: ${who} moved by ${format(shift)}; a batch-mate that nobody touched moved by up to ${format(moved)}.${tail}`;
  }

  update();
}

/** The smallest interval around the values, widened by a share of itself on both sides. */
function padded(values, share) {
  const low = Math.min(...values);
  const high = Math.max(...values);
  const pad = share * (high - low);
  return [low - pad, high + pad];
}
