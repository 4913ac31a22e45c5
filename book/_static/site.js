// What scrolls sideways must be reachable by keyboard: wide equations and wide tables get a tab stop
// while they overflow. (The theme does the same for code and for outputs.)
(() => {
  const mark = () => {
    for (const box of document.querySelectorAll(".bn-scroll")) {
      if (box.scrollWidth > box.clientWidth + 1) {
        box.tabIndex = 0;
      } else {
        box.removeAttribute("tabindex");
      }
    }
  };
  mark();
  addEventListener("load", mark);
  addEventListener("resize", mark);
  document.fonts?.ready.then(mark);
})();
