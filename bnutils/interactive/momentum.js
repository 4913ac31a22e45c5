// Turn the dial of the running average and see how well it follows a unit while the net trains.
// data: alphas (K; a last null averages all alike); steps (E, when the net was evaluated); start;
// batch, mean, sd (T each: a unit's mean over each minibatch; mean and sd over all the data);
// errors (K rows of E, in per cent), best (E, the same with statistics that were re-estimated).

function momentum(figure, data) {
  const T = data.batch.length;
  const K = data.alphas.length;
  const middle = data.alphas.findIndex((alpha) => alpha >= 0.03);
  const state = { stop: Math.max(0, middle), at: 0 };
  state.at = nearestStop(20);

  // ---- the filter ------------------------------------------------------------------------------

  /** What is stored after each step. */
  const averages = data.alphas.map((alpha) => {
    let stored = data.start;
    return data.batch.map((value, i) => {
      const share = alpha ?? 1 / (i + 1);
      stored = (1 - share) * stored + share * value;
      return stored;
    });
  });

  /** The share of batch number k in what is stored after step t. */
  function weight(alpha, k, t) {
    if (k > t) return 0;
    return alpha === null ? 1 / t : alpha * (1 - alpha) ** (t - k);
  }

  /** The share of what the average started from. */
  const ofStart = (alpha, t) => (alpha === null ? 0 : (1 - alpha) ** t);

  function nearestStop(step) {
    const gap = (i) => Math.abs(data.steps[i] - step);
    return data.steps.reduce((best, _, i) => (gap(i) < gap(best) ? i : best), 0);
  }

  /** The stop of the dial with the smallest error at a stop of the clock. */
  function bestStop(at) {
    return data.errors.reduce((best, row, i) => (row[at] < data.errors[best][at] ? i : best), 0);
  }

  const name = (alpha) => (alpha === null ? "None" : String(tidy(alpha)));

  // ---- the controls ----------------------------------------------------------------------------

  const dial = figure.slider("Momentum \u03b1, as PyTorch counts", {
    min: 0, max: K - 1, step: 1,
    show: (stop) => name(data.alphas[stop]),
    input: (stop) => turn(stop),
  });
  const clock = figure.slider("Stop and evaluate after step", {
    min: 0, max: data.steps.length - 1, step: 1,
    show: (at) => String(data.steps[at]),
    input: (at) => stopAt(at),
  });
  figure.controls(dial.element, clock.element);

  // ---- the picture -----------------------------------------------------------------------------

  const LEFT = 40;
  const UPPER = { top: 32, bottom: 190 };
  const LOWER = { top: 248, bottom: 406 };
  const hull = (values) => [Math.min(...values), Math.max(...values)];
  const [low, high] = hull([...data.batch, ...data.mean, data.start]);
  const meanDomain = [low - 0.05 * (high - low), high + 0.05 * (high - low)];
  // Errors on a logarithmic axis; zeros stand at its foot.
  const MARKS = [0.5, 1, 2, 5, 10, 20, 50, 100];
  const all = [...data.errors.flat(), ...data.best].filter((error) => error > 0);
  const foot = MARKS.findLast((mark) => mark <= Math.max(0.5, Math.min(...all)));
  const head = Math.max(...all);
  let toStep; // the scale that both panels share

  const stage = figure.stage(450, (canvas, width) => {
    const right = width - 10;
    toStep = linear([0, T], [LEFT, right]);
    const toMean = linear(meanDomain, [UPPER.bottom, UPPER.top]);
    const log = linear([Math.log10(foot), Math.log10(head * 1.1)], [LOWER.bottom, LOWER.top]);
    const toError = (error) => log(Math.log10(Math.max(error, foot)));
    const count = width < 480 ? 4 : 8;
    const alpha = data.alphas[state.stop];
    const t = data.steps[state.at];

    canvas.replaceChildren(
      svg("text", { class: "bn-strong", x: 0, y: 14 }, "the unit\u2019s mean"),
      ...grid(ticks(meanDomain, 4), toMean, right, "mean", (v) => format(v, decimalsOf(meanDomain))),
      ...dots(toMean, alpha, t),
      curve(data.mean, toMean, { stroke: "var(--bn-ink)", "stroke-width": 2, "data-curve": "population" }),
      curve([data.start, ...averages[state.stop]], toMean, { stroke: "var(--bn-vermilion)", "stroke-width": 2.4, "data-curve": "stored" }, 0),
      horizontalAxis(toStep, UPPER.bottom, { count }),
      svg("text", { class: "bn-strong", x: 0, y: LOWER.top - 18 }, "error in evaluation, %"),
      ...grid(MARKS.filter((mark) => mark >= foot && mark <= head * 1.1), toError, right, "error", String),
      ...data.errors.map((row, i) => (i === state.stop ? "" : scored(row, toError, { stroke: "var(--bn-soft)", "stroke-width": 1, "stroke-opacity": 0.55 }))),
      scored(data.best, toError, { stroke: "var(--bn-green)", "stroke-width": 2, "stroke-dasharray": "6 4", "data-curve": "best" }),
      scored(data.errors[state.stop], toError, { stroke: "var(--bn-vermilion)", "stroke-width": 2.4, "data-curve": "error" }),
      horizontalAxis(toStep, LOWER.bottom, { count }),
      svg("text", { x: (LEFT + right) / 2, y: LOWER.bottom + 38, "text-anchor": "middle" }, "training step"),
      ...now(t, toMean, toError),
      // Both panels can be taken hold of.
      svg("rect", {
        x: LEFT, y: UPPER.top, width: right - LEFT, height: LOWER.bottom - UPPER.top,
        fill: "transparent", style: "cursor: ew-resize", "data-chart": true,
      }),
    );
  });

  const decimalsOf = ([a, b]) => Math.max(0, -Math.floor(Math.log10(niceStep(b - a, 4)) + 1e-9));

  function grid(values, scale, right, axis, words) {
    return values.flatMap((value) => [
      svg("path", { d: `M${LEFT} ${scale(value)}H${right}`, stroke: "var(--bn-line)", "stroke-width": 1 }),
      svg("text", { x: LEFT - 6, y: scale(value) + 4, "text-anchor": "end", "data-tick": axis, "data-value": value }, words(value)),
    ]);
  }

  /** Each minibatch's mean, the fuller the more it weighs in what is stored at step t. */
  function dots(scale, alpha, t) {
    const largest = weight(alpha, t, t);
    return data.batch.map((value, i) => {
      const share = weight(alpha, i + 1, t);
      return svg("circle", {
        cx: toStep(i + 1), cy: scale(value), r: 2 + 1.6 * (share / largest),
        fill: "var(--bn-blue)", "fill-opacity": (share / largest).toFixed(4),
        stroke: "var(--bn-soft)", "stroke-width": 0.7, "stroke-opacity": i + 1 > t ? 0.25 : 0.7,
        "data-batch": i + 1, "data-weight": share,
      });
    });
  }

  function curve(values, scale, look, first = 1) {
    const points = values.map((value, i) => `${toStep(i + first).toFixed(2)} ${scale(value).toFixed(2)}`);
    return svg("path", { d: `M${points.join("L")}`, fill: "none", "stroke-linejoin": "round", ...look });
  }

  function scored(values, scale, look) {
    const points = values.map((value, i) => `${toStep(data.steps[i]).toFixed(2)} ${scale(value).toFixed(2)}`);
    return svg("path", { d: `M${points.join("L")}`, fill: "none", "stroke-linejoin": "round", ...look });
  }

  /** The line of the step, and where the curves cross it. */
  function now(t, toMean, toError) {
    const x = toStep(t);
    const line = ({ top, bottom }) =>
      svg("path", { d: `M${x} ${top}V${bottom}`, stroke: "var(--bn-ink)", "stroke-width": 1.2, "stroke-dasharray": "3 3" });
    const ring = (y, fill) => svg("circle", { cx: x, cy: y, r: 5, fill, stroke: "var(--bn-card)", "stroke-width": 1.2 });
    return [
      line(UPPER), line(LOWER),
      ring(toMean(data.mean[t - 1]), "var(--bn-ink)"),
      ring(toMean(averages[state.stop][t - 1]), "var(--bn-vermilion)"),
      ring(toError(data.best[state.at]), "var(--bn-green)"),
      ring(toError(data.errors[state.stop][state.at]), "var(--bn-vermilion)"),
    ];
  }

  draggable(stage.element, {
    grab(px, py) {
      const [first, last] = [toStep(0), toStep(T)];
      if (px < first || px > last || py < UPPER.top || py > LOWER.bottom) return false;
      stopAt(nearestStop(toStep.invert(px)));
      return true;
    },
    move: (px) => stopAt(nearestStop(toStep.invert(px))),
  });

  const stroke = (colour, more = {}) =>
    svg("path", { d: "M0 8H14", stroke: colour, "stroke-width": 2.4, fill: "none", ...more });
  figure.legend(
    [svg("circle", { cx: 7, cy: 7, r: 4, fill: "var(--bn-blue)", stroke: "var(--bn-soft)" }), "mean of one minibatch; filled: its weight"],
    [stroke("var(--bn-ink)"), "mean of all the data"],
    [stroke("var(--bn-vermilion)"), "stored, by the dial"],
    [stroke("var(--bn-green)", { "stroke-dasharray": "5 3" }), "statistics re-estimated"],
    [stroke("var(--bn-soft)", { "stroke-width": 1 }), "the dial\u2019s other stops"],
  );

  // ---- numbers and words -----------------------------------------------------------------------

  const show = figure.readouts({
    stored: "stored mean", off: "off by, in sd", start: "left of the start, %",
    window: "window, batches", error: "error, %", best: "error, re-estimated, %",
  });
  figure.body.lastElementChild.style.gridTemplateColumns = "repeat(3, minmax(0, 1fr))";

  function turn(stop) {
    state.stop = stop;
    update();
  }

  function stopAt(at) {
    if (at === state.at) return;
    state.at = at;
    update();
  }

  function update() {
    const alpha = data.alphas[state.stop];
    const t = data.steps[state.at];
    figure.root.dataset.stop = state.stop;
    figure.root.dataset.at = state.at;
    stage.paint();
    dial.set(state.stop);
    clock.set(state.at);
    const stored = averages[state.stop][t - 1];
    show("stored", stored);
    show("off", (stored - data.mean[t - 1]) / data.sd[t - 1], { decimals: 2 });
    show("start", 100 * ofStart(alpha, t), { decimals: 1 });
    show("window", alpha === null ? t : 1 / alpha, { decimals: 0 });
    show("error", data.errors[state.stop][state.at], { decimals: 1 });
    show("best", data.best[state.at], { decimals: 1 });
    figure.say(words(alpha, t));
  }

  function words(alpha, t) {
    const error = data.errors[state.stop][state.at];
    const lost = error - data.best[state.at];
    const winner = bestStop(state.at);
    const who = alpha === null ? "With momentum None" : `With momentum ${name(alpha)}`;
    const cost = lost > 0.05
      ? `${format(lost, 1)} points more than with re-estimated statistics`
      : "no more than with re-estimated statistics";
    const why = reason(alpha, t, lost);
    const verdict = data.errors[winner][state.at] === error
      ? "No stop of the dial does better at this step."
      : `Best at this step: ${name(data.alphas[winner])}.`;
    return `${who}, stopped after step ${t}, the net errs on ${format(error, 1)} %, ${cost}. ${why}${verdict}`;
  }

  /** What is wrong with this stop, where something is. */
  function reason(alpha, t, lost) {
    if (lost < 0.5) return "";
    if (ofStart(alpha, t) > 0.1) return `Of the start, ${format(100 * ofStart(alpha, t), 0)} % is left. `;
    if (alpha === null) return "It remembers every batch since the first. ";
    if (alpha > 0.5) return "It rests on the latest batches alone, and is as noisy as they are. ";
    return `It looks back over some ${format(1 / alpha, 0)} batches. `;
  }

  update();
}
