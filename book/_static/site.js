// What scrolls must be reachable by keyboard: code, outputs, tables and equations get a tab stop
// while they overflow. What is near the window is seen to as it is laid out or changes its size; the
// rest, which is not laid out yet, when there is nothing else to do.
(() => {
  const scrollers = ".bn-scroll, pre, .cell_output > .output, .pst-scrollable-table-container";
  const boxes = [...document.querySelectorAll(scrollers)];
  const mark = box => {
    if (box.scrollWidth > box.clientWidth + 1 || box.scrollHeight > box.clientHeight + 1) {
      box.tabIndex = 0;
    } else {
      box.removeAttribute("tabindex");
    }
  };
  const observer = new ResizeObserver(entries => {
    for (const { target } of entries) mark(target.closest(scrollers));
  });
  for (const box of boxes) {
    observer.observe(box);
    if (box.matches(".bn-scroll")) observer.observe(box.firstElementChild); // a late font widens it
  }
  const idle = window.requestIdleCallback ?? (work => setTimeout(work, 50));
  let pass = 0;
  const markFar = (left, mine) => {
    if (mine !== pass || !left.length) return;
    mark(left.shift()); // one at a time: each may have its whole section laid out
    idle(() => markFar(left, mine));
  };
  for (const occasion of ["load", "resize"]) {
    addEventListener(occasion, () => markFar([...boxes], ++pass));
  }
})();

// The End key leads to the end and keeps there, though sections are laid out on the way and after it
// and the page grows; until the reader does something else.
(() => {
  let atEnd = false;
  const stay = () => {
    if (atEnd) scrollTo({ top: document.documentElement.scrollHeight, behavior: "instant" });
  };
  addEventListener("keydown", event => {
    atEnd = event.key === "End" && !event.defaultPrevented && event.target === document.body;
  });
  for (const other of ["wheel", "pointerdown", "touchstart"]) {
    addEventListener(other, () => (atEnd = false), { passive: true });
  }
  addEventListener("scrollend", stay);
  new ResizeObserver(stay).observe(document.body);
})();

// The theme leaves the sidebar where it stood on the last page; where the reader is must be in sight.
addEventListener("load", () => {
  const sidebar = document.querySelector(".bd-sidebar-primary");
  const here = sidebar?.querySelector(".current.active > a")?.getBoundingClientRect();
  const box = sidebar?.getBoundingClientRect();
  if (here && (here.top < box.top || here.bottom > box.bottom)) {
    sidebar.scrollTop += (here.top + here.bottom - box.top - box.bottom) / 2;
  }
});

// Paper is light, whatever the screen is.
(() => {
  const paper = matchMedia("print");
  const root = document.documentElement;
  let theme;
  paper.addEventListener("change", () => {
    if (paper.matches) {
      theme = root.dataset.theme;
      root.dataset.theme = "light";
    } else {
      root.dataset.theme = theme;
    }
  });
})();
