// Step through batch norm's graph: values come down, gradients go back up.
// data: x, dy (m each), gamma, beta, eps (the choices). The steps are those of walk in backward.py.

function backward(figure, data) {
  const m = data.x.length;
  const each = (f) => data.x.map((_, i) => f(i));
  const total = (list) => list.reduce((sum, value) => sum + value, 0);

  // Each node: its place, how it is computed from the values `f` before it, and what its gradient
  // `d` hands back. Those with `only`, from 0 on the left to 1 on the right,
  // hold one number for the whole batch.
  const NODES = [
    { key: "x", row: 0 },
    {
      key: "mu", row: 1, only: 0.5, inputs: ["x"], sign: "\u03bc", title: "\u03bc = mean of x", rule: "\u03bc, the mean of the x",
      value: (f) => [total(f.x) / m],
      back: (f, d) => ({ x: each(() => d[0] / m) }),
      hands: "every x gets one m-th of \u03bc\u2019s gradient on top",
    },
    {
      key: "c", row: 2, inputs: ["x", "mu"], sign: "c", rule: "c = x \u2212 \u03bc",
      value: (f) => f.x.map((x) => x - f.mu[0]),
      back: (f, d) => ({ x: d, mu: [-total(d)] }),
      hands: "each x gets its c\u2019s gradient, and \u03bc minus their sum",
    },
    {
      key: "q", row: 3, inputs: ["c"], sign: "q", rule: "q = c\u00b2",
      value: (f) => f.c.map((c) => c * c),
      back: (f, d) => ({ c: each((i) => 2 * f.c[i] * d[i]) }),
      hands: "each c gets 2c times its q\u2019s gradient on top",
    },
    {
      key: "v", row: 4, only: 0, inputs: ["q"], sign: "v", title: "v = mean of q", rule: "v, the mean of the q",
      value: (f) => [total(f.q) / m],
      back: (f, d) => ({ q: each(() => d[0] / m) }),
      hands: "every q gets one m-th of v\u2019s gradient",
    },
    {
      key: "a", row: 4, only: 1 / 3, inputs: ["v"], sign: "a", rule: "a = v + \u03b5",
      value: (f) => [f.v[0] + state.eps],
      back: (f, d) => ({ v: d }),
      hands: "v gets the same",
    },
    {
      key: "s", row: 4, only: 2 / 3, inputs: ["a"], sign: "s", rule: "s = \u221aa",
      value: (f) => [Math.sqrt(f.a[0])],
      back: (f, d) => ({ a: [d[0] / (2 * f.s[0])] }),
      hands: "a gets s\u2019s gradient divided by 2s",
    },
    {
      key: "r", row: 4, only: 1, inputs: ["s"], sign: "r", rule: "r = 1 / s",
      value: (f) => [1 / f.s[0]],
      back: (f, d) => ({ s: [-d[0] / f.s[0] ** 2] }),
      hands: "s gets r\u2019s gradient divided by \u2212s\u00b2",
    },
    {
      key: "xhat", row: 5, inputs: ["c", "r"], sign: "x\u0302", rule: "x\u0302 = c \u00b7 r",
      value: (f) => f.c.map((c) => c * f.r[0]),
      back: (f, d) => ({ c: d.map((value) => value * f.r[0]), r: [total(each((i) => d[i] * f.c[i]))] }),
      hands: "each c gets r times its x\u0302\u2019s gradient, and r the sum of c times gradient",
    },
    {
      key: "g", row: 6, inputs: ["xhat"], sign: "g", rule: "g = \u03b3 \u00b7 x\u0302",
      value: (f) => f.xhat.map((value) => data.gamma * value),
      back: (f, d) => ({ xhat: d.map((value) => data.gamma * value), gamma: [total(each((i) => d[i] * f.xhat[i]))] }),
      hands: "each x\u0302 gets \u03b3 times its g\u2019s gradient, and \u03b3 the sum of x\u0302 times gradient",
    },
    {
      key: "y", row: 7, inputs: ["g"], sign: "y", rule: "y = g + \u03b2",
      value: (f) => f.g.map((value) => value + data.beta),
      back: (f, d) => ({ g: d, beta: [total(d)] }),
      hands: "each g gets the dy of its y, and \u03b2 their sum",
    },
  ];
  const node = Object.fromEntries(NODES.map((each) => [each.key, each]));
  const FORWARD = NODES.length - 1;
  const LAST = 2 * FORWARD;

  const state = { step: 0, chosen: 0, x: [...data.x], dy: [...data.dy], eps: data.eps[0] };

  /** All values, and the gradients that have arrived after so many steps. */
  function flow(step) {
    const values = { x: state.x };
    for (const each of NODES.slice(1)) values[each.key] = each.value(values);
    const gradients = { y: state.dy };
    const passed = NODES.slice(1).reverse().slice(0, Math.max(0, step - FORWARD));
    for (const { key, back } of passed) {
      for (const [target, share] of Object.entries(back(values, gradients[key]))) {
        gradients[target] = share.map((value, i) => value + (gradients[target]?.[i] ?? 0));
      }
    }
    return { values, gradients, passed: passed.map(({ key }) => key) };
  }

  /** The node that this step goes through, and which way. */
  function passing(step) {
    if (step === 0) return { now: null, forth: true };
    return step <= FORWARD
      ? { now: NODES[step], forth: true }
      : { now: NODES[LAST + 1 - step], forth: false };
  }

  // ---- the picture ---------------------------------------------------------------------------

  const ROW = 60;
  const TOP = 26;
  const HALF = 18; // of a cell's height
  let column, place;

  const stage = figure.stage(TOP + 7 * ROW + 30, (canvas, width) => {
    const narrow = width < 480;
    const left = narrow ? 30 : 92;
    column = (width - left) / m;
    place = ({ row, only }, i) => [
      left + column * (only === undefined ? i + 0.5 : 0.5 + only * (m - 1)),
      TOP + row * ROW,
    ];
    const { values, gradients, passed } = flow(state.step);
    const { now, forth } = passing(state.step);
    canvas.replaceChildren(
      ...NODES.filter((each) => each !== now).flatMap((each) => edges(each, null)),
      ...(now ? edges(now, forth) : []),
      ...NODES.filter((each) => each.only === undefined).map((each) =>
        svg("text", { class: "bn-strong", x: 0, y: TOP + each.row * ROW + 4 },
          narrow || !each.rule ? each.sign ?? "x" : each.rule)),
      ...NODES.flatMap((each, at) => cells(each, {
        values: at <= state.step ? values[each.key] : null,
        gradients: gradients[each.key],
        complete: NODES.every((user) => !user.inputs?.includes(each.key) || passed.includes(user.key)),
        active: each === now,
      })),
    );
  });

  const tint = (forth) => (forth ? "var(--bn-blue)" : "var(--bn-vermilion)");

  /** The arrows into a node, or back out of it; faint ones where `forth` is null. */
  function edges(target, forth) {
    return (target.inputs ?? []).flatMap((key) => {
      const source = node[key];
      const shared = source.only === undefined && target.only === undefined;
      const single = source.only !== undefined && target.only !== undefined;
      const pairs = single ? [[0, 0]] : each((i) => [i, i]);
      return pairs.flatMap(([i, j]) => {
        const ends = [place(source, i), place(target, j)];
        const { d, tip } = curve(ends, {
          level: source.row === target.row,
          skips: shared && target.row - source.row > 1,
          forth: forth !== false,
        });
        if (forth === null) return [svg("path", { d, fill: "none", stroke: "var(--bn-line)" })];
        return [
          svg("path", { d, fill: "none", stroke: tint(forth), "stroke-width": 2, "data-edge": `${key}-${target.key}` }),
          svg("path", { d: "M0 0L-8 4V-4z", fill: tint(forth), transform: tip }),
        ];
      });
    });
  }

  /** From cell to cell, or around the cells between; and where the arrow's head goes. */
  function curve([[x1, y1], [x2, y2]], { level, skips, forth }) {
    const half = cellWidth() / 2;
    const start = level ? [x1 + half, y1] : [x1 + (skips ? half - 5 : 0), y1 + HALF];
    const end = level ? [x2 - half, y2] : [x2 + (skips ? half - 5 : 0), y2 - HALF];
    const [[ax, ay], [bx, by]] = forth ? [start, end] : [end, start];
    const out = Math.max(ax, bx) + 16;
    const lean = (by - ay) / 4;
    const d = skips
      ? `M${ax} ${ay}C${out} ${ay + lean} ${out} ${by - lean} ${bx} ${by}`
      : `M${ax} ${ay}L${bx} ${by}`;
    const [fromX, fromY] = skips ? [out, by - lean] : [ax, ay];
    const angle = (Math.atan2(by - fromY, bx - fromX) * 180) / Math.PI;
    return { d, tip: `translate(${bx} ${by}) rotate(${angle})` };
  }

  function cellWidth() {
    return Math.min(84, column - 10, (column * (m - 1)) / 3 - 10); // the four of row 4 fit side by side
  }

  function cells(each, { values, gradients, complete, active }) {
    const many = each.only === undefined;
    const held = each.key === "x" || each.key === "y";
    return Array.from({ length: many ? m : 1 }, (_, i) => {
      const [cx, cy] = place(each, i);
      const w = cellWidth();
      const chosen = held && i === state.chosen;
      const marks = { "data-node": each.key, "data-index": i };
      if (values) marks["data-at"] = values[i];
      if (gradients) marks["data-gradient"] = gradients[i];
      if (held) marks.class = "bn-handle";
      return svg("g", marks,
        svg("rect", {
          x: cx - w / 2, y: cy - HALF, width: w, height: 2 * HALF, rx: 5, fill: "var(--bn-card)",
          stroke: active || chosen ? "var(--bn-ink)" : values || gradients ? "var(--bn-soft)" : "var(--bn-line)",
          "stroke-width": active || chosen ? 2 : 1,
          "stroke-dasharray": values || gradients ? null : "3 3",
        }),
        ...(many ? [] : [svg("text", { class: "bn-strong", x: cx, y: cy - HALF - 4, "text-anchor": "middle" },
          column < 80 ? each.sign : each.title ?? each.rule)]),
        ...(values ? [number(values[i], cx, cy - 3, "--bn-blue")] : []),
        ...(gradients ? [number(gradients[i], cx, cy + 13, "--bn-vermilion", complete ? "" : "\u2026")] : []),
      );
    });
  }

  /** In the colour of its kind, darkened until it is easy to read on the card. */
  function number(value, x, y, colour, more = "") {
    const style = `fill: color-mix(in srgb, var(${colour}) 70%, var(--bn-ink)); font-variant-numeric: tabular-nums; font-weight: ${colour === "--bn-blue" ? 400 : 700}`;
    return svg("text", { x, y, "text-anchor": "middle", style }, brief(value) + more);
  }

  /** Few characters: two decimals at most, none that are zero. */
  function brief(value) {
    const size = Math.abs(value);
    if (size >= 1e4) return `${value < 0 ? "\u2212" : ""}${size.toExponential(0).replace("+", "")}`;
    const text = format(value, size >= 100 ? 0 : 2);
    return size < 100 ? text.replace(/\.?0+$/, "") : text;
  }

  // ---- the controls --------------------------------------------------------------------------

  const steps = figure.slider("Step", {
    min: 0, max: LAST, step: 1,
    show: (value) => `${value} of ${LAST}`,
    input: (value) => go(value),
  });
  const range = (values) => {
    const low = Math.min(...values);
    const high = Math.max(...values);
    const span = Math.max(high - low, 1);
    const step = niceStep(3 * span, 150);
    return { min: tidy(Math.floor((low - span) / step) * step), max: tidy(Math.ceil((high + span) / step) * step), step };
  };
  const frames = { x: range(data.x), dy: range(data.dy) };
  const picker = figure.picker("Example", each((i) => `example ${i + 1}`), {
    value: 0,
    change: (i) => {
      state.chosen = i;
      update();
    },
  });
  const sliders = {
    x: figure.slider("Its x", { ...frames.x, show: brief, input: (value) => set("x", value) }),
    dy: figure.slider("Its dy", { ...frames.dy, show: brief, input: (value) => set("dy", value) }),
  };

  figure.legend(
    [svg("rect", { x: 1, y: 1, width: 12, height: 12, rx: 3, fill: "var(--bn-blue)" }), "value, upper line"],
    [svg("rect", { x: 1, y: 1, width: 12, height: 12, rx: 3, fill: "var(--bn-vermilion)" }), "gradient of the loss with respect to it, lower line; \u2026 means that more is to come"],
  );
  figure.controls(
    figure.button("Back", () => go(state.step - 1)),
    figure.button("Next", () => go(state.step + 1)),
    figure.button("All the way", () => go(LAST)),
    steps.element,
  );
  figure.controls(picker.element, sliders.x.element, sliders.dy.element);
  figure.controls(
    ...(data.eps.length > 1
      ? [figure.choice("\u03b5", Object.fromEntries(data.eps.map((eps, i) => [String(i), String(eps)])), {
          value: "0",
          change: (i) => {
            state.eps = data.eps[i];
            update();
          },
        })]
      : []),
    figure.button("Make all dy equal", () => setAll("dy", each(() => state.dy[state.chosen] || 1))),
    figure.button("Let dy follow x", () => setAll("dy", flow(0).values.c)),
    figure.button("Start again", () => {
      Object.assign(state, { x: [...data.x], dy: [...data.dy], step: 0 });
      update();
    }),
  );
  const show = figure.readouts({
    sum: "sum of the gradients at x, so far",
    along: "their inner product with x\u0302, so far",
    gamma: "gradient at \u03b3, so far",
    beta: "gradient at \u03b2, so far",
  });

  let grip = null;
  draggable(stage.element, {
    grab(px, py) {
      for (const [key, kind] of [["x", "x"], ["y", "dy"]]) {
        const found = each((i) => i).find((i) => {
          const [cx, cy] = place(node[key], i);
          return Math.abs(px - cx) <= column / 2 && Math.abs(py - cy) <= HALF + 4;
        });
        if (found === undefined) continue;
        state.chosen = found;
        grip = { kind, from: px, value: state[kind][found] };
        update();
        return true;
      }
      return false;
    },
    move(px) {
      const { min, max, step } = frames[grip.kind];
      const steps = Math.round((px - grip.from) / 3); // three pixels a step
      const value = Math.min(max, Math.max(min, grip.value + steps * step));
      set(grip.kind, tidy(value));
    },
  });

  function set(kind, value) {
    state[kind][state.chosen] = value;
    update();
  }

  function setAll(kind, values) {
    state[kind] = [...values];
    update();
  }

  function go(step) {
    state.step = Math.min(LAST, Math.max(0, step));
    update();
  }

  // ---- what it says --------------------------------------------------------------------------

  function update() {
    const { values, gradients } = flow(state.step);
    const dx = gradients.x ?? each(() => 0);
    figure.root.dataset.step = state.step;
    figure.root.dataset.eps = state.eps;
    stage.paint();
    steps.set(state.step);
    picker.set(state.chosen);
    sliders.x.set(state.x[state.chosen]);
    sliders.dy.set(state.dy[state.chosen]);
    show("sum", dust(total(dx), dx));
    show("along", dust(total(each((i) => dx[i] * values.xhat[i])), dx));
    show("gamma", gradients.gamma?.[0] ?? 0);
    show("beta", gradients.beta?.[0] ?? 0);
    figure.say(words(values, gradients));
  }

  /** A sum that is nothing but the rounding of its terms is 0. */
  function dust(sum, terms) {
    return Math.abs(sum) < 1e-12 * total(terms.map(Math.abs)) ? 0 : sum;
  }

  function words(values, gradients) {
    const { now, forth } = passing(state.step);
    const list = (numbers) => numbers.map(brief).join(", ");
    if (!now) return "Nothing is computed yet: there are the x, and the dy that the loss will send back. Press Next.";
    const where = `Step ${state.step} of ${LAST}`;
    if (forth) return `${where}, forward: ${now.rule}: ${list(values[now.key])}.`;
    const back = `${where}, back through ${now.rule}: ${now.hands}.`;
    if (state.step < LAST) return back;
    const dx = gradients.x;
    const most = Math.max(...dx.map(Math.abs));
    const without = Math.max(...state.dy.map(Math.abs)) * Math.abs(data.gamma) * values.r[0];
    if (most <= 1e-3 * without) return `${back} Practically nothing arrives: the dy are a constant plus a multiple of x\u0302.`;
    return `${back} At x: ${list(dx)}, which add up to 0.`;
  }

  update();
}
