// Slack's mrkdwn as elements. What is not markup is text; what looks like HTML stays text.

import { link, make } from "./dom.js";

const WORD = "[\\p{L}\\p{N}]";
const mark = (sign) =>
  `(?<!${WORD})${sign}(?=\\S)([^${sign}\\n]*[^\\s${sign.slice(-1)}])${sign}(?!${WORD})`;
const TOKEN = new RegExp(
  `<([^<>\\n]+)>|\`([^\`\\n]+)\`|${mark("\\*")}|${mark("_")}|${mark("~")}`,
  "gu",
);
const ANGLE = /<([^<>\n]+)>/gu;

export function unescape(text) {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}

// `names` has `people` and `channels`: Maps from ids to names.
export function mrkdwn(text, names) {
  const out = document.createDocumentFragment();
  text.split("```").forEach((part, index, all) => {
    // A fence that is never closed is three characters like any others.
    if (index % 2 === 1 && index < all.length - 1) out.append(pre(part, names));
    else lines(index % 2 === 1 ? "```" + part : part, names, out);
  });
  return out;
}

function pre(text, names) {
  const node = make("pre");
  scan(text.replace(/^\n/, "").replace(/\n$/, ""), ANGLE, names, node);
  return node;
}

function lines(text, names, out) {
  let quote = null;
  const all = text.replace(/^\n/, "").split("\n");
  all.forEach((line, index) => {
    const quoted = /^(?:&gt;|>) ?/.exec(line);
    if (quoted) {
      if (!quote) out.append((quote = make("blockquote")));
      else quote.append(make("br"));
      scan(line.slice(quoted[0].length), TOKEN, names, quote);
      return;
    }
    const first = index === 0 || quote !== null;
    quote = null;
    if (!first) out.append(make("br"));
    scan(line, TOKEN, names, out);
  });
}

function scan(text, pattern, names, out) {
  let end = 0;
  for (const found of text.matchAll(pattern)) {
    if (found.index > end) out.append(unescape(text.slice(end, found.index)));
    out.append(token(found, names));
    end = found.index + found[0].length;
  }
  if (end < text.length) out.append(unescape(text.slice(end)));
}

function token([whole, angle, code, bold, italic, strike], names) {
  if (angle !== undefined) return reference(angle, whole, names);
  const [tag, inside, pattern] =
    code !== undefined ? ["code", code, ANGLE]
    : bold !== undefined ? ["strong", bold, TOKEN]
    : italic !== undefined ? ["em", italic, TOKEN]
    : ["s", strike, TOKEN];
  const node = make(tag);
  scan(inside, pattern, names, node);
  return node;
}

// What stands between angle brackets: a person, a channel, a moment, a ping, an address.
function reference(inside, whole, names) {
  const [target, label] = split(inside);
  if (target.startsWith("@")) return mention("@", names.people, target.slice(1), label);
  if (target.startsWith("#")) return mention("#", names.channels, target.slice(1), label);
  if (target.startsWith("!date^")) return moment(target, label);
  if (target.startsWith("!")) {
    const name = label || target.slice(1).split("^")[0];
    return make("span", { class: "ping", title: "Slack wakes people here" }, `@${unescape(name)}`);
  }
  if (/^(?:https?:\/\/|mailto:)/i.test(target)) {
    return link(unescape(target), unescape(label || target.replace(/^mailto:/i, "")));
  }
  return document.createTextNode(unescape(whole));
}

function split(inside) {
  const at = inside.indexOf("|");
  return at < 0 ? [inside, ""] : [inside.slice(0, at), inside.slice(at + 1)];
}

export function mention(sign, known, id, label) {
  const name = known.get(id) || label || id;
  return make("span", { class: "mention" }, `${sign}${unescape(name)}`);
}

// <!date^1700000000^{date_short_pretty} {time}^link|fallback>, in the reader's own time zone.
function moment(target, fallback) {
  const [, seconds, format, address] = target.split("^");
  const at = new Date(Number(seconds) * 1000);
  if (!format || Number.isNaN(at.getTime())) return document.createTextNode(unescape(fallback));
  const words = unescape(format).replace(/\{(\w+)\}/g, (whole, name) => dated(name, at) ?? whole);
  const node = make("time", { datetime: at.toISOString(), title: unescape(fallback) }, words);
  return address ? link(unescape(address), node) : node;
}

function dated(name, at) {
  const days = Math.round((midnight(at) - midnight(new Date())) / 86400000);
  const pretty = { 0: "today", 1: "tomorrow", "-1": "yesterday" }[days];
  const date = (month, weekday) =>
    at.toLocaleDateString([], { weekday, year: "numeric", month, day: "numeric" });
  const time = (second) => at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second });
  switch (name) {
    case "date_num": return at.toLocaleDateString("sv");
    case "date": return date("long");
    case "date_short": return date("short");
    case "date_long": return date("long", "long");
    case "date_pretty": return pretty ?? date("long");
    case "date_short_pretty": return pretty ?? date("short");
    case "date_long_pretty": return pretty ?? date("long", "long");
    case "time": return time();
    case "time_secs": return time("2-digit");
    case "ago": return `${Math.max(0, Math.round((Date.now() - at) / 60000))} minutes ago`;
    default: return undefined;
  }
}

function midnight(at) {
  return new Date(at.getFullYear(), at.getMonth(), at.getDate()).getTime();
}
