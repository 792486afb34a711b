// The two dialogs: "are you sure?", and modals that the app opened.

import { collect, renderBlocks } from "./blocks.js";
import { make } from "./dom.js";

const confirmBox = document.getElementById("confirm");
const modalBox = document.getElementById("modal");

// The focus goes back to where it was by itself, unless that is gone meanwhile.
for (const dialog of [confirmBox, modalBox]) {
  dialog.addEventListener("close", () => {
    if (document.activeElement === document.body) document.getElementById("messages").focus({ preventScroll: true });
  });
}

// Resolves to whether the person said yes.
export function ask(question, names) {
  if (!question) return Promise.resolve(true);
  return new Promise((resolve) => {
    const words = make("div", { class: "dialog-body" }, renderBlocks([{ type: "section", text: question.text }], names, () => {}));
    const yes = make("button", { type: "button", class: question.style === "danger" ? "danger" : "primary" }, question.confirm.text);
    const no = make("button", { type: "button" }, question.deny.text);
    const end = (answer) => {
      confirmBox.oncancel = null;
      confirmBox.close();
      resolve(answer);
    };
    yes.addEventListener("click", () => end(true));
    no.addEventListener("click", () => end(false));
    confirmBox.oncancel = () => resolve(false);
    confirmBox.replaceChildren(
      make("h2", { id: "confirm-title" }, question.title.text), words,
      make("footer", {}, no, yes));
    confirmBox.showModal();
    no.focus();
  });
}

// A modal is on the screen it was opened on: one that was left open does not come back elsewhere.
export function openedHere(person, modals) {
  const met = `met ${person}`;
  if (sessionStorage.getItem(met) === null) sessionStorage.setItem(met, JSON.stringify(modals.map((one) => one.id)));
  const left = new Set(JSON.parse(sessionStorage.getItem(met)));
  return modals.filter((one) => !left.has(one.id));
}

let shown = "";

// Shows the topmost of the modals, or none. What somebody types in it survives until it changes.
export function showModal(modals, names, act) {
  const view = modals[modals.length - 1];
  const key = view ? `${view.id} ${view.revision}` : "";
  if (key === shown) return;
  shown = key;
  if (!view) {
    if (modalBox.open) modalBox.close();
    return;
  }
  const form = make("form", { novalidate: true });
  const body = make("div", { class: "dialog-body" },
    renderBlocks(view.blocks, names, (block, element, node) => act.press(view, block, element, node, collect(form))));
  const trouble = make("p", { class: "trouble", role: "alert" });
  const close = make("button", { type: "button" }, view.close?.text || (view.submit ? "Cancel" : "Close"));
  const submit = view.submit && make("button", { type: "submit", class: "primary" }, view.submit.text);
  form.append(make("h2", { id: "modal-title" }, view.title.text), body, trouble, make("footer", {}, close, submit));
  close.addEventListener("click", () => act.close(view));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!submit || submit.disabled) return;
    submit.disabled = true;
    form.setAttribute("aria-busy", "true");
    const result = await act.submit(view, collect(form));
    submit.disabled = false;
    form.removeAttribute("aria-busy");
    tellErrors(form, result.errors || {});
    trouble.textContent = result.trouble ? `${result.trouble} (${result.error})` : "";
  });
  modalBox.replaceChildren(form);
  modalBox.oncancel = (event) => {
    event.preventDefault();
    act.close(view);
  };
  if (!modalBox.open) modalBox.showModal();
  (form.querySelector("[autofocus]") || form.querySelector("textarea,input,select") || close).focus();
}

function tellErrors(form, errors) {
  for (const old of form.querySelectorAll(".field-error")) old.remove();
  for (const field of form.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
  let first = null;
  for (const block of form.querySelectorAll("[data-block]")) {
    const words = errors[block.dataset.block];
    if (!words) continue;
    block.append(make("p", { class: "field-error", role: "alert" }, words));
    const field = block.querySelector("input,textarea,select");
    field?.setAttribute("aria-invalid", "true");
    first ??= field;
  }
  first?.focus();
}
