// A fixed victim in a batch whose other members the reader chooses.
// data: net (w1, b1, gamma, beta, mean, var, eps, w2, b2: Linear, batch norm, ReLU, Linear);
// victim: image, label; mates: images and labels, row by row, one column for each class.
// An image is 64 characters, one for each pixel: its level, 0 to 16, in base 17.

function victim(figure, data) {
  const { net } = data;
  const CLASSES = 10;
  const LEVELS = 16;
  const everybody = data.mates.labels.map((_, i) => i);
  const rows = everybody.length / CLASSES;
  const levels = (image) => [...image].map((character) => parseInt(character, LEVELS + 1));

  // Before anything is opened: a company of four, one each of the first four classes.
  const state = { inside: new Set(everybody.slice(0, 4)), seed: 14 };

  // ---- the net -------------------------------------------------------------------------------

  const dot = (weights, x) => weights.reduce((sum, w, i) => sum + w * x[i], 0);
  const average = (values) => values.reduce((sum, v) => sum + v, 0) / values.length;

  /** What the norm receives for an image: one value for each hidden unit. */
  function hidden(image) {
    const x = levels(image).map((level) => level / LEVELS);
    return net.w1.map((weights, unit) => dot(weights, x) + net.b1[unit]);
  }

  const mine = hidden(data.victim.image);
  const theirs = data.mates.images.map(hidden);

  /** The probability of each class for the victim; null where the batch has nobody else. */
  function answer(inside, mode) {
    if (mode === "train" && inside.size === 0) return null;
    const batch = [mine, ...[...inside].map((i) => theirs[i])];
    const features = mine.map((value, unit) => {
      const values = batch.map((h) => h[unit]);
      const mean = mode === "train" ? average(values) : net.mean[unit];
      const variance =
        mode === "train" ? average(values.map((v) => (v - mean) ** 2)) : net.var[unit];
      const normalized = (value - mean) / Math.sqrt(variance + net.eps);
      return Math.max(0, net.gamma[unit] * normalized + net.beta[unit]);
    });
    const logits = net.w2.map((weights, c) => dot(weights, features) + net.b2[c]);
    const highest = Math.max(...logits);
    const exponentials = logits.map((logit) => Math.exp(logit - highest));
    const total = exponentials.reduce((sum, e) => sum + e, 0);
    return exponentials.map((e) => e / total);
  }

  const best = (probabilities) => probabilities.indexOf(Math.max(...probabilities));
  const inEvaluation = answer(state.inside, "eval");

  // ---- the batch-mates -----------------------------------------------------------------------

  figure.add(
    html(
      "style",
      {},
      `.bn-figure .bn-mates { display: grid; grid-template-columns: repeat(${CLASSES}, minmax(0, 1fr)); gap: 3px; max-width: 32rem; margin: 0 0 0.9rem; }
.bn-figure .bn-mates button { min-height: 1.7rem; padding: 0; border-radius: 4px; line-height: 1.2; }
.bn-figure .bn-mates button.bn-mate { position: relative; aspect-ratio: 1; border: 0; background: #ffffff; }
.bn-figure .bn-mates canvas { display: block; width: 100%; height: 100%; border-radius: 4px; opacity: 0.4; image-rendering: pixelated; }
.bn-figure .bn-mates [aria-pressed="true"] canvas { opacity: 1; }
.bn-figure .bn-mates [aria-pressed="true"].bn-mate { box-shadow: 0 0 0 3px var(--bn-vermilion); z-index: 1; }
@media (forced-colors: active) { .bn-figure .bn-mates [aria-pressed="true"].bn-mate { outline: 3px solid Highlight; } }
.bn-figure .bn-mates .bn-mate:focus-visible { z-index: 2; outline-offset: 3px; }`,
    ),
  );

  const only = Array.from({ length: CLASSES }, (_, c) => {
    const alone = () => company(everybody.filter((i) => data.mates.labels[i] === c));
    return html("button", { type: "button", "aria-label": `only ${c}s`, click: alone }, `${c}`);
  });
  const toggles = everybody.map((i) => {
    const name = `a ${data.mates.labels[i]}, number ${Math.floor(i / CLASSES) + 1}`;
    const click = () => {
      if (!state.inside.delete(i)) state.inside.add(i);
      update();
    };
    const attributes = { type: "button", class: "bn-mate", "aria-label": name, "data-mate": i, click };
    return html("button", attributes, drawn(data.mates.images[i]));
  });

  // One stop of the Tab key for the whole grid; the arrow keys go on from there.
  const cells = [...only, ...toggles];
  cells.forEach((cell, i) => (cell.tabIndex = i === CLASSES ? 0 : -1));
  const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -CLASSES, ArrowDown: CLASSES };
  const grid = html(
    "div",
    {
      class: "bn-mates",
      role: "toolbar",
      "aria-label": "Batch-mates",
      keydown: (event) => {
        const here = cells.indexOf(event.target);
        const next = here + (steps[event.key] ?? NaN);
        if (!(event.key in steps)) return;
        event.preventDefault();
        if (next in cells) cells[next].focus();
      },
      focusin: ({ target }) => cells.forEach((cell) => (cell.tabIndex = cell === target ? 0 : -1)),
    },
    ...cells,
  );

  /** An image as a canvas of 8 by 8 pixels, dark on white. */
  function drawn(image) {
    const canvas = html("canvas", { width: 8, height: 8, "aria-hidden": "true" });
    const context = canvas.getContext("2d");
    levels(image).forEach((level, i) => {
      const grey = Math.round(255 * (1 - level / LEVELS));
      context.fillStyle = `rgb(${grey} ${grey} ${grey})`;
      context.fillRect(i % 8, Math.floor(i / 8), 1, 1);
    });
    return canvas;
  }

  function company(members) {
    state.inside = new Set(members);
    update();
  }

  /** A whole number from 0 to n - 1; the same row of them for every reader. */
  function random(n) {
    state.seed = (1103515245 * state.seed + 12345) % 2 ** 31;
    return Math.floor((state.seed / 2 ** 31) * n);
  }

  function fourAtRandom() {
    const left = [...everybody];
    company(Array.from({ length: 4 }, () => left.splice(random(left.length), 1)[0]));
  }

  function swapOne() {
    const inside = [...state.inside];
    const outside = everybody.filter((i) => !state.inside.has(i));
    if (inside.length === 0 || outside.length === 0) return;
    const leaves = inside[random(inside.length)];
    company([...inside.filter((i) => i !== leaves), outside[random(outside.length)]]);
  }

  figure.controls(
    figure.button("Four at random", fourAtRandom),
    figure.button("Swap one", swapOne),
    figure.button("All of them", () => company(everybody)),
    figure.button("Nobody", () => company([])),
  );
  figure.add(grid);

  // ---- the answer ----------------------------------------------------------------------------

  const BOTTOM = 168;
  const TOP = 34;
  const SIDE = 72; // of the victim's picture

  const stage = figure.stage(206, (canvas, width) => {
    const left = SIDE + (width < 480 ? 34 : 56);
    const column = (width - left) / CLASSES;
    const centre = (c) => left + (c + 0.5) * column;
    const height = linear([0, 1], [BOTTOM, TOP]);
    const inTraining = answer(state.inside, "train");
    canvas.replaceChildren(
      svg("text", { class: "bn-strong", x: 0, y: 14 }, width < 480 ? "the victim" : `the victim, a ${data.victim.label}`),
      ...portrait(),
      svg("text", { class: "bn-strong", x: left, y: 14 }, width < 480 ? "what the net answers" : "what the net answers: the probability of each class"),
      ...[0, 0.5, 1].flatMap((value) => [
        svg("path", { d: `M${left} ${height(value)}H${width}`, stroke: "var(--bn-line)", "stroke-width": 1 }),
        svg("text", { x: left - 6, y: height(value) + 4, "text-anchor": "end", "data-tick": value }, format(value, value === 0.5 ? 1 : 0)),
      ]),
      ...(inTraining ?? []).map((value, c) =>
        svg("rect", {
          x: centre(c) - 0.36 * column, y: height(value), width: 0.72 * column, height: BOTTOM - height(value),
          fill: "var(--bn-vermilion)", "data-bar": c, "data-value": value,
        }),
      ),
      ...inEvaluation.map((value, c) => diamond(centre(c), height(value), 5.5, { "data-mark": c, "data-value": value })),
      ...Array.from({ length: CLASSES }, (_, c) =>
        svg("text", { x: centre(c), y: BOTTOM + 18, "text-anchor": "middle", class: inTraining && c === best(inTraining) ? "bn-strong" : null }, `${c}`),
      ),
      svg("text", { x: (left + width) / 2, y: BOTTOM + 36, "text-anchor": "middle" }, "class"),
      ...(inTraining ? [] : [svg("text", { class: "bn-strong", x: (left + width) / 2, y: 78, "text-anchor": "middle" }, "training mode: refused")]),
    );
  });

  function portrait() {
    const pixel = SIDE / 8;
    const squares = levels(data.victim.image).map((level, i) => {
      const grey = Math.round(255 * (1 - level / LEVELS));
      const place = { x: (i % 8) * pixel, y: 24 + Math.floor(i / 8) * pixel };
      return svg("rect", { ...place, width: pixel + 0.3, height: pixel + 0.3, fill: `rgb(${grey} ${grey} ${grey})` });
    });
    const frame = { x: 0, y: 24, width: SIDE, height: SIDE, fill: "none", stroke: "var(--bn-soft)" };
    return [...squares, svg("rect", frame)];
  }

  function diamond(x, y, half, marks = {}) {
    const d = `M${x - half} ${y}l${half} ${-half}l${half} ${half}l${-half} ${half}z`;
    return svg("path", { d, fill: "none", stroke: "var(--bn-ink)", "stroke-width": 1.8, ...marks });
  }

  figure.legend(
    [svg("rect", { x: 3, y: 1, width: 8, height: 13, fill: "var(--bn-vermilion)" }), "in training mode"],
    [diamond(7, 7.5, 5), "in evaluation mode"],
  );
  const show = figure.readouts({
    size: "batch, with the victim",
    train: "training mode answers",
    probability: "with probability",
    eval: "evaluation mode answers",
  });

  // ---- what it says --------------------------------------------------------------------------

  function update() {
    const inTraining = answer(state.inside, "train");
    toggles.forEach((toggle, i) => toggle.setAttribute("aria-pressed", state.inside.has(i)));
    stage.paint();
    show("size", state.inside.size + 1, { decimals: 0 });
    show("train", inTraining ? best(inTraining) : NaN, { decimals: 0 });
    show("probability", inTraining ? Math.max(...inTraining) : NaN, { decimals: 2 });
    show("eval", best(inEvaluation), { decimals: 0 });
    for (const node of figure.root.querySelectorAll('[data-value="NaN"]')) node.textContent = "none";
    figure.say(words(inTraining));
  }

  function words(inTraining) {
    const right = best(inEvaluation);
    if (!inTraining) {
      return `Alone, the victim is its own mean, and PyTorch refuses the batch in training mode. In evaluation mode the answer is ${right}, as always.`;
    }
    const found = best(inTraining);
    const mates = [...state.inside].map((i) => data.mates.labels[i]);
    const count = mates.length === 1 ? `one mate, a ${mates[0]}` : `${mates.length} mates`;
    const kinds = new Set(mates);
    const company = mates.length > 1 && kinds.size === 1 ? `${count}, all of them ${mates[0]}s` : count;
    const certainty = `with probability ${format(inTraining[found], 2)}`;
    return found === right
      ? `In a batch with ${company}, training mode answers ${found} ${certainty}: the same class as evaluation mode.`
      : `In a batch with ${company}, training mode answers ${found} ${certainty}: turned. The image is what it was, and evaluation mode still answers ${right}.`;
  }

  update();
}
