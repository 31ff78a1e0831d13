"use strict";
const form = document.forms[0];
let last = 0;

async function show() {
  const mine = ++last;
  const answer = await fetch("/preview", { method: "POST", body: new URLSearchParams(new FormData(form)) });
  const html = await answer.text();
  if (mine === last && answer.ok) document.getElementById("prompt").innerHTML = html;
}

form.addEventListener("input", show);
form.addEventListener("submit", (event) => {
  event.preventDefault();
  show();
});
