// Cards of the pipeline can be dragged from column to column; each has a Move menu that does the same.
let held = null;

function drop(column) {
  const from = held.closest(".board__column");
  const menu = held.querySelector("details");
  if (!menu || column === from) return;
  const form = menu.querySelector("form");
  form.stage.value = column.dataset.stage;
  if (Number(column.dataset.rank) < Number(from.dataset.rank)) {  // a step back has to be explained first
    menu.open = true;
    form.reason.required = true;
    form.reason.focus();
  } else {
    form.requestSubmit();
  }
}

for (const ticket of document.querySelectorAll(".ticket:has(details)")) {
  ticket.draggable = true;
  ticket.addEventListener("dragstart", (event) => {
    held = ticket;
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", ticket.dataset.lead);
    ticket.classList.add("moving");
  });
  ticket.addEventListener("dragend", () => { ticket.classList.remove("moving"); held = null; });
}
for (const column of document.querySelectorAll(".board__column")) {
  column.addEventListener("dragover", (event) => { if (held) { event.preventDefault(); column.classList.add("over"); } });
  column.addEventListener("dragleave", (event) => { if (!column.contains(event.relatedTarget)) column.classList.remove("over"); });
  column.addEventListener("drop", (event) => { event.preventDefault(); column.classList.remove("over"); if (held) drop(column); });
}
document.addEventListener("desk-key", (event) => {
  const menu = event.detail === "e" && document.activeElement?.closest(".ticket")?.querySelector("details");
  if (menu) { menu.open = true; menu.querySelector("select").focus(); event.preventDefault(); }
});
