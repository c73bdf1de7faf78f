"use strict";
// The page is complete without this script. It sorts and filters the workload table, opens what a
// link names, switches the theme, copies, unfolds everything for print, and listens to a few keys.
// The address holds the view: ?sort=calls&dir=ascending&show=gray_area&find=nightly#w_1f-realtime
const byId = (id) => document.getElementById(id);
const stored = {
  get(key) { try { return localStorage.getItem(`llm-audit-${key}`); } catch { return null; } },
  set(key, value) { try { localStorage.setItem(`llm-audit-${key}`, value); } catch { /* forget */ } },
};

// Theme: auto, light, dark in turn. Others may listen for "themechange" on the document.
(() => {
  const button = byId("theme");
  if (!button) return;
  const root = document.documentElement;
  const order = ["auto", "light", "dark"];
  const marks = { auto: "◐", light: "☀", dark: "☾" };
  const set = (theme) => {
    if (theme === "auto") delete root.dataset.theme;
    else root.dataset.theme = theme;
    button.textContent = `${marks[theme]} ${theme}`;
    button.setAttribute("aria-label", `Theme: ${theme}. Press to change`);
    document.dispatchEvent(new CustomEvent("themechange", { detail: theme }));
  };
  const now = () => root.dataset.theme || "auto";
  button.addEventListener("click", () => {
    const next = order[(order.indexOf(now()) + 1) % order.length];
    set(next);
    stored.set("theme", next);
  });
  button.hidden = false;
  set(now());
})();

// Links into folded parts: what they name is opened, with everything around it.
(() => {
  const named = () => {
    try { return byId(decodeURIComponent(location.hash.slice(1))); } catch { return null; }
  };
  const open = () => {
    const target = named();
    if (!target) return;
    for (let part = target; part; part = part.parentElement) {
      if (part.tagName === "DETAILS") part.open = true;
    }
    const inside = target.tagName === "TBODY" && target.querySelector("details");
    if (inside) inside.open = true;
    if (target.hidden) document.dispatchEvent(new CustomEvent("hiddentarget"));
    target.scrollIntoView();
  };
  addEventListener("hashchange", open);
  addEventListener("DOMContentLoaded", open);
  document.addEventListener("click", (event) => {
    // The same link twice changes no hash, yet the row may have been folded in between.
    const link = event.target.closest("a[href^='#']");
    if (link && link.hash === location.hash) setTimeout(open);
  });
})();

// Print shows what is folded, and folds it again afterwards.
(() => {
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = [...document.querySelectorAll("details:not([open])")];
    folded.forEach((part) => { part.open = true; });
  });
  addEventListener("afterprint", () => {
    folded.forEach((part) => { part.open = false; });
    folded = [];
  });
})();

// Copy buttons stand behind the text that they copy.
document.querySelectorAll("button.copy").forEach((button) => {
  const code = button.parentElement.querySelector("code");
  const select = () => {
    const range = document.createRange();
    range.selectNodeContents(code);
    getSelection().removeAllRanges();
    getSelection().addRange(range);
  };
  button.hidden = false;
  button.setAttribute("aria-live", "polite");
  button.addEventListener("click", async () => {
    let done = "Copied";
    try {
      await navigator.clipboard.writeText(code.textContent);
    } catch {
      select();
      done = "Selected";
    }
    button.textContent = done;
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });
});

