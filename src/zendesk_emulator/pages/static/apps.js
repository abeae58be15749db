// Open the apps beside a ticket with their signed requests, and answer what they ask.
"use strict";

for (const form of document.querySelectorAll("form[data-app]")) {
  const frame = document.getElementById(form.target);
  const origin = new URL(form.action).origin;
  window.addEventListener("message", (event) => {
    if (event.source !== frame.contentWindow || event.origin !== origin || event.data?.guid !== form.target) return;
    const { guid, id, call, name, value } = event.data;
    const answer = { guid, id };
    if (call === "get" && name === "ticket.id") answer.value = Number(form.dataset.app);
    else if (call === "invoke" && name === "resize") frame.style.blockSize = value?.height ?? "";
    else answer.error = `${call} ${name} is not in this emulator`;
    event.source.postMessage(answer, origin);
  });
  form.submit();
}
