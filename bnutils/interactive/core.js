// Shared by every interactive figure: elements, scales, controls, dragging, and the start.
// A figure is a function build(figure, data): it adds controls to `figure`, keeps its own state,
// and redraws everything from that state whenever it changes. Nothing here reaches outside the page.

/** An HTML element; `attributes` are set as attributes, functions as event listeners. */
function html(tag, attributes = {}, ...children) {
  return furnish(document.createElement(tag), attributes, children);
}

/** An SVG element, in the same way. */
function svg(tag, attributes = {}, ...children) {
  return furnish(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function furnish(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(name, value);
    else if (value !== false && value != null) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children);
  return node;
}

/** A linear map from the interval `domain` to the interval `range`, with its inverse. */
function linear([d0, d1], [r0, r1]) {
  const slope = (r1 - r0) / (d1 - d0);
  const map = (value) => r0 + (value - d0) * slope;
  map.invert = (position) => d0 + (position - r0) / slope;
  map.domain = [d0, d1];
  map.clamped = (value) => map(Math.min(d1, Math.max(d0, value)));
  return map;
}

/** The step 1, 2 or 5 times a power of ten that cuts `span` into about `count` parts. */
function niceStep(span, count) {
  const power = 10 ** Math.floor(Math.log10(span / count));
  return tidy(power * [1, 2, 5, 10].find((factor) => factor * power * count >= span * 0.999));
}

/** Without the dust that adding binary fractions leaves: 0.30000000000000004 becomes 0.3. */
function tidy(value) {
  return Number(value.toPrecision(12));
}

/** Round values within [low, high], about `count` of them. */
function ticks([low, high], count) {
  const step = niceStep(high - low, count);
  const first = Math.ceil(low / step);
  const length = Math.floor(high / step) - first + 1;
  return Array.from({ length }, (_, i) => tidy((first + i) * step));
}

/** A number for reading: a true minus sign, and no minus before a zero. */
function format(value, decimals = 2) {
  const text = Math.abs(value).toFixed(decimals);
  return value < 0 && Number(text) !== 0 ? `\u2212${text}` : text;
}

/** A horizontal axis at height y, with ticks and their numbers below it or above it. */
function horizontalAxis(scale, y, { count = 7, above = false } = {}) {
  const [low, high] = scale.domain;
  const side = above ? -1 : 1;
  const decimals = Math.max(0, -Math.floor(Math.log10(niceStep(high - low, count)) + 1e-9));
  return svg(
    "g",
    { class: "bn-axis-group" },
    svg("path", { class: "bn-axis", d: `M${scale(low)} ${y}H${scale(high)}` }),
    ...ticks(scale.domain, count).flatMap((value) => [
      svg("path", { class: "bn-axis", d: `M${scale(value)} ${y}v${5 * side}` }),
      svg(
        "text",
        { x: scale(value), y: y + (above ? -10 : 19), "text-anchor": "middle" },
        format(value, decimals),
      ),
    ]),
  );
}

/** Moves a value smoothly; at once for readers who asked for reduced motion. */
function glide(from, to, step, milliseconds = 700) {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return step(to, true);
  const start = performance.now();
  const frame = (now) => {
    const t = Math.min(1, Math.max(0, (now - start) / milliseconds));
    const goOn = step(t === 1 ? to : from + (to - from) * (1 - (1 - t) ** 3), t === 1);
    if (t < 1 && goOn !== false) requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
}

/** What a figure's build function works with. */
class Figure {
  constructor(root) {
    this.root = root;
    this.id = root.id;
    this.label = root.querySelector(".bn-title").textContent;
    this.body = root.querySelector(".bn-body");
    // JupyterLab takes arrow keys for its own unless the focused element itself bears this mark.
    root.addEventListener("focusin", ({ target }) => {
      target.setAttribute("data-lm-suppress-shortcuts", "true");
    });
    this.summary = html("p", { class: "bn-summary", role: "status" });
  }

  add(...nodes) {
    this.body.append(...nodes);
  }

  /** An SVG that is drawn anew, in true pixels, whenever its width changes: draw(svg, width). */
  stage(height, draw) {
    const stage = svg("svg", { role: "img", "aria-label": this.label, height });
    const paint = () => {
      const width = stage.clientWidth || stage.parentElement?.clientWidth || 640;
      stage.setAttribute("viewBox", `0 0 ${width} ${height}`);
      draw(stage, width);
    };
    let seen = 0;
    new ResizeObserver(([entry]) => {
      if (Math.abs(entry.contentRect.width - seen) < 1) return;
      seen = entry.contentRect.width;
      paint();
    }).observe(stage);
    this.add(html("div", { class: "bn-stage" }, stage));
    return { element: stage, paint };
  }

  controls(...nodes) {
    this.add(html("div", { class: "bn-controls" }, ...nodes));
  }

  /** A labelled slider with its value beside the label. */
  slider(name, { min, max, step, show = format, input }) {
    // The slider tells its own value to screen readers, so this one is for the eye alone. It stands
    // outside the label: a label names the first control within it, and an output counts as one.
    const output = html("output", { "aria-live": "off" });
    const range = html("input", {
      type: "range", min, max, step,
      input: () => input(Number(range.value)),
    });
    const element = html(
      "div",
      { class: "bn-control bn-wide" },
      html("label", {}, html("span", { class: "bn-name" }, name), range),
      output,
    );
    const set = (value) => {
      // While the reader's own hand is on it, writing the value back would only fight the hand.
      if (Number(range.value) !== value) range.value = value;
      output.textContent = show(value);
      range.setAttribute("aria-valuetext", show(value));
    };
    return { element, range, set };
  }

  /** One of a few: a radio group. `options` maps values to words. */
  choice(name, options, { value, change }) {
    const radios = Object.entries(options).map(([key, words]) =>
      html(
        "label",
        {},
        html("input", {
          type: "radio", name: `${this.id}-${name}`, value: key, checked: key === value,
          change: () => change(key),
        }),
        words,
      ),
    );
    return html(
      "fieldset",
      { class: "bn-control" },
      html("legend", {}, name),
      html("div", { class: "bn-options" }, ...radios),
    );
  }

  /** One of many: a drop-down list. `options` is a list of words; the value is the index. */
  picker(name, options, { value, change }) {
    const select = html(
      "select",
      { change: () => change(Number(select.value)) },
      ...options.map((words, i) => html("option", { value: i, selected: i === value }, words)),
    );
    const element = html(
      "label",
      { class: "bn-control" },
      html("span", { class: "bn-name" }, name),
      select,
    );
    return { element, set: (index) => (select.value = index) };
  }

  button(words, click) {
    return html("button", { type: "button", click }, words);
  }

  /** Named numbers below the picture; each keeps its exact value in data-value. */
  readouts(names) {
    const cells = Object.entries(names).map(([key, words]) => {
      const title = html("span", { class: "bn-name" }, words);
      const number = html("span", { class: "bn-number", "data-readout": key });
      return { key, title, number };
    });
    const boxes = cells.map(({ title, number }) => html("div", {}, title, number));
    this.add(html("div", { class: "bn-readouts" }, ...boxes));
    return (key, value, { name, decimals = 3 } = {}) => {
      const cell = cells.find((each) => each.key === key);
      if (name) cell.title.textContent = name;
      cell.number.dataset.value = value;
      cell.number.textContent = format(value, decimals);
    };
  }

  /** A key to the marks: pairs of an SVG mark, drawn in a 14 by 14 box, and words. */
  legend(...pairs) {
    this.add(
      html(
        "div",
        { class: "bn-legend" },
        ...pairs.map(([mark, words]) =>
          html("span", {}, svg("svg", { viewBox: "0 0 14 14", "aria-hidden": "true" }, mark), words),
        ),
      ),
    );
  }

  /** Says in words what is seen. Screen readers hear it once the reader's hand has come to rest. */
  say(words) {
    clearTimeout(this.timer);
    if (!this.summary.isConnected) {
      this.add(this.summary);
      this.summary.textContent = words;
    }
    this.timer = setTimeout(() => {
      if (this.summary.textContent !== words) this.summary.textContent = words;
    }, 250);
  }
}

/** Dragging by mouse, pen or finger. `grab(x, y, reach)` says whether something is held there. */
function draggable(stage, { grab, move }) {
  let held = null;
  const place = (event) => {
    const box = stage.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  stage.addEventListener("pointerdown", (event) => {
    if (held !== null || event.button !== 0) return;
    const reach = event.pointerType === "mouse" ? 16 : 28;
    if (!grab(...place(event), reach)) return;
    held = event.pointerId;
    stage.setPointerCapture(held);
    stage.classList.add("bn-dragging");
    event.preventDefault();
  });
  stage.addEventListener("pointermove", (event) => {
    if (event.pointerId === held) move(...place(event));
  });
  for (const end of ["pointerup", "pointercancel"]) {
    stage.addEventListener(end, (event) => {
      if (event.pointerId !== held) return;
      held = null;
      stage.classList.remove("bn-dragging");
    });
  }
}

/** The still picture is the output just before this one: an element with an image and no words. */
function stillPicture(root) {
  for (let node = root; !node.matches(".cell, .jp-OutputArea, body"); node = node.parentElement) {
    const before = node.previousElementSibling;
    if (!before) continue;
    if (before.textContent.trim()) return null;
    if (before.matches("img") || before.querySelector("img")) return before;
  }
  return null;
}

/** Brings the figure to life; if that fails, the still picture and the note stay. */
function start(id, build) {
  const here = document.currentScript?.closest(".bn-figure");
  const root = here ?? document.querySelector(`#${id}:not([data-alive])`);
  const still = root.querySelector(".bn-still-note");
  try {
    const data = JSON.parse(root.querySelector("script.bn-measured").textContent);
    root.querySelector(".bn-body").hidden = false;
    build(new Figure(root), data);
  } catch (error) {
    root.querySelector(".bn-body").hidden = true;
    console.error(`interactive figure ${id}:`, error);
    return;
  }
  still.hidden = true;
  root.dataset.alive = "true";
  const picture = stillPicture(root);
  if (picture) {
    picture.style.display = "none";
    picture.dataset.bnStill = id;
  }
}