// The workload table.
(() => {
  const table = byId("workload-table");
  if (!table) return;
  const find = byId("workload-find");
  const show = byId("workload-show");
  const reset = byId("workload-reset");
  const headers = [...table.tHead.rows[0].cells];
  const rows = [...table.tBodies].filter((body) => body.id);
  const words = rows.map((row) =>
    `${row.rows[0].textContent} ${row.rows[1].querySelector("summary, p").textContent}`.toLowerCase());
  let sorted = null;

  const keyOf = (row, column) => {
    const cell = row.rows[0].cells[column];
    const data = cell.querySelector("data");
    if (!data) return cell.textContent.trim().toLowerCase();
    return data.value === "" ? -Infinity : Number(data.value);
  };
  const directions = (header) => (header.classList.contains("n")
    ? ["descending", "ascending"] : ["ascending", "descending"]);
  const order = () => {
    const column = sorted ? headers.indexOf(sorted.header) : -1;
    const sign = sorted && sorted.direction === "descending" ? -1 : 1;
    const keyed = rows.map((row) => [sorted ? keyOf(row, column) : 0, row]);
    keyed.sort(([a], [b]) => (a < b ? -sign : a > b ? sign : 0));
    table.append(...keyed.map(([, row]) => row));
    headers.forEach((header) => {
      if (sorted && header === sorted.header) header.setAttribute("aria-sort", sorted.direction);
      else header.removeAttribute("aria-sort");
    });
  };
  const filter = () => {
    const wanted = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    rows.forEach((row, index) => {
      const fits = wanted.every((word) => words[index].includes(word))
        && (!show.value || row.dataset.label === show.value);
      row.hidden = !fits;
      shown += fits ? 1 : 0;
    });
    byId("workload-count").textContent = `${shown} of ${rows.length} shown`;
    byId("workload-none").hidden = shown > 0;
    reset.hidden = !(find.value || show.value || sorted);
  };
  const remember = () => {
    const query = new URLSearchParams();
    if (sorted) query.set("sort", sorted.header.dataset.sort);
    if (sorted && sorted.direction !== directions(sorted.header)[0]) query.set("dir", sorted.direction);
    if (show.value) query.set("show", show.value);
    if (find.value.trim()) query.set("find", find.value.trim());
    const search = query.size ? `?${query}` : "";
    // Some browsers keep the address of a local file as it is; then only sharing is lost.
    try { history.replaceState(null, "", location.pathname + search + location.hash); } catch { /* see above */ }
  };
  const update = (...steps) => { steps.forEach((step) => step()); remember(); };

  headers.filter((header) => header.dataset.sort).forEach((header) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...header.childNodes);
    header.append(button);
    button.addEventListener("click", () => {
      const [first, other] = directions(header);
      const again = sorted && sorted.header === header && sorted.direction === first;
      sorted = { header, direction: again ? other : first };
      update(order, filter);
    });
  });
  find.addEventListener("input", () => update(filter));
  show.addEventListener("change", () => update(filter));
  const showAll = () => {
    find.value = "";
    show.value = "";
    sorted = null;
    update(order, filter);
  };
  reset.addEventListener("click", () => { showAll(); find.focus(); });
  find.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !find.value) return;
    find.value = "";
    update(filter);
    event.preventDefault();
  });
  document.addEventListener("hiddentarget", showAll);

  const wanted = new URLSearchParams(location.search);
  find.value = wanted.get("find") || "";
  show.value = wanted.get("show") || "";
  if (show.selectedIndex < 0) show.value = "";
  const header = headers.find((cell) => cell.dataset.sort && cell.dataset.sort === wanted.get("sort"));
  if (header) {
    const [first, other] = directions(header);
    sorted = { header, direction: wanted.get("dir") === other ? other : first };
    order();
  }
  filter();
  byId("workload-controls").hidden = false;
})();

// Keys: "/" finds, "?" helps, Esc closes (the dialog does that itself). They can be switched off:
// who speaks to the computer may say a "/" without meaning it.
(() => {
  const dialog = byId("keys");
  if (!dialog || !dialog.showModal) return;
  const on = byId("keys-on");
  on.checked = stored.get("keys") !== "off";
  on.addEventListener("change", () => stored.set("keys", on.checked ? "on" : "off"));
  const help = () => {
    if (dialog.open) return;
    dialog.showModal();
    byId("keys-close").focus();
  };
  byId("keys-open").addEventListener("click", help);
  byId("keys-close").addEventListener("click", () => dialog.close());
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest && event.target.closest("input, select, textarea, dialog");
    if (typing || !on.checked || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "?") help();
    else if (event.key === "/") byId("workload-find").focus();
    else return;
    event.preventDefault();
  });
})();
