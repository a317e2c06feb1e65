// Keeps the part of the page that tells how far something is up to date, until it is done. The page itself works without.
const part = () => document.querySelector("#live[data-live]");

async function look() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("#live");
  if (!fresh) return;
  if (!fresh.hasAttribute("data-live")) { location.reload(); return; }
  const bar = part().querySelector("progress"), now = fresh.querySelector("progress");
  if (bar && now && now.hasAttribute("value")) { bar.max = now.max; bar.value = now.value; }
  for (const name of ["[role=status]", "[role=log]", ".figures", ".notes"]) {
    const old = part().querySelector(name), next = fresh.querySelector(name);
    if (old && next && old.innerHTML !== next.innerHTML) old.innerHTML = next.innerHTML;
    if (!old && next) { part().replaceChildren(...fresh.childNodes); return; }
  }
}

const again = setInterval(() => { if (part()) look().catch(() => {}); else clearInterval(again); }, 1000);
