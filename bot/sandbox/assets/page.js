// The page: asks what the chosen person sees, draws it, and sends what they do.

import { renderBlocks } from "./blocks.js";
import { composer } from "./composer.js";
import { ask, openedHere, showModal } from "./dialogs.js";
import { link, make } from "./dom.js";
import { fill } from "./messages.js";

const EVERY = 700;
const root = document.getElementById("app").dataset.root;
const at = (id) => document.getElementById(id);

const here = { me: sessionStorage.getItem("me") || "", place: sessionStorage.getItem("place") || "", thread: "" };
let world = null;
let rows = { command: "", rows: [], apps: [] };
let revision = "";
let drawn = "";
const seen = new Map();

// --- speaking with the server

async function get(path) {
  const response = await fetch(root + path, { headers: { Accept: "application/json" }, cache: "no-store" });
  if (!response.ok) throw new Error(await response.text());
  return response.json();
}

async function act(what, more = {}) {
  try {
    const response = await fetch(`${root}do`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-Sandbox": "1" },
      body: JSON.stringify({ as: here.me, do: what, ...more }),
    });
    const result = await response.json();
    if (result.error && what !== "submit") note(told(result.error));
    await refresh();
    return result;
  } catch {
    note("The site does not answer.");
    return { trouble: "The site does not answer.", error: "unreachable" };
  }
}

function told(error) {
  return {
    operation_timeout: "The app did not answer within 3 seconds (operation_timeout).",
    dispatch_failed: "The app could not be reached, or answered with an error (dispatch_failed).",
  }[error] || error;
}

let fading = 0;
function note(words) {
  at("note").textContent = words;
  clearTimeout(fading);
  fading = setTimeout(() => { at("note").textContent = ""; }, 6000);
}

let asking = null;
function refresh() {
  // One question at a time; who asks meanwhile gets an answer to a question of their own.
  asking = (asking || Promise.resolve()).then(look, look);
  return asking;
}

async function look() {
  const me = here.me;
  try {
    const answer = await get(`state?as=${encodeURIComponent(me)}&since=${revision}`);
    document.body.classList.remove("lost");
    if (me !== here.me) return; // Who chose to be somebody else meanwhile has asked once more.
    if (answer.people) take(answer);
    revision = answer.revision;
  } catch {
    document.body.classList.add("lost");
    note("The site does not answer; trying again.");
  }
}

function take(answer) {
  world = answer;
  here.me = answer.me || "";
  world.modals = openedHere(here.me, answer.modals || []);
  const people = new Map(answer.people.map((one) => [one.id, one.name]));
  people.set(answer.bot.id, answer.bot.name);
  people.set("USLACKBOT", "Sandbox");
  world.names = { people, channels: new Map(answer.channels.map((one) => [one.id, one.name])) };
  world.namesKey = answer.people.map((one) => one.name).join();
  world.replies = new Map();
  for (const one of answer.messages) {
    if (one.thread_ts && one.thread_ts !== one.ts) world.replies.set(one.thread_ts, (world.replies.get(one.thread_ts) || 0) + 1);
  }
  if (here.place !== "home" && !world.names.channels.has(here.place)) here.place = answer.channels[0]?.id || "";
  draw();
}

// --- what one can do

const doing = {
  async press(where, block, element, node, values) {
    if (!(await ask(element.confirm, world.names))) return;
    if (element.url) {
      const away = link(element.url);
      if (away.href) window.open(away.href, "_blank", "noopener");
    }
    node.setAttribute("aria-busy", "true");
    if (element.type !== "button") values = { ...values, [block.block_id]: { ...values[block.block_id], [element.action_id]: node.value } };
    const place = where.message ? { channel: where.message.channel, ts: where.message.ts } : { view: where.id };
    const result = await act("press", { ...place, block_id: block.block_id, action_id: element.action_id, values });
    node.removeAttribute("aria-busy");
    node.classList.toggle("failed", Boolean(result.error));
  },
  dismiss: (message) => act("dismiss", { channel: message.channel, ts: message.ts }),
  close: (view) => act("close", { view: view.id }),
  submit: (view, values) => act("submit", { view: view.id, values }),
  thread(ts) {
    here.thread = ts;
    draw({ toEnd: true });
    if (matchMedia("(hover: hover)").matches) at("reply").focus();
    else at("leave").focus();
  },
};

