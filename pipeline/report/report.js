// pipeline/report/report.js: what report.html does when it is touched: tables that sort, and a map that shows
// pictures. Without scripts the page says the same.
"use strict";

for (const table of document.querySelectorAll("table.sortable")) {
  const headers = [...table.tHead.rows[0].cells];
  headers.forEach((header, column) => {
    header.querySelector("button")?.addEventListener("click", () => {
      // Numbers begin with the largest, words with the first.
      const numbers = [...table.tBodies[0].rows].every((row) => !isNaN(parseFloat(row.cells[column].textContent)));
      const before = header.getAttribute("aria-sort");
      const descending = before ? before === "ascending" : numbers;
      headers.forEach((other) => other.removeAttribute("aria-sort"));
      header.setAttribute("aria-sort", descending ? "descending" : "ascending");
      const key = (row) => row.cells[column].textContent;
      const compare = numbers ? (a, b) => parseFloat(key(a)) - parseFloat(key(b))
                              : (a, b) => key(a).localeCompare(key(b));
      const rows = [...table.tBodies[0].rows].sort((a, b) => (descending ? compare(b, a) : compare(a, b)));
      table.tBodies[0].append(...rows);
    });
  });
}

const plane = document.querySelector(".map .plane");
if (plane) {
  const points = [...plane.querySelectorAll("use")];
  const detail = document.querySelector(".map .detail");
  const buttons = [...document.querySelectorAll(".map .legend button")];
  let current = -1;
  let label = null;
  const shown = (point) => label === null || point.dataset.label === label;

  const show = (index) => {
    points[current]?.classList.remove("current");
    current = index;
    const point = points[index];
    point.classList.add("current");
    const picture = document.getElementById("p" + point.dataset.image);
    detail.replaceChildren();
    if (picture) {
      const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
      svg.setAttribute("class", "picture");
      svg.setAttribute("viewBox", picture.getAttribute("viewBox"));
      svg.setAttribute("aria-hidden", "true");
      const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
      use.setAttribute("href", "#" + picture.id);
      svg.append(use);
      detail.append(svg);
    }
    const words = document.createElement("p");
    words.textContent = point.dataset.text;
    detail.append(words);
  };

  // The nearest point within reach of the pointer: points are small.
  plane.addEventListener("pointermove", (event) => {
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(plane.getScreenCTM().inverse());
    let nearest = -1;
    let least = 14 ** 2;
    points.forEach((point, index) => {
      if (!shown(point)) return;
      const distance = (point.x.baseVal.value - at.x) ** 2 + (point.y.baseVal.value - at.y) ** 2;
      if (distance < least) [nearest, least] = [index, distance];
    });
    if (nearest >= 0 && nearest !== current) show(nearest);
  });
  plane.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step || !points.some(shown)) return;
    event.preventDefault();
    let next = current;
    do next = (next + step + points.length) % points.length; while (!shown(points[next]));
    show(next);
  });
  for (const button of buttons) {
    button.addEventListener("click", () => {
      label = label === button.dataset.label ? null : button.dataset.label;
      buttons.forEach((other) => other.setAttribute("aria-pressed", String(other.dataset.label === label)));
      plane.classList.toggle("chosen", label !== null);
      points.forEach((point) => point.classList.toggle("shown", shown(point)));
    });
  }
}
