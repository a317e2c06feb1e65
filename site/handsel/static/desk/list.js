// Ticking in lists: how many are ticked, all of a page at once, x for the row one stands on, e for what to do with them.
const boxes = [...document.querySelectorAll(".list tbody .tickbox input")];
const acts = document.querySelector("#bulk-acts");
const all = document.querySelector("#tick-all");

function tell() {
  const ticked = boxes.filter((box) => box.checked).length;
  acts.querySelector(".bulk__count").textContent = ticked ? `${ticked} ticked` : "";
  acts.classList.toggle("bulk--ticked", ticked > 0);
  if (all) {
    all.checked = ticked === boxes.length;
    all.indeterminate = ticked > 0 && ticked < boxes.length;
  }
}

if (acts && boxes.length) {
  if (all) {
    all.hidden = false;
    all.addEventListener("change", () => { for (const box of boxes) box.checked = all.checked; tell(); });
  }
  for (const box of boxes) box.addEventListener("change", tell);
  document.addEventListener("desk-key", (event) => {
    if (event.detail === "e") {
      acts.open = true;
      acts.querySelector("select, input:not([type=hidden], [type=radio])")?.focus();
      event.preventDefault();
    }
    if (event.detail === "x") {
      const box = document.activeElement?.closest("tr")?.querySelector(".tickbox input");
      if (box) { box.click(); event.preventDefault(); }
    }
  });
  tell();
}
