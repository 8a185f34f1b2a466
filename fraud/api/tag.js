/* Landing-page tag, version 1. What it sends, and when: docs/tag.md. No cookies, no storage, nothing before consent. */
(function (win, doc, nav) {
  "use strict";
  var script = doc.currentScript || doc.querySelector("script[data-tag]");
  if (!script || !script.src || !script.dataset.tag || win.affiliateTag) return;
  var own = script.dataset, to = new URL("v1/tag/" + encodeURIComponent(own.tag), script.src).href;
  var click = own.click || new URLSearchParams(win.location.search).get(own.clickParam || "click_id");
  var began = false, ended = false, sent = 0, last = "", id = "", seen = 0, shown = null, first = null, moves = 0, others = 0;

  function now() { return Math.round(win.performance.now()); }
  function objects() { return nav.globalPrivacyControl === true || nav.doNotTrack === "1" || win.doNotTrack === "1"; }
  function moved(event) { touched(event, true); }
  function used(event) { touched(event, false); }
  function touched(event, pointer) {
    if (!event.isTrusted) return;
    if (first === null) first = now();
    if (pointer) moves++; else others++;
  }
  function visible() { return doc.visibilityState === "visible"; }
  function look() {
    if (shown !== null) seen += now() - shown;
    shown = visible() ? now() : null;
  }
  function known(time) { return time > 0 ? Math.round(time) : null; }
  function report(final) {
    var page = (win.performance.getEntriesByType("navigation") || [])[0] || {};
    return JSON.stringify({
      visit_id: id, click_id: click, final: final,
      webdriver: typeof nav.webdriver === "boolean" ? nav.webdriver : null,
      framed: win.top !== win.self,
      viewport_width: win.innerWidth, viewport_height: win.innerHeight,
      screen_width: win.screen.width, screen_height: win.screen.height,
      elapsed_ms: now(), visible_ms: seen,
      response_ms: known(page.responseStart), interactive_ms: known(page.domInteractive),
      first_input_ms: first, pointer_moves: moves, other_inputs: others
    });
  }
  function send(final) {
    if (!began || ended || sent >= 6) return;
    look();
    var body = report(final), same = [seen, moves, others, final].join();
    if (same === last) return;
    last = same;
    sent++;
    try {
      if ("keepalive" in win.Request.prototype) {
        win.fetch(to, { method: "POST", mode: "no-cors", credentials: "omit", keepalive: true, body: body }).catch(function () {});
      } else nav.sendBeacon(to, body);
    } catch (ignored) { /* the page is worth more than the report */ }
  }
  function hidden() { look(); if (!visible()) send(true); }
  function left() { send(true); }
  function begin() {
    if (began || ended || !click || objects()) return;
    if (doc.prerendering) return doc.addEventListener("prerenderingchange", begin, { once: true });
    began = true;
    id = Array.from(win.crypto.getRandomValues(new Uint8Array(16)), function (byte) { return (byte + 256).toString(16).slice(1); }).join("");
    look();
    doc.addEventListener("pointermove", moved, { capture: true, passive: true });
    ["pointerdown", "touchstart", "keydown", "wheel"].forEach(function (name) {
      doc.addEventListener(name, used, { capture: true, passive: true });
    });
    doc.addEventListener("visibilitychange", hidden);
    win.addEventListener("pagehide", left);
    win.setTimeout(function () { send(false); }, 3000);
  }
  function consent(given) {
    if (given === true || given === false) ended = !given;
    if (given === true) begin();
  }
  win.affiliateTag = { version: 1, consent: consent };

  if (own.consent === "granted") consent(true);
  else if (own.consentHook && typeof win[own.consentHook] === "function") {
    try { Promise.resolve(win[own.consentHook](consent)).then(consent, function () {}); } catch (ignored) { /* no answer is no consent */ }
  }
})(window, document, navigator);
