// Slide two domains apart and watch one stored Gaussian fit neither.
// data: strengths (K); unit (words); eps; bin (a bin's width, in units of each sample's own sd);
// a and b: mean, sd (K each) and counts (K rows of bins, symmetric around the mean);
// stored: mean, var (K each); accuracy: for each kind of run median, low and high (K each).

function domains(figure, data) {
  const last = data.strengths.length - 1;
  const runs = Object.keys(data.accuracy);
  const RUN_STYLES = [
    { colour: "var(--bn-green)", mark: "square" },
    { colour: "var(--bn-ink)", mark: "circle", width: 2.4 },
    { colour: "var(--bn-purple)", mark: "diamond", dash: "6 4" },
  ];
  const PARTS = [
    { key: "a", letter: "A", colour: "var(--bn-blue)" },
    { key: "b", letter: "B", colour: "var(--bn-vermilion)" },
  ];

  // `own` is how far the lower picture has gone from the stored statistics (0) to each batch's own (1).
  const state = { stop: 0, mode: "stored", own: 0 };

  // ---- what batch norm makes of a domain -------------------------------------------------------

  /** Before batch norm. */
  function before(key, stop) {
    return { mean: data[key].mean[stop], sd: data[key].sd[stop] };
  }

  function stored(stop) {
    return { mean: data.stored.mean[stop], sd: Math.sqrt(data.stored.var[stop]) };
  }

  /** Mean and sd after batch norm, by the stored statistics or by the batch's own. */
  function after(key, stop, mode) {
    const { mean, sd } = before(key, stop);
    const used = mode === "stored" ? stored(stop) : { mean, sd };
    const root = Math.sqrt(used.sd ** 2 + data.eps);
    return { mean: (mean - used.mean) / root, sd: sd / root };
  }

  /** The same on the way from one mode to the other. */
  function outcome(key, stop) {
    const [from, to] = ["stored", "own"].map((mode) => after(key, stop, mode));
    const between = (name) => from[name] + (to[name] - from[name]) * state.own;
    return { mean: between("mean"), sd: between("sd") };
  }

  /** Which of a sample's bins hold anything: from the first up to, not including, the second. */
  function filled(key, stop) {
    const counts = data[key].counts[stop];
    return [counts.findIndex((count) => count > 0), counts.findLastIndex((count) => count > 0) + 1];
  }

  /** Where the edge number i of a sample's bins lies, given its mean and sd. */
  function edge(i, key, { mean, sd }) {
    return mean + (i - data[key].counts[0].length / 2) * data.bin * sd;
  }

  /** The bins' heights, where a Gaussian of the same mean and sd has its peak at 1. */
  function heights(key, stop) {
    const counts = data[key].counts[stop];
    const total = counts.reduce((sum, count) => sum + count, 0);
    return counts.map((count) => (count / total / data.bin) * Math.sqrt(2 * Math.PI));
  }

  // The picture's frames stay put while the dial turns: every value at every stop fits in.
  const stops = data.strengths.map((_, stop) => stop);
  const everywhere = (values) =>
    stops.flatMap((stop) => PARTS.flatMap(({ key }) => values(key, stop)));
  const ends = (key, stop, place) => filled(key, stop).map((i) => edge(i, key, place));
  const hull = (...values) => [Math.min(...values), Math.max(...values)];
  const inDomain = hull(
    ...everywhere((key, stop) => ends(key, stop, before(key, stop))),
    ...stops.map(stored).flatMap(({ mean, sd }) => [mean - 3 * sd, mean + 3 * sd]),
  );
  const outDomain = hull(
    ...everywhere((key, stop) => ends(key, stop, after(key, stop, "stored"))),
    ...everywhere((key, stop) => ends(key, stop, after(key, stop, "own"))),
    -3,
    3,
  );
  const highest = Math.max(1, ...everywhere(heights));
  const lowest = Math.min(...runs.flatMap((name) => data.accuracy[name].low));
  const accuracyStep = niceStep(Math.max(1, 100 - lowest), 4);
  const accuracyDomain = [Math.min(Math.floor(lowest / accuracyStep) * accuracyStep, 100 - accuracyStep), 100];
  // Each letter keeps to its side of its shape, the one where the other domain is not.
  const side = data.a.mean[last] <= data.b.mean[last] ? { a: -1, b: 1 } : { a: 1, b: -1 };

  // ---- the controls, above the picture, so that hand and eye fit on a phone's screen -------------

  const decimals = Math.max(...data.strengths.map((s) => (String(tidy(s)).split(".")[1] ?? "").length));
  const slider = figure.slider("Strength: how far B is from A", {
    min: 0, max: last, step: 1,
    show: (stop) => format(data.strengths[stop], Math.min(decimals, 3)),
    input: (stop) => goTo(stop),
  });
  const choice = figure.choice("Normalize by", {
    stored: "stored statistics (evaluation)",
    own: "each batch\u2019s own (training)",
  }, { value: state.mode, change: (mode) => switchTo(mode) });
  figure.controls(slider.element, choice);

  // ---- the picture ---------------------------------------------------------------------------

  const PANEL = 108; // height of a picture of distributions
  const UPPER = 142;
  const LOWER = 316;
  const EDGE = 8;
  let chart; // where the accuracies are drawn, and its scales

  const stage = figure.stage(LOWER, (canvas, width) => {
    // Side by side where there is room, else one below the other.
    const narrow = width < 560;
    const right = narrow ? width - EDGE : 0.57 * width;
    const height = LOWER + (narrow ? 270 : 40);
    canvas.setAttribute("height", height);
    canvas.setAttribute("viewBox", `0 0 ${width} ${height}`);
    chart = narrow
      ? { left: 34, right, top: LOWER + 84, bottom: LOWER + 226 }
      : { left: right + 62, right: width - EDGE, top: 34, bottom: LOWER };
    const toIn = linear(inDomain, [EDGE, right]);
    const toOut = linear(outDomain, [EDGE, right]);
    const count = narrow ? 5 : 7;

    canvas.replaceChildren(
      svg("text", { class: "bn-strong", x: 0, y: 14 }, `in: ${data.unit}`),
      ...PARTS.map((part) => shape(part, before(part.key, state.stop), toIn, UPPER, "in")),
      ...usedGaussians(toIn),
      ...PARTS.map((part) => letter(part, before(part.key, state.stop), toIn, UPPER)),
      horizontalAxis(toIn, UPPER, { count }),
      svg("text", { class: "bn-strong", x: 0, y: LOWER - PANEL - 20 }, "out: normalized"),
      ...PARTS.map((part) => shape(part, outcome(part.key, state.stop), toOut, LOWER, "out")),
      gaussian({ mean: 0, sd: 1 }, toOut, LOWER, { stroke: "var(--bn-ink)", "stroke-width": 1.6, "stroke-dasharray": "4 3" }),
      ...PARTS.map((part) => letter(part, outcome(part.key, state.stop), toOut, LOWER)),
      horizontalAxis(toOut, LOWER, { count }),
      ...accuracies(),
    );
  });

  const peak = PANEL / highest;

  /** A domain's histogram, as high as a Gaussian of its mean and sd would be. */
  function shape({ key, colour }, place, scale, base, where) {
    const [first, end] = filled(key, state.stop);
    const x = (i) => scale(edge(i, key, place)).toFixed(2);
    const steps = heights(key, state.stop)
      .slice(first, end)
      .map((height, i) => `V${(base - height * peak).toFixed(2)}H${x(first + i + 1)}`);
    return svg("path", {
      d: `M${x(first)} ${base}${steps.join("")}V${base}Z`,
      fill: colour, "fill-opacity": 0.28, stroke: colour, "stroke-width": 1.4, "stroke-linejoin": "round",
      "data-domain": key, "data-where": where,
    });
  }

  function gaussian({ mean, sd }, scale, base, look) {
    const [low, high] = scale.domain.map((end) => (end - mean) / sd);
    const points = Array.from({ length: 81 }, (_, i) => {
      const z = Math.min(high, Math.max(low, (i - 40) / 10)); // none of it leaves the frame
      return `${scale(mean + z * sd).toFixed(2)} ${(base - peak * Math.exp((-z * z) / 2)).toFixed(2)}`;
    });
    return svg("path", { d: `M${points.join("L")}`, fill: "none", "stroke-linejoin": "round", ...look });
  }

  /** The Gaussians that the outputs are normalized by; the stored one stays, faintly, when unused. */
  function usedGaussians(scale) {
    const used = state.mode === "stored";
    const line = gaussian(stored(state.stop), scale, UPPER, {
      stroke: used ? "var(--bn-ink)" : "var(--bn-soft)",
      "stroke-width": used ? 2.6 : 1.2,
      "data-stored": used ? "used" : "unused",
    });
    if (used) return [line];
    const own = PARTS.map(({ key, colour }) =>
      gaussian(before(key, state.stop), scale, UPPER, { stroke: colour, "stroke-width": 2.6 }),
    );
    return [line, ...own];
  }

  function letter({ key, letter, colour }, { mean, sd }, scale, base) {
    const way = side[key];
    return svg(
      "text",
      {
        x: scale(mean + 1.15 * way * sd) + 7 * way, y: base - 0.52 * peak,
        "text-anchor": way < 0 ? "end" : "start",
        style: `fill: ${colour}; font-size: 19px; font-weight: 700`,
      },
      letter,
    );
  }

  // ---- the accuracies ------------------------------------------------------------------------

  function accuracies() {
    chart.x = linear([data.strengths[0], data.strengths[last]], [chart.left + 8, chart.right - 8]);
    chart.y = linear(accuracyDomain, [chart.bottom, chart.top + 8]);
    const here = chart.x(data.strengths[state.stop]);
    return [
      svg("text", { class: "bn-strong", x: chart.left - 32, y: chart.top - 20 }, "accuracy in evaluation, %"),
      ...ticks(accuracyDomain, (100 - accuracyDomain[0]) / accuracyStep).flatMap((value) => [
        svg("path", { d: `M${chart.left} ${chart.y(value)}H${chart.right}`, stroke: "var(--bn-line)", "stroke-width": 1 }),
        svg("text", { x: chart.left - 6, y: chart.y(value) + 4, "text-anchor": "end", "data-tick": value }, format(value, accuracyStep < 1 ? 1 : 0)),
      ]),
      svg("path", { d: `M${here} ${chart.top}V${chart.bottom}`, stroke: "var(--bn-soft)", "stroke-width": 1.2, "data-now": state.stop }),
      ...runs.map(band),
      ...runs.map(curve),
      ...runs.flatMap((name, i) => stops.map((stop) => point(name, i, stop))),
      horizontalAxis(chart.x, chart.bottom, { count: 5 }),
      svg("text", { x: (chart.left + chart.right) / 2, y: chart.bottom + 37, "text-anchor": "middle" }, "strength"),
      // The whole chart can be taken hold of.
      svg("rect", {
        x: chart.left, y: chart.top, width: chart.right - chart.left, height: chart.bottom - chart.top,
        fill: "transparent", style: "cursor: ew-resize", "data-chart": true,
      }),
    ];
  }

  const place = (stop, value) => `${chart.x(data.strengths[stop])} ${chart.y(value)}`;

  function band(name, i) {
    const { low, high } = data.accuracy[name];
    const edge = [...stops.map((s) => place(s, high[s])), ...stops.map((s) => place(s, low[s])).reverse()];
    return svg("path", { d: `M${edge.join("L")}Z`, fill: RUN_STYLES[i].colour, "fill-opacity": 0.14 });
  }

  function curve(name, i) {
    const { colour, width = 1.6, dash } = RUN_STYLES[i];
    const d = `M${stops.map((stop) => place(stop, data.accuracy[name].median[stop])).join("L")}`;
    return svg("path", { d, fill: "none", stroke: colour, "stroke-width": width, "stroke-dasharray": dash, "stroke-linejoin": "round" });
  }

  function point(name, i, stop) {
    const now = stop === state.stop;
    const value = data.accuracy[name].median[stop];
    const node = mark(i, chart.x(data.strengths[stop]), chart.y(value), now ? 5.5 : 2.6);
    node.dataset.run = name;
    node.dataset.stop = stop;
    node.dataset.value = value;
    return node;
  }

  /** A run's own sign, so that colour is not needed to tell them apart. */
  function mark(i, x, y, r) {
    const { colour, mark } = RUN_STYLES[i];
    const solid = { fill: colour, stroke: "var(--bn-card)", "stroke-width": 1 };
    if (mark === "circle") return svg("circle", { cx: x, cy: y, r, ...solid });
    if (mark === "square") return svg("rect", { x: x - r * 0.9, y: y - r * 0.9, width: 1.8 * r, height: 1.8 * r, ...solid });
    // Hollow, because it often lies on the square.
    const half = r * 1.2;
    const d = `M${x - half} ${y}l${half} ${-half}l${half} ${half}l${-half} ${half}z`;
    return svg("path", { d, fill: "none", stroke: colour, "stroke-width": 1.7 });
  }

  // ---- what it means, and numbers ----------------------------------------------------------------

  const block = (colour) =>
    svg("rect", { x: 0.7, y: 1.7, width: 12.6, height: 11, fill: colour, "fill-opacity": 0.3, stroke: colour, "stroke-width": 1.4 });
  const bump = "M0 13C5 13 4 1.5 7 1.5S9 13 14 13";
  figure.legend(
    [block("var(--bn-blue)"), "domain A"],
    [block("var(--bn-vermilion)"), "domain B"],
    [svg("path", { d: bump, fill: "none", stroke: "var(--bn-ink)", "stroke-width": 2 }), "stored mean and variance"],
    [svg("path", { d: bump, fill: "none", stroke: "var(--bn-ink)", "stroke-width": 1.4, "stroke-dasharray": "3 2" }), "what is promised: mean 0, sd 1"],
    ...runs.map((name, i) => [mark(i, 7, 7.5, 5), name]),
  );

  const show = figure.readouts({
    "stored-mean": "stored mean", "stored-sd": "stored sd",
    "a-mean": "A out: mean", "a-sd": "A out: sd", "b-mean": "B out: mean", "b-sd": "B out: sd",
  });
  // Narrower cells than usual, so that the six stand in one row or in pairs.
  figure.body.lastElementChild.style.gridTemplateColumns = "repeat(auto-fit, minmax(6rem, 1fr))";
  const showAccuracy = figure.readouts(
    Object.fromEntries(runs.map((name, i) => [`accuracy-${i}`, `${name}, %`])),
  );

  const nearest = (px) => {
    const gap = (stop) => Math.abs(chart.x(data.strengths[stop]) - px);
    return stops.reduce((best, stop) => (gap(stop) < gap(best) ? stop : best));
  };
  draggable(stage.element, {
    grab(px, py) {
      if (px < chart.left || px > chart.right || py < chart.top || py > chart.bottom) return false;
      goTo(nearest(px));
      return true;
    },
    move: (px) => goTo(nearest(px)),
  });

  function goTo(stop) {
    state.stop = stop;
    update();
  }

  function switchTo(mode) {
    state.mode = mode;
    update();
    glide(state.own, mode === "own" ? 1 : 0, (own) => {
      if (mode !== state.mode) return false; // the reader has thrown the switch again
      state.own = own;
      stage.paint();
    });
  }

  // ---- what it says --------------------------------------------------------------------------

  function update() {
    const { stop, mode } = state;
    figure.root.dataset.mode = mode;
    figure.root.dataset.stop = stop;
    stage.paint();
    slider.set(stop);
    const used = stored(stop);
    show("stored-mean", used.mean);
    show("stored-sd", used.sd);
    for (const { key } of PARTS) {
      const { mean, sd } = after(key, stop, mode);
      show(`${key}-mean`, mean);
      show(`${key}-sd`, sd);
    }
    runs.forEach((name, i) => {
      showAccuracy(`accuracy-${i}`, data.accuracy[name].median[stop], { decimals: 1 });
    });
    figure.say(words());
  }

  function words() {
    const { stop, mode } = state;
    const strength = `Strength ${slider.range.getAttribute("aria-valuetext")}`;
    if (mode === "own") {
      return `${strength}, each batch by its own statistics: A and B both come out with mean 0 and sd 1, as promised. That is what training sees, at every strength; the accuracies are those of evaluation.`;
    }
    const [a, b] = PARTS.map(({ key, letter }) => {
      const { mean, sd } = after(key, stop, mode);
      return `${letter} comes out with mean ${format(mean)} and sd ${format(sd)}`;
    });
    const scores = runs.map((name) => {
      const { median, low, high } = data.accuracy[name];
      return `${name} ${format(median[stop], 1)}\u00a0% (${format(low[stop], 1)} to ${format(high[stop], 1)})`;
    });
    return `${strength}, by the stored statistics: ${a}, ${b}; promised were 0 and 1. Accuracy: ${scores.join(", ")}.`;
  }

  update();
}
