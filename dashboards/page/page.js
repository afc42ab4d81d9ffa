// Keys and history of the page; everything else is pushed by the server.
window.acrophase = {
  // Another person is shown: start at the top (on a narrow screen the whole page scrolls).
  top() {
    for (const place of document.querySelectorAll(".page section, .page aside")) place.scrollTop = 0;
    if (matchMedia("(max-width: 820px)").matches) scrollTo(0, 0);
  },
};

document.documentElement.lang = "en"; // what screen readers are to speak

window.addEventListener("popstate", () => emitEvent("acrophase-view", location.search));

// Arrow keys walk the queue; Enter is the link's own.
document.addEventListener("keydown", (event) => {
  const row = event.target.closest?.(".queue > a");
  if (!row || event.ctrlKey || event.metaKey || event.altKey) return;
  const to = {
    ArrowDown: row.nextElementSibling,
    ArrowUp: row.previousElementSibling,
    Home: row.parentElement.firstElementChild,
    End: row.parentElement.lastElementChild,
  }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  to?.focus();
});

// A row that moves up the queue loses the focus when its element is moved: give it back. Not so if
// the reader has put the focus elsewhere, or nowhere, with the pointer.
let focused = null;
document.addEventListener("focusin", (event) => {
  focused = event.target.closest?.(".queue > a") ?? null;
});
document.addEventListener("pointerdown", () => (focused = null));
document.addEventListener("DOMContentLoaded", () => {
  new MutationObserver(() => {
    if (focused?.isConnected && document.activeElement === document.body) {
      focused.focus({ preventScroll: true });
    }
  }).observe(document.body, { childList: true, subtree: true });
});
