// Beside a ticket: learn from Zendesk which one it is, and keep the frame as high as what it shows.
"use strict";

const MOST_PX = 640;
const client = window.ZAFClient ? window.ZAFClient.init() : null;
const main = document.querySelector("main");

function say(text) {
  const said = document.getElementById("said");
  if (said) said.textContent = text;
}

async function fit() {
  const height = Math.min(MOST_PX, Math.ceil(main.getBoundingClientRect().height) + 4);
  await client.invoke("resize", { width: "100%", height: `${height}px` });
}

async function begin() {
  try {
    // Zendesk's own choice of light or dark, where it tells; else the system's.
    const { colorScheme } = await client.get("colorScheme");
    if (colorScheme === "light" || colorScheme === "dark") document.documentElement.dataset.scheme = colorScheme;
  } catch {
    // an older workspace does not know
  }
  if (main.dataset.base) {
    const number = String((await client.get("ticket.id"))["ticket.id"] ?? "");
    if (!/^[0-9]+$/.test(number)) return say("This ticket has no number yet.");
    location.replace(`${main.dataset.base}/tickets/${number}${location.search}`);
    return;
  }
  // Zendesk's script finds its frame by what stands in the address.
  document.querySelector("a.refresh")?.setAttribute("href", location.pathname + location.search);
  await fit();
}

if (client) begin().catch(() => say("Zendesk did not say which ticket this is. Reload it."));
else say("Open this from a ticket in Zendesk.");
