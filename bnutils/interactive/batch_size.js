// Turn the batch size, and see how far the means and standard deviations of real batches scatter,
// and how close the largest normalized value of each batch comes to its ceiling.
// data: units (name and values, one value for each image), sizes (batch sizes, M of them), start
// (one of their places), batches (how many), seed, eps.

function batch_size(figure, data) {
  const { sizes, batches } = data;
  const longest = sizes.at(-1);
  const images = data.units[0].values.length;
  const state = { size: data.start, unit: 0, round: 0 };

  const units = data.units.map(({ values }) => {
    const mu = values.reduce((sum, v) => sum + v, 0) / images;
    const sigma = Math.sqrt(values.reduce((sum, v) => sum + (v - mu) ** 2, 0) / images);
    return { values, mu, sigma };
  });

  // ---- the batches -----------------------------------------------------------------------------

  /** Number k of a stream of 32 random bits: mulberry32, which can be entered anywhere. */
  function bits(k) {
    const a = (data.seed + Math.imul(k + 1, 0x6d2b79f5)) | 0;
    let t = Math.imul(a ^ (a >>> 15), a | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  }

  /** Which images each batch draws, independently; a smaller batch is the beginning of it. */
  function draw(round) {
    const first = round * batches * longest;
    const image = (k) => Math.floor((bits(first + k) / 2 ** 32) * images);
    return Array.from({ length: batches }, (_, b) =>
      Array.from({ length: longest }, (_, i) => image(b * longest + i)),
    );
  }
  let picks = draw(0);

  /** One batch: its mean and standard deviation, in the unit's own, and its largest |x hat|. */
  function measure(pick, m, { values, mu, sigma }) {
    const x = pick.slice(0, m).map((i) => values[i]);
    const mean = x.reduce((sum, v) => sum + v, 0) / m;
    const variance = x.reduce((sum, v) => sum + (v - mean) ** 2, 0) / m;
    const farthest = Math.max(...x.map((v) => Math.abs(v - mean)));
    return {
      mean: (mean - mu) / sigma,
      sd: Math.sqrt(variance) / sigma,
      largest: farthest / Math.sqrt(variance + data.eps),
    };
  }

  const rms = (values) => Math.sqrt(values.reduce((sum, v) => sum + v * v, 0) / values.length);

  /** All that is shown, from the state alone. */
  function look() {
    const m = sizes[state.size];
    const found = picks.map((pick) => measure(pick, m, units[state.unit]));
    const ceiling = Math.sqrt(m - 1);
    return {
      m, found, ceiling,
      noise: rms(found.map(({ mean }) => mean)),
      spread: rms(found.map(({ sd }) => sd)),
      largest: Math.max(...found.map(({ largest }) => largest)),
      noisePredicted: Math.sqrt(1 / m),
      spreadPredicted: Math.sqrt((m - 1) / m),
      touching: found.filter(({ largest }) => largest > 0.99 * ceiling).length,
      blank: found.filter(({ sd }) => sd === 0).length,
      beyond: found.filter((batch) => !inFrame(batch)).length,
    };
  }

  // ---- the picture -----------------------------------------------------------------------------

  // The frame stays put while the dial turns, so that what shrinks is the cloud.
  const REACH = 2.5;
  const inFrame = ({ mean, sd }) => Math.abs(mean) <= REACH && sd <= REACH;
  const LEFT = 34;
  const CLOUD = { top: 44, bottom: 264 };
  const STRIP = { top: 362, bottom: 426 };
  const MARKS = [0, 1, 2, 4, 9, 16];
  const soft = { stroke: "var(--bn-line)", "stroke-width": 1 };
  const law = { stroke: "var(--bn-green)", "stroke-width": 2, "stroke-dasharray": "7 4", fill: "none" };

  const stage = figure.stage(476, (canvas, width) => {
    const shown = look();
    const right = width - 12;
    const toMean = linear([-REACH, REACH], [LEFT, right]);
    const toSd = linear([0, REACH], [CLOUD.bottom, CLOUD.top]);
    const root = linear([0, Math.sqrt(1.1 * Math.sqrt(longest - 1))], [LEFT, right]);
    const toLargest = (value) => root(Math.sqrt(value));
    canvas.replaceChildren(
      ...cloud(shown, toMean, toSd, right, width),
      ...strip(shown, toLargest, right),
    );
  });

  function cloud({ found, noise, noisePredicted, spreadPredicted }, toMean, toSd, right, width) {
    const count = width < 480 ? 6 : 11;
    const [low, high] = [-noisePredicted, noisePredicted].map(toMean);
    const { top, bottom } = CLOUD;
    return [
      svg("text", { class: "bn-strong", x: 0, y: 14 }, `${batches} batches: standard deviation, in \u03c3`),
      ...ticks([0, REACH], 5).flatMap((value) => [
        svg("path", { ...soft, d: `M${LEFT} ${toSd(value)}H${right}` }),
        svg("text", { x: LEFT - 7, y: toSd(value) + 4, "text-anchor": "end", "data-tick": "sd" }, format(value, 1)),
      ]),
      svg("rect", { x: low, y: top, width: high - low, height: bottom - top, fill: "var(--bn-green)", "fill-opacity": 0.14, "data-law": "mean" }),
      svg("path", { ...law, d: `M${low} ${top}V${bottom}M${high} ${top}V${bottom}` }),
      svg("path", { ...law, d: `M${LEFT} ${toSd(spreadPredicted)}H${right}`, "data-law": "sd" }),
      ...found.map((batch) => point(batch, toMean, toSd)),
      // What was measured, as a bracket above what was predicted.
      svg("path", {
        d: `M${toMean(-noise)} ${top - 4}V${top - 13}H${toMean(noise)}V${top - 4}`, "data-measured": "mean",
        stroke: "var(--bn-vermilion)", "stroke-width": 2.4, fill: "none",
      }),
      horizontalAxis(toMean, bottom, { count }),
      svg("text", { x: (LEFT + right) / 2, y: bottom + 40, "text-anchor": "middle" }, "batch mean minus \u03bc, in \u03c3"),
    ];
  }

  /** A batch in the cloud; one that lies beyond the frame is a triangle at its edge. */
  function point(batch, toMean, toSd) {
    const x = toMean.clamped(batch.mean);
    const y = toSd.clamped(batch.sd);
    const marks = { fill: "var(--bn-blue)", "fill-opacity": 0.55, "data-mean": batch.mean, "data-sd": batch.sd };
    return inFrame(batch)
      ? svg("circle", { cx: x, cy: y, r: 3.2, ...marks })
      : svg("path", { d: `M${x - 5} ${y + 5}h10l-5 -9z`, ...marks });
  }

  function strip({ found, m, ceiling }, toLargest, right) {
    const { top, bottom } = STRIP;
    const at = toLargest(ceiling);
    const rows = 13; // dots of equal height would hide each other
    return [
      svg("text", { class: "bn-strong", x: 0, y: top - 32 }, "largest |x\u0302| of each batch"),
      ...MARKS.filter((mark) => toLargest(mark) <= right).flatMap((mark) => [
        svg("path", { ...soft, d: `M${toLargest(mark)} ${top}V${bottom + 5}` }),
        svg("text", { x: toLargest(mark), y: bottom + 20, "text-anchor": "middle", "data-tick": "largest" }, String(mark)),
      ]),
      svg("path", { class: "bn-axis", d: `M${LEFT} ${bottom}H${right}` }),
      ...found.map(({ largest }, b) =>
        svg("circle", {
          cx: toLargest(largest), cy: top + 6 + (((b * 5) % rows) / (rows - 1)) * (bottom - top - 14), r: 3.2,
          fill: largest > 0.99 * ceiling ? "var(--bn-vermilion)" : "var(--bn-blue)",
          "fill-opacity": 0.55, "data-largest": largest,
        }),
      ),
      svg("path", { ...law, d: `M${at} ${top - 8}V${bottom}`, "data-law": "largest" }),
      svg("text", {
        x: Math.min(at, right - 62), y: top - 13, "text-anchor": at < 90 ? "start" : "middle",
      }, `\u221a(${m}\u22121) = ${format(ceiling)}`),
      svg("text", { x: (LEFT + right) / 2, y: bottom + 40, "text-anchor": "middle" }, "|x\u0302|, on an axis of square roots"),
    ];
  }

  // ---- the controls ----------------------------------------------------------------------------

  const dial = figure.slider("Batch size m", {
    min: 0, max: sizes.length - 1, step: 1,
    show: (i) => String(sizes[i]),
    input: (size) => go({ size }),
  });
  const picker = figure.picker("Unit", data.units.map(({ name }) => name), {
    value: state.unit,
    change: (unit) => go({ unit }),
  });
  figure.legend(
    [svg("circle", { cx: 7, cy: 7, r: 4, fill: "var(--bn-blue)" }), "a batch"],
    [svg("circle", { cx: 7, cy: 7, r: 4, fill: "var(--bn-vermilion)" }), "a batch within 1\u00a0% of its ceiling"],
    [svg("path", { d: "M0 7h14", stroke: "var(--bn-green)", "stroke-width": 2.4, "stroke-dasharray": "5 3" }), "predicted"],
    [svg("path", { d: "M2 11v-7h10v7", stroke: "var(--bn-vermilion)", "stroke-width": 2.2, fill: "none" }), "measured noise of the mean"],
  );
  figure.controls(dial.element, picker.element);
  figure.controls(
    figure.button("Draw other batches", () => {
      state.round += 1;
      picks = draw(state.round);
      update();
    }),
  );
  const show = figure.readouts({
    noise: "noise of the mean, in \u03c3", "noise-predicted": "predicted, 1/\u221am",
    spread: "typical sd, in \u03c3", "spread-predicted": "predicted, \u221a((m\u22121)/m)",
    largest: "largest |x\u0302| of all", ceiling: "its ceiling, \u221a(m\u22121)",
  });

  // ---- numbers and words -----------------------------------------------------------------------

  function go(change) {
    Object.assign(state, change);
    update();
  }

  function update() {
    const shown = look();
    Object.assign(figure.root.dataset, { m: shown.m, unit: state.unit, round: state.round });
    stage.paint();
    dial.set(state.size);
    picker.set(state.unit);
    show("noise", shown.noise);
    show("noise-predicted", shown.noisePredicted);
    show("spread", shown.spread);
    show("spread-predicted", shown.spreadPredicted);
    show("largest", shown.largest, { decimals: 2 });
    show("ceiling", shown.ceiling, { decimals: 2 });
    figure.say(words(shown));
  }

  function words({ m, noise, noisePredicted, touching, blank, beyond }) {
    const some = (count) => (count === batches ? "all" : count || "none");
    return [
      `m = ${m}: batch means scatter by ${format(noise, 3)} \u03c3 around the mean over all images; 1/\u221am is ${format(noisePredicted, 3)}.`,
      `Of ${batches} batches, ${some(touching)} come within 1\u00a0% of the ceiling.`,
      blank ? `In ${blank} all values are equal: standard deviation 0, and every x\u0302 is 0.` : "",
      beyond ? `${beyond} lie beyond the frame: triangles.` : "",
    ].filter(Boolean).join(" ");
  }

  update();
}
