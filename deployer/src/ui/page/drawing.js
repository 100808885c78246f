
"use strict";
// Drawings can be moved and enlarged: by the wheel, by dragging, by two fingers, by the keys + - 0 and the arrows.
for (const figure of document.querySelectorAll(".drawing")) {
  const svg = figure.querySelector("svg");
  const whole = svg.viewBox.baseVal;
  const start = { x: whole.x, y: whole.y, width: whole.width, height: whole.height };
  const view = { ...start };
  const box = svg.getBoundingClientRect();
  const fills = figure.hasAttribute("data-fills");
  figure.classList.add("live");
  figure.tabIndex = 0;
  if (!fills) svg.style.height = `${box.height}px`;
  const show = () => svg.setAttribute("viewBox", `${view.x} ${view.y} ${view.width} ${view.height}`);
  // Returns how many units of the drawing a pixel is, and where the drawing begins in its element.
  const scale = () => {
    const area = svg.getBoundingClientRect();
    const unit = Math.max(view.width / area.width, view.height / area.height);
    const left = area.left + (area.width - view.width / unit) / 2;
    const top = area.top + (area.height - view.height / unit) / 2;
    return { unit, left, top };
  };
  const zoom = (factor, clientX, clientY) => {
    const { unit, left, top } = scale();
    const width = Math.min(Math.max(view.width * factor, start.width / 20), start.width * 4);
    const by = width / view.width;
    const x = view.x + (clientX - left) * unit;
    const y = view.y + (clientY - top) * unit;
    view.x = x - (x - view.x) * by;
    view.y = y - (y - view.y) * by;
    view.width *= by;
    view.height *= by;
    show();
  };
  const middle = (factor) => {
    const area = svg.getBoundingClientRect();
    zoom(factor, area.left + area.width / 2, area.top + area.height / 2);
  };
  const move = (right, down) => {
    const { unit } = scale();
    view.x += right * unit;
    view.y += down * unit;
    show();
  };
  const reset = () => {
    Object.assign(view, start);
    show();
  };
  svg.addEventListener("wheel", (event) => {
    // In a page that is longer than the window the wheel alone goes on through the page.
    if (!fills && !event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    zoom(Math.exp(Math.max(-60, Math.min(60, event.deltaY)) / 240), event.clientX, event.clientY);
  }, { passive: false });
  const held = new Map();
  let moved = 0;
  svg.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    if (held.size === 0) moved = 0;
    held.set(event.pointerId, { x: event.clientX, y: event.clientY });
  });
  const apart = ([one, other]) => Math.hypot(one.x - other.x, one.y - other.y);
  svg.addEventListener("pointermove", (event) => {
    const last = held.get(event.pointerId);
    if (!last) return;
    const now = { x: event.clientX, y: event.clientY };
    moved += Math.hypot(now.x - last.x, now.y - last.y);
    if (moved > 4 && !svg.hasPointerCapture(event.pointerId)) {
      svg.setPointerCapture(event.pointerId);
      figure.classList.add("held");
    }
    if (held.size === 2) {
      const before = apart([...held.values()]);
      held.set(event.pointerId, now);
      const [one, other] = [...held.values()];
      zoom(before / Math.max(1, apart([one, other])), (one.x + other.x) / 2, (one.y + other.y) / 2);
    } else {
      held.set(event.pointerId, now);
      move(last.x - now.x, last.y - now.y);
    }
  });
  const release = (event) => {
    held.delete(event.pointerId);
    if (held.size === 0) figure.classList.remove("held");
  };
  svg.addEventListener("pointerup", release);
  svg.addEventListener("pointercancel", release);
  // What ends a drag is no click on a link.
  svg.addEventListener("click", (event) => {
    if (moved > 4) event.preventDefault();
  }, true);
  svg.addEventListener("dragstart", (event) => event.preventDefault());
  const keys = {
    "+": () => middle(0.8),
    "=": () => middle(0.8),
    "-": () => middle(1.25),
    0: reset,
    ArrowLeft: () => move(-60, 0),
    ArrowRight: () => move(60, 0),
    ArrowUp: () => move(0, -60),
    ArrowDown: () => move(0, 60),
  };
  figure.addEventListener("keydown", (event) => {
    const act = keys[event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
  });
  const tools = document.createElement("div");
  tools.className = "tools";
  for (const [text, label, act] of [
    ["+", "Enlarge", () => middle(0.8)],
    ["−", "Make smaller", () => middle(1.25)],
    ["fit", "Show all of it", reset],
  ]) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = text;
    button.title = label;
    button.setAttribute("aria-label", label);
    button.addEventListener("click", act);
    tools.append(button);
  }
  figure.prepend(tools);
  addEventListener("beforeprint", reset);
  // What would be too small to read begins at its upper end, as wide as the window.
  const { unit } = scale();
  if (fills && unit > 1.8) {
    const area = svg.getBoundingClientRect();
    const width = Math.min(start.width, area.width * 1.2);
    Object.assign(view, { width, height: (width * area.height) / area.width });
    show();
  }
}
