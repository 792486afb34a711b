// Messages, threads and files as elements.

import { renderBlocks } from "./blocks.js";
import { clock, make } from "./dom.js";
import { mrkdwn } from "./mrkdwn.js";

// `world` is what the server said; `act` what a person can do.
export function renderMessage(message, world, act, { inThread = false } = {}) {
  const author = world.names.people.get(message.user) || message.user;
  const node = make("article", { class: "message", "aria-label": `${author}, ${clock(message.ts)}` });
  if (message.only_for_me) {
    node.classList.add("only");
    const dismiss = make("button", { type: "button", class: "quiet", onclick: () => act.dismiss(message) }, "Dismiss");
    node.append(make("p", { class: "small" }, "Only visible to you ", dismiss));
  }
  if (message.broadcast && !inThread) {
    const open = make("button", { type: "button", class: "quiet", onclick: () => act.thread(message.thread_ts) }, "a thread");
    node.append(make("p", { class: "small" }, "Replied to ", open));
  }
  const who = make("header", {},
    make("span", { class: `face ${message.bot ? "bot" : ""}`, "aria-hidden": true }, author.slice(0, 1).toUpperCase()),
    make("strong", {}, author));
  if (message.bot) who.append(make("span", { class: "tag" }, "App"));
  who.append(make("time", { datetime: new Date(Number(message.ts) * 1000).toISOString() }, clock(message.ts)));
  if (message.edited) who.append(make("span", { class: "small" }, "(edited)"));
  const body = make("div", { class: "body" });
  if (message.blocks.length) {
    const press = (block, element, pressed) => act.press({ message }, block, element, pressed, {});
    body.append(renderBlocks(message.blocks, world.names, press));
  } else if (message.text) {
    body.append(make("div", { class: "mrkdwn" }, mrkdwn(message.text, world.names)));
  }
  for (const id of message.files) {
    const file = world.files[id];
    if (file) body.append(renderFile(file));
  }
  node.append(who, body);
  const count = world.replies.get(message.ts) || 0;
  if (count && !inThread && !message.thread_ts) {
    const words = count === 1 ? "1 reply" : `${count} replies`;
    node.append(make("button", { type: "button", class: "replies", onclick: () => act.thread(message.ts) }, words));
  } else if (!inThread && !message.thread_ts && !message.only_for_me) {
    node.append(make("button", { type: "button", class: "replies late", onclick: () => act.thread(message.ts) }, "Reply"));
  }
  return node;
}

function renderFile(file) {
  const size = file.length < 2000 ? `${file.length} bytes` : `${Math.round(file.length / 1000)} kB`;
  const whole = make("a", { href: file.url, target: "_blank", rel: "noopener" }, "Open");
  return make("figure", { class: "file" },
    make("figcaption", {}, make("strong", {}, file.title), make("span", { class: "small" }, `${file.name}, ${size}`), whole),
    make("pre", { tabindex: 0 }, file.preview + (file.is_whole ? "" : "\n…")));
}

// Brings `box` up to date, keeping the elements of messages that did not change.
export function fill(box, messages, world, act, options = {}) {
  const low = box.scrollHeight - box.scrollTop - box.clientHeight < 80;
  const kept = new Map([...box.children].map((node) => [node.dataset.key, node]));
  const wanted = messages.map((message) => {
    const key = `${message.channel} ${message.ts}`;
    const state = `${message.revision} ${world.replies.get(message.ts) || 0} ${world.namesKey}`;
    const old = kept.get(key);
    if (old && old.dataset.state === state) return old;
    const node = renderMessage(message, world, act, options);
    node.dataset.key = key;
    node.dataset.state = state;
    return node;
  });
  if (wanted.length !== box.children.length || wanted.some((node, index) => node !== box.children[index])) {
    const focused = box.contains(document.activeElement) ? document.activeElement : null;
    const message = focused?.closest("article");
    box.replaceChildren(...wanted);
    if (low || options.toEnd) box.scrollTop = box.scrollHeight;
    if (focused) refocus(box, focused, message);
  }
}

// Taking elements out and in again takes the focus from them; and a message may be drawn anew.
function refocus(box, focused, message) {
  const among = (node) => [...(node?.querySelectorAll("a, button, input, select, [tabindex]") || [])];
  const now = message && [...box.children].find((node) => node.dataset.key === message.dataset.key);
  const like = (one) => one.textContent === focused.textContent && one.dataset.action === focused.dataset.action;
  const node = box.contains(focused) ? focused : among(now).find(like) || box;
  node.focus({ preventScroll: true });
}