function be(person) {
  here.me = person;
  here.thread = "";
  revision = "";
  drawn = "";
  sessionStorage.setItem("me", person);
  closeMenu();
  refresh().then(() => { if (here.place === "home") act("home"); });
}

function go(place) {
  here.place = place;
  here.thread = "";
  sessionStorage.setItem("place", place);
  closeMenu();
  draw({ toEnd: true });
  if (place === "home") act("home");
  else begin();
}

function closeMenu() {
  if (!document.body.classList.contains("menu")) return;
  document.body.classList.remove("menu");
  at("menu").setAttribute("aria-expanded", "false");
  at("menu").focus();
}

// Not on a phone, where the keyboard would cover half of what there is to read.
function begin() {
  if (matchMedia("(hover: hover)").matches) at("say").focus();
}

// --- drawing

function draw(options = {}) {
  if (!world) return;
  drawPeople();
  drawPlaces();
  drawMiddle(options);
  drawThread(options);
  drawTrouble();
  showModal(world.modals, world.names, doing);
}

function drawPeople() {
  const key = JSON.stringify([world.people, here.me]);
  if (at("people").dataset.key === key) return;
  at("people").dataset.key = key;
  const had = at("people").contains(document.activeElement);
  at("people").replaceChildren(...world.people.map((one) => {
    const mine = one.id === here.me;
    const row = make("li", { role: "option", "aria-selected": mine, tabindex: mine ? 0 : -1 },
      make("span", { class: "face", "aria-hidden": true }, one.name.slice(0, 1).toUpperCase()),
      make("span", {}, one.name, make("small", {}, one.words)));
    row.addEventListener("click", () => be(one.id));
    row.addEventListener("keydown", (event) => {
      const next = { ArrowDown: row.nextElementSibling, ArrowUp: row.previousElementSibling }[event.key];
      if (next) next.focus();
      else if (event.key === "Enter" || event.key === " ") be(one.id);
      else return;
      event.preventDefault();
    });
    return row;
  }));
  if (had) at("people").querySelector('[aria-selected="true"]')?.focus();
}

function drawPlaces() {
  const place = (id, words, newest) => {
    if (id === here.place) seen.set(`${here.me} ${id}`, newest);
    const fresh = newest > (seen.get(`${here.me} ${id}`) ?? newest);
    if (!seen.has(`${here.me} ${id}`)) seen.set(`${here.me} ${id}`, newest);
    const button = make("button", { type: "button", "aria-current": id === here.place ? "page" : null, "data-place": id, onclick: () => go(id) }, words);
    if (fresh) button.append(make("span", { class: "fresh" }, "new"));
    return make("li", {}, button);
  };
  const newest = (id) => world.messages.filter((one) => one.channel === id).at(-1)?.ts || "";
  const had = at("side").contains(document.activeElement) ? document.activeElement.dataset.place : undefined;
  const open = world.channels.filter((one) => !one.direct);
  const direct = world.channels.filter((one) => one.direct);
  at("channels").replaceChildren(...open.map((one) => place(one.id, `# ${one.name}`, newest(one.id))));
  const home = direct.length ? [place("home", "Home", "")] : [];
  at("direct").replaceChildren(...home, ...direct.map((one) => place(one.id, "Messages", newest(one.id))));
  if (had) at("side").querySelector(`[data-place="${CSS.escape(had)}"]`)?.focus();
}

