// Turn the dial of learning rate times decay, and see lengths and angles of weights settle.
// data: products (K), rates (J), steps (T); lengths and angles (K rows of J rows of T), the angles
// in degrees per step. The decay is product / rate.

function equilibrium(figure, data) {
  const K = data.products.length;
  const J = data.rates.length;
  const last = data.steps.length - 1;
  const state = { stop: Math.floor(K / 2), rate: 0, at: last };

  const plain = (value) => String(tidy(Number(value.toPrecision(4))));
  const decay = (stop, rate) => data.products[stop] / data.rates[rate];
  const predicted = (stop) => (Math.sqrt(2 * data.products[stop]) * 180) / Math.PI;

  // ---- the controls ----------------------------------------------------------------------------

  const dial = figure.slider("\u03b7\u03bb, learning rate times decay", {
    min: 0, max: K - 1, step: 1,
    show: (stop) => plain(data.products[stop]),
    input: (stop) => change({ stop }),
  });
  const clock = figure.slider("Look after step", {
    min: 0, max: last, step: 1,
    show: (at) => String(data.steps[at]),
    input: (at) => change({ at }),
  });
  const names = Object.fromEntries(data.rates.map((rate, j) => [j, plain(rate)]));
  const split = figure.choice("Learning rate \u03b7", names, {
    value: "0",
    change: (key) => change({ rate: Number(key) }),
  });
  figure.controls(dial.element, clock.element, split);

  // ---- the picture -----------------------------------------------------------------------------

  const LEFT = 40;
  const UPPER = { top: 32, bottom: 190 };
  const LOWER = { top: 248, bottom: 406 };
  const MARKS = [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100];
  let toStep; // the scale that both panels share

  /** A logarithmic axis that holds all the values. */
  function logarithmic(values, { top, bottom }) {
    const [low, high] = [Math.min(...values) / 1.15, Math.max(...values) * 1.15];
    const map = linear([Math.log10(low), Math.log10(high)], [bottom, top]);
    const scale = (value) => map(Math.log10(value));
    scale.marks = MARKS.filter((mark) => mark >= low && mark <= high);
    return scale;
  }
  const toLength = logarithmic(data.lengths.flat(2), UPPER);
  const toAngle = logarithmic([...data.angles.flat(2), predicted(0), predicted(K - 1)], LOWER);

  const stage = figure.stage(450, (canvas, width) => {
    const right = width - 10;
    toStep = linear([0, data.steps[last]], [LEFT, right]);
    const count = width < 480 ? 4 : 8;
    canvas.replaceChildren(
      svg("text", { class: "bn-strong", x: 0, y: 14 }, "length of a unit\u2019s weights"),
      ...grid(toLength, right, "length"),
      ...curves(data.lengths, toLength, "length"),
      horizontalAxis(toStep, UPPER.bottom, { count }),
      svg("text", { class: "bn-strong", x: 0, y: LOWER.top - 18 }, "angle per step, degrees"),
      ...grid(toAngle, right, "angle"),
      svg("path", {
        d: `M${LEFT} ${toAngle(predicted(state.stop))}H${right}`, "data-predicted": true,
        stroke: "var(--bn-green)", "stroke-width": 2, "stroke-dasharray": "7 4",
      }),
      ...curves(data.angles, toAngle, "angle"),
      horizontalAxis(toStep, LOWER.bottom, { count }),
      svg("text", { x: (LEFT + right) / 2, y: LOWER.bottom + 38, "text-anchor": "middle" }, "training step"),
      ...now(),
      // Both panels can be taken hold of.
      svg("rect", {
        x: LEFT, y: UPPER.top, width: right - LEFT, height: LOWER.bottom - UPPER.top,
        fill: "transparent", style: "cursor: ew-resize", "data-chart": true,
      }),
    );
  });

  function grid(scale, right, axis) {
    return scale.marks.flatMap((value) => [
      svg("path", { d: `M${LEFT} ${scale(value)}H${right}`, stroke: "var(--bn-line)", "stroke-width": 1 }),
      svg("text", { x: LEFT - 6, y: scale(value) + 4, "text-anchor": "end", "data-tick": axis, "data-value": value }, plain(value)),
    ]);
  }

  /** All curves faintly; then those of the same product; the chosen one on top of all. */
  function curves(table, scale, name) {
    const faint = { stroke: "var(--bn-soft)", "stroke-width": 1, "stroke-opacity": 0.5 };
    const same = { stroke: "var(--bn-blue)", "stroke-width": 2, "stroke-dasharray": "5 4" };
    const chosen = { stroke: "var(--bn-vermilion)", "stroke-width": 2.4 };
    const drawn = [];
    for (let stop = 0; stop < K; stop += 1) {
      for (let rate = 0; rate < J; rate += 1) {
        const own = stop === state.stop;
        const rank = own && rate === state.rate ? 2 : own ? 1 : 0;
        const look = [faint, same, chosen][rank];
        const points = table[stop][rate].map((value, i) => `${toStep(data.steps[i]).toFixed(2)} ${scale(value).toFixed(2)}`);
        const d = `M${points.join("L")}`;
        const mark = { "data-curve": ["other", "same", name][rank], "data-axis": name };
        drawn.push([rank, svg("path", { d, fill: "none", "stroke-linejoin": "round", ...look, ...mark })]);
      }
    }
    return drawn.sort(([a], [b]) => a - b).map(([, path]) => path);
  }

  /** The line of the step, and where the chosen curves cross it. */
  function now() {
    const x = toStep(data.steps[state.at]);
    const line = ({ top, bottom }) =>
      svg("path", { d: `M${x} ${top}V${bottom}`, stroke: "var(--bn-ink)", "stroke-width": 1.2, "stroke-dasharray": "3 3" });
    const ring = (y) => svg("circle", { cx: x, cy: y, r: 5, fill: "var(--bn-vermilion)", stroke: "var(--bn-card)", "stroke-width": 1.2 });
    return [line(UPPER), line(LOWER), ring(toLength(value("lengths"))), ring(toAngle(value("angles")))];
  }

  const value = (what) => data[what][state.stop][state.rate][state.at];

  function nearest(step) {
    const gap = (i) => Math.abs(data.steps[i] - step);
    return data.steps.reduce((best, _, i) => (gap(i) < gap(best) ? i : best), 0);
  }

  draggable(stage.element, {
    grab(px, py) {
      const [from, to] = [toStep(0), toStep(data.steps[last])];
      if (px < from || px > to || py < UPPER.top || py > LOWER.bottom) return false;
      change({ at: nearest(toStep.invert(px)) });
      return true;
    },
    move: (px) => change({ at: nearest(toStep.invert(px)) }),
  });

  const stroke = (colour, more = {}) =>
    svg("path", { d: "M0 8H14", stroke: colour, "stroke-width": 2.4, fill: "none", ...more });
  figure.legend(
    [stroke("var(--bn-vermilion)"), "your choice"],
    [stroke("var(--bn-blue)", { "stroke-dasharray": "5 3" }), "same \u03b7\u03bb, other \u03b7"],
    [stroke("var(--bn-green)", { "stroke-dasharray": "5 3" }), "\u221a(2\u03b7\u03bb)"],
    [stroke("var(--bn-soft)", { "stroke-width": 1 }), "the dial\u2019s other stops"],
  );

  // ---- numbers and words -----------------------------------------------------------------------

  const show = figure.readouts({
    decay: "decay \u03bb", length: "length", time: "1/(4\u03b7\u03bb), steps",
    angle: "angle, degrees", predicted: "\u221a(2\u03b7\u03bb), degrees", ratio: "angle / \u221a(2\u03b7\u03bb)",
  });
  figure.body.lastElementChild.style.gridTemplateColumns = "repeat(3, minmax(0, 1fr))";

  function change(move) {
    Object.assign(state, move);
    update();
  }

  function update() {
    const { stop, rate, at } = state;
    Object.assign(figure.root.dataset, { stop, rate, at });
    stage.paint();
    dial.set(stop);
    clock.set(at);
    const ratio = value("angles") / predicted(stop);
    show("decay", decay(stop, rate), { decimals: 3 });
    show("length", value("lengths"), { decimals: 2 });
    show("time", 1 / (4 * data.products[stop]), { decimals: 0 });
    show("angle", value("angles"), { decimals: 2 });
    show("predicted", predicted(stop), { decimals: 2 });
    show("ratio", ratio, { decimals: 2 });
    figure.say(words(ratio));
  }

  // A ratio near 1 can also be a passing one: the angle has arrived when the length has.
  function verdict(ratio) {
    const { stop, at } = state;
    const gone = 4 * data.products[stop] * data.steps[at];
    if (ratio < 0.5) return "Not in equilibrium: the weights are far longer than they will be, and turn too little.";
    if (ratio < 0.9) return "Not in equilibrium: the weights turn too little, and still become shorter.";
    if (ratio > 1.1) return "The weights turn more than that, and become longer.";
    if (gone < 12) return `Close, but not settled: after ${format(gone, 1)} of a dozen time constants.`;
    return "In equilibrium: what decay takes from the length, the steps give back.";
  }

  function words(ratio) {
    const { stop, rate, at } = state;
    const who = `\u03b7 = ${plain(data.rates[rate])} and \u03bb = ${plain(decay(stop, rate))}`;
    return `With ${who}, after step ${data.steps[at]}, the weights turn by ${format(value("angles"), 1)} degrees a step, ${format(ratio, 2)} of \u221a(2\u03b7\u03bb). ${verdict(ratio)}`;
  }

  update();
}
