// Typing: slash commands are completed from the rows that the bot's own help is made from.

import { make } from "./dom.js";

export function composer(form, field, offers, known, send) {
  let found = [];
  let at = -1;
  const past = [];
  let back = 0;

  const show = () => {
    const open = found.length > 0;
    offers.hidden = !open;
    field.setAttribute("aria-expanded", String(open));
    offers.replaceChildren(...found.map((one, index) => {
      const row = make("li", { role: "option", id: `offer-${index}`, "aria-selected": index === at },
        make("code", {}, one.shown), make("span", {}, one.summary));
      row.addEventListener("pointerdown", (event) => {
        event.preventDefault();
        take(index);
      });
      return row;
    }));
    if (at >= 0) field.setAttribute("aria-activedescendant", `offer-${at}`);
    else field.removeAttribute("aria-activedescendant");
  };

  const look = () => {
    found = suggestions(field.value, known());
    at = -1;
    show();
    field.style.height = "auto";
    field.style.height = `${Math.min(field.scrollHeight, 160)}px`;
  };

  const take = (index) => {
    field.value = found[index].value;
    look();
    field.focus();
  };

  const away = () => {
    found = [];
    show();
  };

  const submit = () => {
    const text = field.value.trim();
    if (!text) return;
    if (past[past.length - 1] !== text) past.push(text);
    back = past.length;
    field.value = "";
    look();
    send(text);
  };

  field.addEventListener("input", look);
  field.addEventListener("blur", away);
  field.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && found.length) {
      at = (at + step + found.length + (at < 0 && step < 0 ? 1 : 0)) % found.length;
      show();
    } else if (step && past.length && !field.value.includes("\n") && (!field.value || past.includes(field.value))) {
      back = Math.max(0, Math.min(past.length, back + step));
      field.value = past[back] || "";
      look();
      away();
    } else if (event.key === "Tab" && found.length && !event.shiftKey) {
      take(Math.max(at, 0));
    } else if (event.key === "Enter" && !event.shiftKey) {
      if (at >= 0) take(at);
      else submit();
    } else if (event.key === "Escape" && found.length) {
      away();
      event.stopPropagation();
    } else {
      return;
    }
    event.preventDefault();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
}

// What may follow, given what stands there; each with the whole line that it would make.
export function suggestions(line, { command, rows, apps }) {
  if (!line.startsWith("/") || line.includes("\n") || !command) return [];
  const [head, ...rest] = line.split(" ");
  if (rest.length === 0) {
    if (!command.startsWith(head)) return [];
    return rows.map((row) => offer(`${command} ${row.name}`, row));
  }
  if (head !== command) return [];
  if (rest.length === 1) {
    const near = rows.filter((row) => row.name.startsWith(rest[0]) && row.name !== rest[0]);
    return near.map((row) => offer(`${command} ${row.name}`, row));
  }
  const row = rows.find((one) => one.name === rest[0]);
  const last = rest[rest.length - 1];
  const before = line.slice(0, line.length - last.length);
  if (!row) return [];
  const words = last.startsWith("-") ? row.options : rest.length === 2 && row.takes_app ? apps : [];
  return words
    .filter((word) => word.startsWith(last) && word !== last)
    .map((word) => ({ shown: word, summary: "", value: `${before}${word} ` }));
}

function offer(line, row) {
  const usage = [line, row.words, ...row.options.map((one) => `[${one}]`)].filter(Boolean).join(" ");
  const more = row.words || row.options.length;
  return { shown: usage, summary: row.summary, value: more ? `${line} ` : line };
}
