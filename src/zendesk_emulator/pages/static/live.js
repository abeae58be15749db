// Keep the page fresh: ask how often anything happened, and when that grew, fetch this page and swap what changed.
"use strict";

const PAUSE = 500;
let seen = null;
let pressed = false;

document.documentElement.classList.add("scripted");
addEventListener("pointerdown", () => { pressed = true; }, true);
for (const name of ["pointerup", "pointercancel"]) {
  addEventListener(name, () => setTimeout(() => { pressed = false; }, 50), true);
}

function isBusy(region) {
  const active = document.activeElement;
  if (region.contains(active) && active.matches("input, textarea, select")) return true;
  return [...region.querySelectorAll("textarea, input")].some((field) => field.value !== field.defaultValue);
}

function carryOver(old, fresh) {
  for (const opened of old.querySelectorAll("details[open][id]")) {
    const same = fresh.querySelector(`#${CSS.escape(opened.id)}`);
    if (same) same.open = true;
  }
  if (old.matches("details[open]")) fresh.open = true;
}

// Lists of things with ids keep the nodes that did not change, so that readers of a log hear only what is new.
function mergeList(old, fresh) {
  const known = new Map([...old.children].map((child) => [child.id, child]));
  let place = old.firstElementChild;
  for (const child of [...fresh.children]) {
    const same = known.get(child.id);
    known.delete(child.id);
    if (same) carryOver(same, child);
    const node = same && same.outerHTML === child.outerHTML ? same : document.adoptNode(child);
    if (same && node !== same) {
      if (place === same) place = node;
      same.replaceWith(node);
    } else if (node !== place) {
      old.insertBefore(node, place);
    }
    place = node.nextElementSibling;
  }
  for (const gone of known.values()) gone.remove();
}

function swap(old, fresh) {
  const atEnd = old.scrollHeight - old.scrollTop - old.clientHeight < 40;
  const keyed = old.children.length && [...old.children, ...fresh.children].every((child) => child.id);
  if (keyed) {
    mergeList(old, fresh);
  } else {
    carryOver(old, fresh);
    if (old.innerHTML !== fresh.innerHTML) {
      const focused = old.contains(document.activeElement) ? document.activeElement.id : "";
      old.replaceChildren(...[...fresh.childNodes].map((node) => document.adoptNode(node)));
      if (focused) document.getElementById(focused)?.focus();
    }
  }
  if (old.hasAttribute("data-follow") && atEnd) old.scrollTop = old.scrollHeight;
}

async function look() {
  const asked = await fetch("/pages/rings", { cache: "no-store" });
  if (!asked.ok) return;
  const { rings } = await asked.json();
  if (seen === null) seen = Number(document.body.dataset.rings);
  if (rings === seen || pressed) return;
  const here = new URL(location.href);
  here.searchParams.delete("notice");
  const answer = await fetch(here, { cache: "no-store", headers: { Accept: "text/html" } });
  if (!answer.ok) { seen = rings; return; }
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (pressed) return;
  let waiting = false;
  for (const region of document.querySelectorAll("[data-live]")) {
    const same = fresh.getElementById(region.id);
    if (!same) continue;
    if (isBusy(region)) { waiting = true; continue; }
    swap(region, same);
  }
  document.title = fresh.title;
  if (!waiting) seen = rings;
}

async function watch() {
  try {
    await look();
  } catch {
    // The emulator is away; ask again.
  }
  setTimeout(watch, PAUSE);
}

for (const log of document.querySelectorAll("[data-follow]")) log.scrollTop = log.scrollHeight;
if (document.querySelector("[data-live]")) watch();