function drawMiddle(options) {
  const isHome = here.place === "home";
  const channel = world.channels.find((one) => one.id === here.place);
  at("title").textContent = isHome ? `${world.bot.name}: Home` : channel?.direct ? world.bot.name : `# ${channel?.name || ""}`;
  at("topic").textContent = isHome ? "What the app shows to you" : channel?.direct ? "Messages between you and the app" : channel?.topic || "";
  at("composer").hidden = isHome;
  const key = isHome ? `home ${here.me}` : `${here.me} ${here.place}`;
  const moved = key !== drawn;
  drawn = key;
  const box = at("messages");
  box.classList.toggle("home", isHome);
  if (moved) box.replaceChildren();
  if (isHome) return drawHome(box);
  const shown = world.messages.filter((one) => one.channel === here.place && (!one.thread_ts || one.thread_ts === one.ts || one.broadcast));
  return fill(box, shown, world, doing, { toEnd: moved || options.toEnd });
}

function drawHome(box) {
  const state = world.home ? `${world.home.id} ${world.home.revision}` : "none";
  if (box.dataset.home === `${here.me} ${state}` && box.children.length) return;
  box.dataset.home = `${here.me} ${state}`;
  if (!world.home) {
    box.replaceChildren(make("p", { class: "empty" }, "The app has not shown anything here yet."));
    return;
  }
  const view = world.home;
  box.replaceChildren(make("div", { class: "body" },
    renderBlocks(view.blocks, world.names, (block, element, node) => doing.press(view, block, element, node, {}))));
}

function drawThread(options) {
  const open = Boolean(here.thread) && here.place !== "home";
  at("thread").hidden = !open;
  document.body.classList.toggle("threaded", open);
  if (!open) return;
  const shown = world.messages.filter((one) => one.channel === here.place && (one.ts === here.thread || one.thread_ts === here.thread));
  if (!shown.length) {
    here.thread = "";
    drawThread(options);
    return;
  }
  fill(at("replies"), shown, world, doing, { inThread: true, toEnd: options.toEnd });
}

function drawTrouble() {
  const now = world.trouble[0];
  if (document.activeElement !== at("trouble")) at("trouble").value = now?.kind || "";
  document.body.classList.toggle("stormy", Boolean(now));
}

// --- the beginning

// Whoever speaks looks at the end, where the answer will be.
const speak = (thread) => (text) => {
  const box = at(thread ? "replies" : "messages");
  box.scrollTop = box.scrollHeight;
  return act("speak", { channel: here.place, text, thread_ts: thread ? here.thread : "" });
};
composer(at("composer"), at("say"), at("offers"), () => rows, speak(false));
composer(at("replier"), at("reply"), make("ul"), () => ({ command: "", rows: [], apps: [] }), speak(true));
at("leave").addEventListener("click", () => { here.thread = ""; draw(); at("say").focus(); });
at("thread").addEventListener("keydown", (event) => { if (event.key === "Escape") at("leave").click(); });
at("menu").addEventListener("click", () => {
  if (document.body.classList.contains("menu")) {
    closeMenu();
    return;
  }
  document.body.classList.add("menu");
  at("menu").setAttribute("aria-expanded", "true");
  at("people").querySelector('[aria-selected="true"]')?.focus();
});
document.addEventListener("keydown", (event) => { if (event.key === "Escape") closeMenu(); });
// The shade over everything beside the menu takes the tap, so that nothing beneath is pressed.
at("main").addEventListener("click", (event) => { if (!at("menu").contains(event.target)) closeMenu(); });
at("trouble").addEventListener("change", (event) => act("trouble", { kind: event.target.value, times: 20 }));

(async () => {
  await refresh();
  try {
    rows = await get("commands");
    at("say").dispatchEvent(new Event("input"));
  } catch {
    note("The commands could not be read.");
  }
  begin();
  const again = async () => {
    await refresh();
    setTimeout(again, document.hidden ? EVERY * 4 : EVERY);
  };
  setTimeout(again, EVERY);
})();
