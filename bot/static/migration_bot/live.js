// Follows a plan or a run while it has not ended: asks for the page's JSON each second, with its
// ETag, and swaps in the parts that the server renders anew. Without this the page loads itself.
(function () {
  "use strict";

  const EVERY = 1000; // milliseconds between two looks
  const HIDDEN = 5000; // the same while nobody sees the page
  const SLOWEST = 10000; // and after the site could not be reached several times

  function words(seconds) {
    if (seconds < 60) return Math.max(0, Math.floor(seconds)) + " s";
    const minutes = Math.floor(seconds / 60);
    if (minutes < 60) return minutes + " min " + Math.floor(seconds % 60) + " s";
    return Math.floor(minutes / 60) + " h " + (minutes % 60) + " min";
  }

  // The server's clock is the one that counts; this machine's may be wrong.
  let skew = 0;

  function tick() {
    document.querySelectorAll("[data-since]").forEach(function (place) {
      const since = Date.parse(place.dataset.since);
      if (!Number.isNaN(since)) place.textContent = words((Date.now() + skew - since) / 1000);
    });
  }

  function announce(part) {
    const place = document.querySelector("[data-announce]");
    const text = part && part.dataset.announcement;
    if (place && text && place.textContent !== text) place.textContent = text;
  }

  // A form that somebody fills in stays as it is for as long as the same forms are offered, and
  // what was typed is carried over into one that had to be drawn anew.
  function replaced(old, part) {
    const typed = Array.from(old.querySelectorAll("input[id], textarea[id]"));
    old.replaceWith(part);
    typed.forEach(function (field) {
      const now = document.getElementById(field.id);
      if (now && part.contains(now)) now.value = field.value;
    });
  }

  // The focus stays on what it was on, or on what is like it; if that is gone, a keyboard does not
  // begin at the top of the page again.
  function refocus(root, had) {
    const like = (node) => node.tagName === had.tagName && node.textContent === had.textContent;
    const same = had.id
      ? document.getElementById(had.id)
      : Array.from(root.querySelectorAll("a, button, summary, pre")).find(like);
    (same || document.getElementById("content")).focus({ preventScroll: true });
  }

  function swap(root, fresh) {
    const had = root.contains(document.activeElement) ? document.activeElement : null;
    const open = Array.from(root.querySelectorAll("details[open][id]"), (d) => d.id);
    fresh.querySelectorAll("[data-part]").forEach(function (part) {
      const old = root.querySelector('[data-part="' + part.dataset.part + '"]');
      if (!old) return;
      if (part.dataset.key !== undefined && part.dataset.key === old.dataset.key) return;
      replaced(old, document.importNode(part, true));
    });
    open.forEach(function (id) {
      const details = document.getElementById(id);
      if (details) details.open = true;
    });
    if (had && !had.isConnected) refocus(root, had);
    tick();
  }

  function follow(root) {
    const asked = root.querySelector('[data-part="plan"][data-state="waiting"]') !== null;
    const here = location.pathname;
    let etag = "";
    let failures = 0;

    function again() {
      const pause = failures
        ? Math.min(SLOWEST, EVERY * Math.pow(2, failures))
        : document.hidden ? HIDDEN : EVERY;
      setTimeout(look, pause);
    }

    function lost(isLost) {
      failures = isLost ? failures + 1 : 0;
      const place = document.querySelector("[data-lost]");
      if (place) place.hidden = failures < 2;
    }

    async function look() {
      try {
        const headers = { Accept: "application/json" };
        if (etag) headers["If-None-Match"] = etag;
        const answer = await fetch(here, { headers: headers, cache: "no-store" });
        const date = Date.parse(answer.headers.get("Date") || "");
        if (!Number.isNaN(date) && Math.abs(date - Date.now()) > 2000) skew = date - Date.now();
        if (answer.status === 401 || answer.status === 403 || answer.status === 404) {
          location.reload(); // signed out meanwhile, or no longer allowed: the page says so
          return;
        }
        if (answer.status !== 304) {
          if (!answer.ok) throw new Error(String(answer.status));
          const html = await fetch(here + "?fragment=1", {
            headers: { Accept: "text/html" }, cache: "no-store",
          });
          if (!html.ok || html.redirected) throw new Error(String(html.status));
          swap(root, new DOMParser().parseFromString(await html.text(), "text/html"));
          etag = answer.headers.get("ETag") || "";
          const part = root.querySelector("[data-announcement]");
          announce(part);
          if (part && settled(part)) return;
        }
        lost(false);
      } catch (error) {
        lost(true);
      }
      again();
    }

    function settled(part) {
      if (root.dataset.kind === "run") return part.dataset.ended === "true";
      if (part.dataset.state === "waiting") return false;
      if (asked && part.dataset.go) location.assign(part.dataset.go);
      return part.dataset.rehearsing !== "true";
    }

    setTimeout(look, EVERY);
  }

  const root = document.querySelector("[data-live]");
  if (root) {
    tick();
    setInterval(tick, 1000);
    if (root.dataset.ended !== "true") follow(root);
  }
})();
