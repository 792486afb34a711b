// Block Kit as elements. `press(block, element, value)` is called for what is interactive.

import { link, make } from "./dom.js";
import { mention, mrkdwn } from "./mrkdwn.js";

export function renderBlocks(blocks, names, press) {
  const out = document.createDocumentFragment();
  for (const block of blocks) out.append(renderBlock(block, names, press));
  return out;
}

function renderBlock(block, names, press) {
  const draw = BLOCKS[block.type];
  const node = draw ? draw(block, names, press) : unknown("block", block.type);
  node.dataset.block = block.block_id || "";
  return node;
}

function unknown(what, type) {
  return make("p", { class: "unknown" }, `The sandbox cannot draw this ${what}: ${type}`);
}

function text(value, names) {
  if (!value) return "";
  return value.type === "mrkdwn" ? mrkdwn(value.text, names) : value.text;
}

const BLOCKS = {
  header: (block) => make("h3", { class: "b-header" }, block.text.text),
  divider: () => make("hr"),
  section(block, names, press) {
    const body = make("div", { class: "b-body" });
    if (block.text) body.append(make("div", { class: kind(block.text) }, text(block.text, names)));
    if (block.fields) {
      const fields = block.fields.map((one) => make("div", { class: kind(one) }, text(one, names)));
      body.append(make("div", { class: "b-fields" }, ...fields));
    }
    const node = make("div", { class: "b-section" }, body);
    if (block.accessory) node.append(element(block.accessory, block, names, press));
    return node;
  },
  context(block, names) {
    const parts = block.elements.map((one) =>
      one.type === "image" ? picture(one) : make("span", { class: kind(one) }, text(one, names)));
    return make("div", { class: "b-context" }, ...parts);
  },
  actions: (block, names, press) =>
    make("div", { class: "b-actions" }, ...block.elements.map((one) => element(one, block, names, press))),
  input(block, names, press) {
    const id = `field-${block.block_id}-${block.element.action_id}`;
    const field = element(block.element, block, names, press);
    const target = field.matches("input,select,textarea") ? field : field.querySelector("input,select");
    if (target) target.id = id;
    const label = make("label", { for: id }, block.label.text);
    if (block.optional) label.append(make("span", { class: "optional" }, " (optional)"));
    const hint = block.hint && make("p", { class: "hint", id: `${id}-hint` }, block.hint.text);
    if (hint && target) target.setAttribute("aria-describedby", `${id}-hint`);
    return make("div", { class: "b-input" }, label, field, hint);
  },
  table(block, names) {
    const cell = (tag) => (one, column) => {
      const setting = (block.column_settings || [])[column] || {};
      const inside = one.type === "rich_text" ? BLOCKS.rich_text(one, names) : String(one.text ?? "");
      return make(tag, { class: `align-${setting.align || "left"}`, scope: tag === "th" && "col" }, inside);
    };
    const [head, ...rows] = block.rows.map((row, at) =>
      make("tr", {}, ...row.map(cell(at === 0 ? "th" : "td"))));
    const whole = make("table", {}, make("thead", {}, head), make("tbody", {}, ...rows));
    return make("div", { class: "b-table", tabindex: 0, role: "region", "aria-label": "Table" }, whole);
  },
  rich_text: (block, names) =>
    make("div", { class: "b-rich" }, ...block.elements.map((one) => rich(one, names))),
  markdown: (block) => markdown(block.text),
  image: (block) => make("div", {}, picture(block)),
};

function kind(value) {
  return value.type === "mrkdwn" ? "mrkdwn" : "plain";
}

// Pictures are not fetched: the page speaks to this machine alone.
function picture(one) {
  return link(one.image_url || "", `[picture: ${one.alt_text || "without words"}]`);
}

function rich(one, names) {
  switch (one.type) {
    case "rich_text_section": return make("p", {}, ...one.elements.map((part) => richPart(part, names)));
    case "rich_text_preformatted":
      return make("pre", {}, ...one.elements.map((part) => richPart(part, names)));
    case "rich_text_quote":
      return make("blockquote", {}, ...one.elements.map((part) => richPart(part, names)));
    case "rich_text_list": {
      const items = one.elements.map((item) =>
        make("li", {}, ...item.elements.map((part) => richPart(part, names))));
      return make(one.style === "ordered" ? "ol" : "ul", {}, ...items);
    }
    default: return unknown("element", one.type);
  }
}

function richPart(part, names) {
  let node;
  switch (part.type) {
    case "text": node = document.createTextNode(part.text); break;
    case "link": node = link(part.url, part.text || part.url); break;
    case "user": node = mention("@", names.people, part.user_id, ""); break;
    case "channel": node = mention("#", names.channels, part.channel_id, ""); break;
    case "broadcast": node = make("span", { class: "ping" }, `@${part.range}`); break;
    case "date": node = document.createTextNode(part.fallback || new Date(part.timestamp * 1000).toLocaleString()); break;
    case "emoji": node = document.createTextNode(`:${part.name}:`); break;
    default: node = document.createTextNode(`[${part.type}]`);
  }
  const tags = { bold: "strong", italic: "em", strike: "s", code: "code" };
  for (const [style, tag] of Object.entries(tags)) {
    if (part.style?.[style]) node = make(tag, {}, node);
  }
  return node;
}

