// The charts of #explore. plotly.js lies packed at the end of the page; it is unpacked and run when
// a reader opens the fold, not before. Its hash stands in the page's policy: nothing else can run.
(() => {
  const fold = byId("explore-fold");
  if (!fold) return;
  const status = byId("explore-status");
  const charts = JSON.parse(byId("explore-charts").textContent);
  const options = { displayModeBar: false, displaylogo: false, showTips: false, responsive: true };
  let plotly = null;
  let printing = false;

  // plotly.js writes style sheets, which the policy forbids, unless elements with their ids are
  // there: its own (explore.css has what these charts need of it) and one for maps, named by digest.
  const withoutItsStyles = (source) => {
    const maps = [...source.matchAll(/getElementById\("([0-9a-f]{64})"\)/g)].map(([, id]) => id);
    for (const id of new Set(["plotly.js-style-global", ...maps])) {
      const there = document.createElement("meta");
      there.id = id;
      there.className = "no-inline-styles";
      document.head.append(there);
    }
  };

  const unpack = async () => {
    const packed = byId("explore-library").textContent.replace(/-/g, "+").replace(/_/g, "/");
    const bytes = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    const script = document.createElement("script");
    script.textContent = await new Response(stream).text();
    withoutItsStyles(script.textContent);
    document.head.append(script);
    script.remove();
    byId("explore-library").remove();
    return window.Plotly;
  };

  // Every "var(--name)" in a figure becomes the colour that the page's theme gives it now.
  const coloured = (figure) => {
    const probe = fold.appendChild(document.createElement("span"));
    const colour = (key, value) => {
      if (typeof value !== "string" || !/^var\(--[a-z]+\)$/.test(value)) return value;
      probe.style.color = value;
      return getComputedStyle(probe).color;
    };
    const copy = JSON.parse(JSON.stringify(figure, colour));
    probe.remove();
    return copy;
  };

  // A dot's names stand in its row. plotly reads labels as HTML, so they are written as entities.
  const named = (trace) => {
    const plain = (node) => node.textContent.trim().slice(0, 80)
      .replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
    trace.text = trace.text.map((said, dot) => {
      const head = byId(trace.customdata[dot]).rows[0].cells[0];
      const [caller, kind] = [head.firstChild, head.querySelector("span")];
      return [`${trace.ids[dot]} ${plain(caller)}`, plain(kind), said].join("<br>");
    });
  };

  const draw = () => Promise.all(Object.entries(charts).map(([id, figure]) => {
    const { data, layout } = coloured(figure);
    data.filter((trace) => trace.ids).forEach(named);
    // A finger that drags wants to scroll the page.
    if (matchMedia("(pointer: coarse)").matches) layout.dragmode = false;
    byId(id).parentElement.hidden = false;
    return plotly.react(id, data, layout, options);
  }));

  const open = async () => {
    if (!fold.open || printing || plotly) return;
    status.textContent = "Unpacking the charts …";
    try {
      plotly = await (open.unpacked ||= unpack());
      await draw();
      status.textContent = "";
    } catch {
      status.textContent = "The charts could not be drawn here: this page has no plotly.js, or this browser cannot unpack it.";
      return;
    }
    const dots = byId("explore-workloads");
    if (dots) dots.on("plotly_click", (event) => { location.hash = event.points[0].customdata; });
  };
  const redraw = () => { if (plotly) draw(); };

  addEventListener("beforeprint", () => { printing = true; });
  addEventListener("afterprint", () => { printing = false; });
  document.addEventListener("themechange", redraw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  fold.addEventListener("toggle", open);
  addEventListener("DOMContentLoaded", open);
})();
