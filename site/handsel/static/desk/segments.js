// Reads the rule again while it is written: the sentence and the count follow half a moment after the last key.
const form = document.querySelector("form[data-live]");
let waiting = 0;
let asking;

async function read() {
  asking?.abort();
  asking = new AbortController();
  const body = new FormData(form);
  body.set("act", "look");
  try {
    const answer = await fetch(location.href, { method: "POST", body, signal: asking.signal });
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const said = page.querySelector("#said");
    if (said && said.innerHTML !== document.querySelector("#said").innerHTML) {
      document.querySelector("#said").replaceChildren(...said.childNodes);
    }
  } catch { /* the next key asks again */ }
}

form?.addEventListener("input", (event) => {
  if (event.target.id === "about") return;
  clearTimeout(waiting);
  waiting = setTimeout(read, 300);
});
// A comparison such as "is known" asks for no value.
function fit(select) {
  const none = ["known", "not known"].includes(select.value);
  for (const value of select.parentElement.querySelectorAll("[name$='-value'], .picks")) value.hidden = none;
}
for (const select of document.querySelectorAll("[data-live] select[name$='-op']")) {
  fit(select);
  select.addEventListener("change", () => fit(select));
}
