// Reads out a chart's days one by one, under the pointer or with the arrow keys; the table below has the same numbers.
for (const chart of document.querySelectorAll(".chart[data-notes]")) {
  const notes = chart.dataset.notes.split("|");
  const svg = chart.querySelector("svg");
  const told = chart.querySelector("output");
  let at = notes.length;
  const tell = (to) => {
    at = Math.max(0, Math.min(notes.length - 1, to));
    told.textContent = notes[at];
  };
  svg.tabIndex = 0;
  told.textContent = "Point at a day, or go through them with the arrow keys.";
  svg.addEventListener("pointermove", ({ clientX }) => {
    const box = svg.getBoundingClientRect();
    tell(Math.round((clientX - box.left) / box.width * (notes.length - 1)));
  });
  svg.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    tell(at + step);
  });
}
