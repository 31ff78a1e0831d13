"use strict";
const form = document.forms[0];
let last = 0;

async function show() {
  const mine = ++last;
  const answer = await fetch("/preview", { method: "POST", body: new URLSearchParams(new FormData(form)) });
  const html = await answer.text();
  // The server has escaped what comes from the chat; what it refuses it says in JSON.
  if (mine === last && answer.ok) document.getElementById("prompt").innerHTML = html;
}

// A link may say what to show: /#layout=v11&chat=Hi
function read() {
  const linked = new URLSearchParams(location.hash.slice(1));
  if (linked.has("layout")) form.layout.value = linked.get("layout");
  if (linked.has("chat")) form.chat.value = linked.get("chat");
  if (linked.size) show();
}

form.addEventListener("input", show);
form.addEventListener("submit", (event) => {
  event.preventDefault();
  show();
});
addEventListener("hashchange", read);
read();
