"use strict";
// The page is complete without this script. It adds sorting and finding to the workload table,
// opens the row that a link names, and unfolds everything for print. The view can be shared:
// ?sort=calls&show=gray_area&find=nightly
(() => {
  const unfold = () => document.querySelectorAll("details").forEach((d) => { d.open = true; });
  addEventListener("beforeprint", unfold);

  const openTarget = () => {
    const target = document.getElementById(location.hash.slice(1));
    const details = target && target.querySelector("details");
    if (details) { details.open = true; target.scrollIntoView(); }
  };
  addEventListener("hashchange", openTarget);

  const table = document.getElementById("workload-table");
  if (!table) return;
  const find = document.getElementById("workload-find");
  const show = document.getElementById("workload-show");
  const count = document.getElementById("workload-count");
  const headers = [...table.tHead.rows[0].cells];
  const rows = [...table.tBodies];
  const words = rows.map((row) => row.rows[0].textContent.toLowerCase());

  const keyOf = (row, column) => {
    const cell = row.rows[0].cells[column];
    const data = cell.querySelector("data");
    if (!data) return cell.textContent.trim().toLowerCase();
    return data.value === "" ? -Infinity : Number(data.value);
  };
  const sortBy = (column, direction) => {
    const sign = direction === "ascending" ? 1 : -1;
    const keyed = rows.map((row) => [keyOf(row, column), row]);
    keyed.sort(([a], [b]) => (a < b ? -sign : a > b ? sign : 0));
    table.append(...keyed.map(([, row]) => row));
    headers.forEach((header, index) => {
      if (index === column) header.setAttribute("aria-sort", direction);
      else header.removeAttribute("aria-sort");
    });
  };
  headers.forEach((header, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...header.childNodes);
    header.append(button);
    const first = header.classList.contains("n") ? "descending" : "ascending";
    const other = first === "descending" ? "ascending" : "descending";
    button.addEventListener("click", () => {
      sortBy(column, header.getAttribute("aria-sort") === first ? other : first);
    });
  });

  const filter = () => {
    const text = find.value.trim().toLowerCase();
    let shown = 0;
    rows.forEach((row, index) => {
      const fits = words[index].includes(text) && (!show.value || row.dataset.label === show.value);
      row.hidden = !fits;
      shown += fits ? 1 : 0;
    });
    count.textContent = `${shown} of ${rows.length} shown`;
  };
  find.addEventListener("input", filter);
  show.addEventListener("change", filter);
  document.getElementById("workload-controls").hidden = false;

  const wanted = new URLSearchParams(location.search);
  find.value = wanted.get("find") || "";
  show.value = wanted.get("show") || "";
  if (show.selectedIndex < 0) show.value = "";
  filter();
  const header = headers.find((cell) => cell.dataset.sort === wanted.get("sort"));
  if (header) header.firstElementChild.click();
  openTarget();
})();
