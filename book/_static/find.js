// Narrows and sorts the tables of a page that has a .bn-find box: the symptom index, the ledger.
// Without this script, and in print, every row is there. The box brings its settings as JSON (see
// book/_ext/site_find.py); what is chosen stands in the page's address, so that it can be linked.
(() => {
  const box = document.querySelector(".bn-find");
  const settings = JSON.parse(box.dataset.find);
  const none = box.querySelector(".bn-none");
  const article = box.closest("article") ?? document.body;
  const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

  /** An element with attributes, functions being listeners, and children. */
  function make(tag, attributes = {}, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (typeof value === "function") node.addEventListener(name, value);
      else node.setAttribute(name, value);
    }
    node.append(...children);
    return node;
  }

  // ---- words -------------------------------------------------------------------------------------

  // What a sentence can do without: "my loss is NaN" asks for loss and NaN.
  const SMALL = new Set(
    ("a an and are as at be but by do does doesnt dont for from get gets has have how i if in into is isnt it its " +
      "me much my no not of on or our so than that the then there they this to too very was we when while why with").split(" "),
  );

  /** Lower case, no accents, no punctuation. */
  const plain = (text) =>
    text.normalize("NFKD").replace(/[\p{M}'\u2019]/gu, "").toLowerCase().replace(/[^\p{L}\p{N}]+/gu, " ").trim();

  // What two forms of a word may differ in. It leaves three letters, and "overfit", of "overfitting", one t.
  const ENDING = /(?<=\p{L}{3})(i[sz])?(at)?(ions?|ings?|e[sd]?)$|(?<=\p{L}{3})(ly|s|[1-3]d)$/u;
  const stem = (word) => word.replace(ENDING, "").replace(/(\p{L})\1$/u, "$1");
  const synonyms = settings.synonyms.map((group) => group.map(stem));

  /** A word that is asked for, with its stem and those of the words that the page calls its equals. */
  const asking = (word) => ({ word, stems: [stem(word), ...synonyms.filter((group) => group.includes(stem(word))).flat()] });

  /** Does a row answer it? A word of which four letters stand there may be about to be typed. */
  const answers = (row, { word, stems }) =>
    stems.some((own) => row.stems.has(own)) || (word.length > 3 && row.words.some((own) => own.startsWith(word)));

  // ---- the rows ----------------------------------------------------------------------------------

  const slug = (heading) => plain(heading).replaceAll(" ", "-");

  const tables = [...article.querySelectorAll("table:has(thead)")].map((node) => {
    const heads = [...node.tHead.rows[0].cells];
    const columns = heads.map((head) => head.textContent.trim());
    const section = node.closest("section");
    const rows = [...node.tBodies[0].rows].map((row, place) => {
      const cells = [...row.cells].map((cell) => cell.textContent.trim().replace(/\s+/g, " "));
      // "14, Stuck in train mode" and "14 · Stuck in train mode" do not speak of fourteen.
      const unnumbered = cells.map((cell) => cell.replace(/(^|; )\d+(,| \u00b7) /g, "$1"));
      const words = plain(unnumbered.join(" ")).split(" ");
      return { node: row, place, cells, words, stems: new Set(words.map(stem)) };
    });
    return { node, heads, columns, section, rows, body: node.tBodies[0], apart: section.id === settings.apart };
  });

  /** A row's cell in the column of that name, or null if its table has no such column. */
  const cell = (table, row, column) => row.cells[table.columns.indexOf(column)] ?? null;

  // ---- the controls --------------------------------------------------------------------------------

  /** A control below its label, which stands beside it: a label around a list holds its options, too. */
  function labelled(words, control, look = "") {
    control.id = `find-${slug(words)}`;
    return make("div", { class: `bn-field ${look}` }, make("label", { for: control.id }, words), control);
  }

  const search = make("input", { type: "search", autocomplete: "off", spellcheck: "false", enterkeyhint: "search", input: changed });
  const filters = settings.filters.map((column) => {
    const found = tables.flatMap((table) => table.rows.map((row) => cell(table, row, column)));
    const values = [...new Set(found)].filter((value) => value !== null).sort(collator.compare);
    // "2 · Normalizing a minibatch" is 2 in the address.
    const options = values.map((value) => make("option", { value: value.split(" \u00b7 ")[0] }, value));
    const select = make("select", { change: changed }, make("option", { value: "" }, "all"), ...options);
    return { column, key: slug(column), select, texts: new Map(options.map((o) => [o.value, o.textContent])) };
  });
  // On a phone the headings are gone: this list sorts in their place.
  const order = make(
    "select",
    { change: changed },
    make("option", { value: "" }, settings.order),
    ...settings.sort.flatMap((column) => [
      make("option", { value: slug(column) }, `${column}, ascending`),
      make("option", { value: `-${slug(column)}` }, `${column}, descending`),
    ]),
  );
  const reset = make("button", { type: "button", click: clear }, "Reset");
  const status = make("p", { class: "bn-count", role: "status", "aria-live": "polite" });

  box.prepend(
    make(
      "form",
      { class: "bn-tools", role: "search", "aria-label": settings.label, submit: (event) => event.preventDefault() },
      labelled(settings.prompt, search, "bn-wide"),
      ...filters.map(({ column, select }) => labelled(column, select)),
      ...(settings.sort.length ? [labelled("Sort by", order, "bn-phone")] : []),
      reset,
    ),
    status,
  );

  // Each heading that sorts becomes a button.
  const headings = tables.flatMap((table) =>
    table.heads.flatMap((head, i) => {
      if (!settings.sort.includes(table.columns[i])) return [];
      const key = slug(table.columns[i]);
      const press = () => {
        order.value = order.value === key ? `-${key}` : key;
        changed();
      };
      head.replaceChildren(make("button", { type: "button", class: "bn-sort", click: press }, table.columns[i]));
      return [{ head, key }];
    }),
  );

  // ---- narrowing -----------------------------------------------------------------------------------

  /** Does a row fit what is chosen in the lists? */
  const chosen = (table, row) =>
    filters.every(({ column, select, texts }) => !select.value || cell(table, row, column) === texts.get(select.value));

  /** Score the rows that are open to choice by the words that they answer, rare ones for more; return the best score. */
  function judge(asked) {
    const open = tables.flatMap((table) => table.rows.filter((row) => (row.open = chosen(table, row))));
    for (const row of open) row.answered = row.score = 0;
    for (const word of asked) {
      const found = open.filter((row) => answers(row, word));
      for (const row of found) {
        row.answered += 1;
        row.score += Math.log(1 + open.length / found.length);
      }
    }
    return Math.max(0, ...open.map((row) => row.score));
  }

  /** Shares such as "4 of 5" go by their size, all else by number and letter. */
  function compare(a, b) {
    const [x, y] = [a, b].map((text) => text.match(/^(\d+) of (\d+)$/));
    if (x && y) return x[1] / x[2] - y[1] / y[2] || x[2] - y[2];
    return collator.compare(a, b);
  }

  function sort(table) {
    const way = order.value.startsWith("-") ? -1 : 1;
    const column = table.columns.findIndex((name) => order.value && slug(name) === order.value.replace(/^-/, ""));
    const rows = [...table.rows];
    if (column >= 0) rows.sort((a, b) => way * compare(a.cells[column], b.cells[column]) || a.place - b.place);
    else if (settings.closest) rows.sort((a, b) => b.score - a.score || a.place - b.place);
    // To move what stands right already would have the whole table laid out again.
    const moved = rows.some(({ node }, place) => table.body.rows[place] !== node);
    if (moved) table.body.append(...rows.map(({ node }) => node));
  }

  const hide = (node, yes) => node?.classList.toggle("bn-filtered", yes);

  function show() {
    const words = plain(search.value).split(" ").filter((word) => word && !SMALL.has(word));
    const asked = words.map(asking);
    const narrowed = asked.length > 0 || filters.some(({ select }) => select.value);
    const best = judge(asked);
    const whole = (row) => row.open && row.answered === asked.length;
    // A symptom is told in many ways: rows that lack a word or two may be shown as well.
    const near = (row) => row.open && best > 0 && row.score >= 0.6 * best;
    const fits = settings.closest && asked.length ? near : whole;
    for (const table of tables) {
      for (const row of table.rows) {
        row.shown = fits(row);
        hide(row.node, !row.shown);
      }
      table.count = table.rows.filter(({ shown }) => shown).length;
      const empty = narrowed && table.count === 0;
      hide(table.section, empty);
      hide(document.querySelector(`.page-toc a[href="#${table.section.id}"]`)?.closest("li"), empty);
      sort(table);
    }
    for (const node of article.querySelectorAll(".bn-preamble")) hide(node, narrowed);
    for (const { head, key } of headings) {
      if (order.value.replace(/^-/, "") !== key) head.removeAttribute("aria-sort");
      else head.setAttribute("aria-sort", order.value === key ? "ascending" : "descending");
    }
    status.textContent = says(whole);
    none.hidden = tables.some((table) => table.rows.some(whole));
  }

  const sum = (some, number) => some.reduce((total, table) => total + number(table), 0);
  const shown = (some) => sum(some, (table) => table.count);
  const all = (some) => sum(some, (table) => table.rows.length);
  const count = (some) => `${shown(some) || "none"} of ${all(some)}`;

  /** "37 of 285 claims.", and what else there is to say. */
  function says(whole) {
    const own = tables.filter(({ apart }) => !apart);
    const full = sum(own, (table) => table.rows.filter(whole).length);
    const close = shown(own) - full;
    const found = close
      ? [`${full || "none"} of ${all(own)} ${settings.noun} ${full > 1 ? "have" : "has"} all of these words`, `Close to them: ${close}`]
      : [`${count(own)} ${settings.noun}`];
    const beside = tables.filter(({ apart }) => apart);
    const apart = beside.map((table) => `${table.section.querySelector("h2").firstChild.textContent}: ${count([table])}`);
    const sorted = order.value ? [`Sorted by ${order.selectedOptions[0].textContent}`] : [];
    const text = `${[...found, ...apart, ...sorted].join(". ")}.`;
    return text[0].toUpperCase() + text.slice(1);
  }

  // ---- the address (the theme keeps q for its own search) ---------------------------------------------

  const fields = [["find", search], ...filters.map(({ key, select }) => [key, select]), ["sort", order]];

  function read() {
    const asked = new URLSearchParams(location.search);
    for (const [key, field] of fields) {
      field.value = asked.get(key) ?? "";
      if (field.selectedIndex === -1) field.value = ""; // no such choice: as if nothing were asked
    }
  }

  function write() {
    const address = new URL(location.href);
    for (const [key, field] of fields) {
      if (field.value) address.searchParams.set(key, field.value);
      else address.searchParams.delete(key);
    }
    history.replaceState(history.state, "", address);
  }

  let timer;
  function changed() {
    show();
    clearTimeout(timer);
    timer = setTimeout(write, 250); // browsers refuse an address that changes with every letter
  }

  function clear() {
    for (const [, field] of fields) field.value = "";
    changed();
    search.focus();
  }

  read();
  show();
  addEventListener("popstate", () => {
    read();
    show();
  });
})();
