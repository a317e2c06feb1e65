// Keys for those who like them; every page works without. "Keys" under More switches them off.
const off = "desk-keys-off";
const off_now = () => { try { return localStorage.getItem(off) === "1"; } catch { return false; } };
const typing = (at) => at.closest("input:not([type=checkbox], [type=radio]), select, textarea, [contenteditable], dialog");
let going = 0;

function row(step) {
  const links = [...document.querySelectorAll(".list tbody th a, .ticket > a")];
  const here = document.activeElement?.closest("tr, .ticket");
  const at = links.findIndex((link) => here?.contains(link));
  links[Math.max(0, Math.min(links.length - 1, at < 0 ? 0 : at + step))]?.focus();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || off_now()) return;
  if (typing(event.target)) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (going && event.timeStamp - going < 1500) {
    going = 0;
    document.querySelector(`[data-go="${CSS.escape(event.key)}"]`)?.click();
    return;
  }
  const acts = {
    g: () => { going = event.timeStamp; },
    j: () => row(1),
    k: () => row(-1),
    "/": () => document.querySelector("input[type=search]")?.focus(),
    "?": () => { location.href = "/desk/keys"; },
  };
  const act = acts[event.key];
  if (act) { event.preventDefault(); act(); return; }
  // Other keys are for the scripts of single pages; whoever takes one says so.
  const taken = !document.dispatchEvent(new CustomEvent("desk-key", { detail: event.key, cancelable: true }));
  if (taken) event.preventDefault();
});

// What can be taken back says so for ten seconds in a corner, longer while somebody is on it; Recent actions keep it.
for (const toast of document.querySelectorAll(".notice--undo")) {
  toast.classList.add("toast");
  let left = 10;
  const clock = setInterval(() => {
    if (toast.matches(":hover, :focus-within")) return;
    left -= 1;
    if (left <= 0) { clearInterval(clock); toast.remove(); }
  }, 1000);
}

const box = document.querySelector("#keys-off");
if (box) {
  box.closest("[hidden]")?.removeAttribute("hidden");
  box.checked = off_now();
  box.addEventListener("change", () => localStorage.setItem(off, box.checked ? "1" : "0"));
}