// The little of Markdown that a message needs: headings, lists, fences, and marks inside lines.
function markdown(source) {
  const out = make("div", { class: "b-markdown" });
  let list = null;
  source.split("```").forEach((part, index) => {
    if (index % 2 === 1) {
      list = null;
      out.append(make("pre", {}, part.replace(/^\w*\n/, "").replace(/\n$/, "")));
      return;
    }
    for (const line of part.split("\n")) {
      const heading = /^#{1,6} (.*)/.exec(line);
      const item = /^\s*[-*] (.*)/.exec(line);
      if (item) {
        if (!list) out.append((list = make("ul")));
        list.append(make("li", {}, ...marks(item[1])));
        continue;
      }
      list = null;
      if (heading) out.append(make("h4", {}, ...marks(heading[1])));
      else if (line.trim()) out.append(make("p", {}, ...marks(line)));
    }
  });
  return out;
}

function marks(line) {
  const found = [];
  let end = 0;
  for (const one of line.matchAll(/`([^`]+)`|\*\*([^*]+)\*\*|\[([^\]]+)\]\(([^)\s]+)\)/g)) {
    found.push(line.slice(end, one.index));
    if (one[1]) found.push(make("code", {}, one[1]));
    else if (one[2]) found.push(make("strong", {}, one[2]));
    else found.push(link(one[4], one[3]));
    end = one.index + one[0].length;
  }
  return [...found, line.slice(end)];
}

// --- what one presses and fills in

function element(one, block, names, press) {
  const draw = ELEMENTS[one.type];
  if (!draw) return unknown("element", one.type);
  const node = draw(one, block, press);
  node.dataset.action = one.action_id || "";
  node.dataset.of = block.block_id || "";
  node.dataset.kind = one.type;
  return node;
}

const ELEMENTS = {
  button(one, block, press) {
    const style = { primary: "primary", danger: "danger" }[one.style] || "";
    const node = make("button", { type: "button", class: `b-button ${style}`, "aria-label": one.accessibility_label }, one.text.text);
    if (one.url) node.append(make("span", { class: "away", "aria-label": "(opens another page)" }, "↗"));
    node.addEventListener("click", () => press(block, one, node));
    return node;
  },
  image: (one) => picture(one),
  plain_text_input(one) {
    const shared = { placeholder: one.placeholder?.text, maxlength: one.max_length, autofocus: one.focus_on_load };
    const node = one.multiline ? make("textarea", { ...shared, rows: 4 }) : make("input", { ...shared, type: "text" });
    node.value = one.initial_value || "";
    return node;
  },
  static_select(one, block, press) {
    const node = make("select", {}, make("option", { value: "" }, one.placeholder?.text || "Choose"));
    for (const option of one.options || []) {
      node.append(make("option", { value: option.value }, option.text.text));
    }
    node.value = one.initial_option?.value || "";
    if (block.type !== "input") node.addEventListener("change", () => press(block, one, node));
    return node;
  },
  overflow: (one, block, press) => ELEMENTS.static_select({ ...one, placeholder: { text: "More" } }, block, press),
  datepicker: (one, block, press) => dated("date", one.initial_date, one, block, press),
  timepicker: (one, block, press) => dated("time", one.initial_time, one, block, press),
  datetimepicker(one, block, press) {
    const at = one.initial_date_time ? new Date(one.initial_date_time * 1000) : null;
    const local = at ? new Date(at.getTime() - at.getTimezoneOffset() * 60000).toISOString().slice(0, 16) : "";
    return dated("datetime-local", local, one, block, press);
  },
  checkboxes: (one, block, press) => boxes("checkbox", one, block, press),
  radio_buttons: (one, block, press) => boxes("radio", one, block, press),
};

function dated(type, initial, one, block, press) {
  const node = make("input", { type });
  node.value = initial || "";
  if (block.type !== "input") node.addEventListener("change", () => press(block, one, node));
  return node;
}

function boxes(type, one, block, press) {
  const chosen = new Set([...(one.initial_options || []), one.initial_option].filter(Boolean).map((o) => o.value));
  const rows = (one.options || []).map((option) => {
    const box = make("input", { type, name: `${block.block_id}-${one.action_id}`, value: option.value });
    box.checked = chosen.has(option.value);
    if (block.type !== "input") box.addEventListener("change", () => press(block, one, box));
    return make("label", { class: "box" }, box, " ", option.text.text);
  });
  return make("div", { class: "boxes", role: "group" }, ...rows);
}

// What stands in the fields under `root`, as {block: {action: value}}.
export function collect(root) {
  const values = {};
  for (const node of root.querySelectorAll("[data-kind]")) {
    const value = read(node);
    if (value !== undefined) (values[node.dataset.of] ??= {})[node.dataset.action] = value;
  }
  return values;
}

function read(node) {
  switch (node.dataset.kind) {
    case "plain_text_input": case "static_select": case "overflow": case "datepicker": case "timepicker":
      return node.value;
    case "datetimepicker":
      return node.value ? String(Math.round(new Date(node.value).getTime() / 1000)) : "";
    case "checkboxes": return [...node.querySelectorAll("input:checked")].map((box) => box.value);
    case "radio_buttons": return node.querySelector("input:checked")?.value || "";
    default: return undefined;
  }
}
