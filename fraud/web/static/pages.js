// Shortcuts, links to copy, and times in the reader's zone. Every page reads and decides without this script.
"use strict";

(() => {
  const zone = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
  for (const one of document.querySelectorAll("time[datetime]")) {
    const at = new Date(one.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    one.title = one.textContent;
    one.textContent = zone.format(at);
  }

  const here = document.querySelector("nav [aria-current]");
  if (here !== null) here.parentElement.parentElement.scrollLeft = here.offsetLeft - 24;

  const again = document.querySelector('meta[name="again"]');
  const written = () => [...document.querySelectorAll("textarea")].some((one) => one.value !== "");
  if (again !== null) setInterval(() => { if (!written()) location.reload(); }, 1000 * Number(again.content));

  for (const one of document.querySelectorAll("button[data-copy]")) {
    const text = document.getElementById(one.dataset.copy);
    one.hidden = false;
    one.addEventListener("click", async () => {
      getSelection().selectAllChildren(text);
      if (navigator.clipboard) await navigator.clipboard.writeText(text.textContent.trim());
      else document.execCommand("copy");  // pages served without TLS have no clipboard
      one.textContent = "Copied";
    });
  }

  const help = document.getElementById("shortcuts");
  const places = new Map();
  for (const link of document.querySelectorAll("a[data-go]")) places.set(link.dataset.go, link.href);
  const typing = (target) => target instanceof Element && target.closest("input, textarea, select, [contenteditable]") !== null;
  let waiting = false;

  const press = (key) => {
    const found = document.querySelector(`[data-key="${CSS.escape(key)}"]`);
    if (found === null) return false;
    if (found.matches("input, textarea, select")) found.focus();
    else found.click();
    return true;
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape" && typing(event.target)) { event.target.blur(); return; }
    if (typing(event.target)) return;
    if (waiting) {
      waiting = false;
      if (places.has(event.key)) { event.preventDefault(); location.assign(places.get(event.key)); }
      return;
    }
    if (event.key === "g") { waiting = true; return; }
    if (event.key === "?" && help !== null) { event.preventDefault(); if (help.open) help.close(); else help.showModal(); return; }
    if (event.key.length === 1 && !(help && help.open) && press(event.key)) event.preventDefault();
  });
})();
