// Elements without a way for data to become markup: text goes in as text, and only as text.

export function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null) continue;
    // For assistive technology "false" is a value; elsewhere it is an attribute's absence.
    if (value === false && !name.startsWith("aria-")) continue;
    if (name === "onclick") node.addEventListener("click", value);
    else node.setAttribute(name, value === true && !name.startsWith("aria-") ? "" : String(value));
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

// A link that leads nowhere but to the web or to a mail program; otherwise its words alone.
export function link(url, ...children) {
  let parsed = null;
  try {
    parsed = new URL(url);
  } catch {
    parsed = null;
  }
  if (!parsed || !["http:", "https:", "mailto:"].includes(parsed.protocol)) {
    return make("span", { class: "dead-link", title: "This address is not followed" }, ...children);
  }
  return make("a", { href: parsed.href, target: "_blank", rel: "noopener noreferrer" }, ...children);
}

export function clock(ts) {
  return new Date(Number(ts) * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}
