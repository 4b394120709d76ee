// What the page does beyond links: times in the reader's zone, changes through the API with undo, the timeline, news.
"use strict";
(() => {
  const $ = (query, root = document) => root.querySelector(query);
  const all = (query, root = document) => [...root.querySelectorAll(query)];
  const refresh = (name = "refresh") => htmx.trigger(document.body, name);

  // Times: the server writes UTC, the reader sees the own zone, UTC stays in the title.
  const shown = new Intl.DateTimeFormat(undefined, { dateStyle: "short", timeStyle: "medium" });
  const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
  function localTimes(root) {
    const day = new Date().toDateString();
    for (const time of all("time[datetime]:not([data-local])", root)) {
      const at = new Date(time.dateTime);
      if (Number.isNaN(at.getTime())) continue;
      time.textContent = (at.toDateString() === day ? clock : shown).format(at);
      time.dataset.local = "";
    }
  }

  const zone = $("#zone"), place = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone && place) zone.textContent = zone.dataset.zone.replace("*", place.replaceAll("_", " "));

  // Changes: one call of the API; its answer is said, and can be taken back.
  async function call(method, path, body) {
    const answer = await fetch(path, {
      method, credentials: "same-origin", redirect: "error",
      headers: { "Content-Type": "application/json", "X-CSRF-Token": $('meta[name="csrf"]').content },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await answer.text();
    let read = {};
    try { read = text ? JSON.parse(text) : {}; } catch { read = {}; }
    if (!answer.ok) throw new Error(await retold(read.detail || answer.status + " " + answer.statusText));
    return read;
  }
  async function retold(said) {  // what the API says in English, in the language of the page
    const where = $("#toasts").dataset.retell;
    if (!where) return said;
    try {
      const answer = await fetch(where + encodeURIComponent(said), { credentials: "same-origin" });
      return answer.ok ? await answer.text() : said;
    } catch { return said; }
  }

  function say(text, undo) {
    const toasts = $("#toasts"), toast = document.createElement("div"), words = document.createElement("span");
    toast.className = "toast";
    words.textContent = text;
    toast.append(words);
    if (undo) {
      const button = document.createElement("button");
      button.textContent = toasts.dataset.undo;
      button.addEventListener("click", async () => {
        toast.remove();
        try { await call(...undo); } catch (problem) { say(toasts.dataset.failed + " " + problem.message); }
        refresh();
      });
      toast.append(button);
    }
    toasts.append(toast);
    setTimeout(() => toast.remove(), undo ? 20000 : 8000);
  }

  async function change(element, fields) {
    const [method, path] = element.dataset.api.split(" ");
    const given = element.dataset.body ? JSON.parse(element.dataset.body) : undefined;
    const body = given === undefined && !fields ? undefined : { ...given, ...fields };
    const buttons = element.matches("button") ? [element] : all("button", element);
    const held = document.activeElement;  // a button that is disabled loses the focus
    buttons.forEach((button) => { button.disabled = true; });
    try {
      const made = await call(method, path, body);
      let undo = element.dataset.undo ? JSON.parse(element.dataset.undo) : null;
      if (element.dataset.undoCreated && made.id !== undefined) undo = ["DELETE", element.dataset.undoCreated + encodeURIComponent(made.id)];
      if (element.dataset.then) { location.href = element.dataset.then; return; }
      if (element.dataset.said) say(element.dataset.said, undo);
      if (element.dataset.reload !== undefined) { location.reload(); return; }
      refresh();
    } catch (problem) {
      say($("#toasts").dataset.failed + " " + problem.message);
    } finally {
      buttons.forEach((button) => { button.disabled = false; });
      if (document.activeElement === document.body && held && held.isConnected) held.focus({ preventScroll: true });
    }
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-api]");
    if (button) { event.preventDefault(); change(button); return; }
    const link = event.target.closest("a[data-incident]");
    if (link && $("#view") && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      choose(link.dataset.incident);
    }
  });
  document.addEventListener("submit", (event) => {
    const form = event.target.closest("form[data-api]");
    if (!form) return;
    event.preventDefault();
    const fields = {};
    for (const [name, value] of new FormData(form)) {
      const input = form.elements.namedItem(name);
      if (value !== "") fields[name] = input && input.dataset && "number" in input.dataset ? Number(value) : value;
    }
    change(form, fields);
  });

  // Now: which incidents, and which of them.
  function view(changes) {
    const form = $("#view");
    if (!form) return;
    for (const [name, value] of Object.entries(changes)) form.elements.namedItem(name).value = value;
    const kept = new URLSearchParams([...new FormData(form)].filter(([, value]) => value).map(([name, value]) => [name === "chosen" ? "incident" : name, value]));
    history.replaceState(null, "", "/?" + kept);
  }
  function choose(id) {
    view({ chosen: id });
    for (const item of all("li.inc")) {
      if ($("a[data-incident]", item).dataset.incident === id) item.setAttribute("aria-current", "true");
      else item.removeAttribute("aria-current");
    }
    refresh("chosen");
    if (matchMedia("(max-width: 900px)").matches) $("#detail").scrollIntoView({ block: "start" });
  }
  for (const button of all("#states button")) {
    button.addEventListener("click", () => {
      all("#states button").forEach((other) => other.setAttribute("aria-pressed", String(other === button)));
      view({ state: button.dataset.state });
      refresh("view");
    });
  }

  // Keys: / searches, j and k walk the incidents.
  document.addEventListener("keydown", (event) => {
    if (event.target.closest("input, select, textarea") || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "/") { event.preventDefault(); $("#search").focus(); }
    if (event.key === "j" || event.key === "k") {
      const links = all("li.inc a[data-incident]");
      if (!links.length) return;
      const at = links.findIndex((link) => link.closest("li").hasAttribute("aria-current"));
      const next = links[Math.min(links.length - 1, Math.max(0, at + (event.key === "j" ? 1 : -1)))];
      next.focus();
      choose(next.dataset.incident);
    }
  });

  // The timeline: lines as an area, anomalies as bars below; a drag chooses a span.
  const chart = $("#chart");
  let plot = null;
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const days = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
  const hours = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
  function moments(self, splits, axis, space, step) {  // in the reader's own way, the day where it begins
    const own = splits.map((at) => new Date(at * 1000));
    return own.map((at, n) => (step >= 86400 || (n && at.getDate() !== own[n - 1].getDate()) ? days : hours).format(at));
  }
  const whole = [1, 2, 5].flatMap((n) => [...Array(10).keys()].map((power) => n * 10 ** power)).sort((a, b) => a - b);  // lines are counted
  async function draw() {
    if (!chart || typeof uPlot === "undefined") return;
    const form = $("#view").elements;
    const asked = new URLSearchParams({ hours: chart.dataset.hours });
    if (form.since.value) { asked.set("since", form.since.value); asked.set("until", form.until.value); }
    const answer = await fetch("/page/part/timeline?" + asked, { credentials: "same-origin" });
    if (!answer.ok) return;
    const { times, lines, anomalies } = await answer.json();
    if (plot && plot.data[0].length === times.length) { plot.setData([times, lines, anomalies]); return; }
    if (plot) plot.destroy();
    const axis = { stroke: colour("--soft"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line") } };
    plot = new uPlot({
      width: chart.clientWidth, height: 170, legend: { show: true }, cursor: { drag: { x: true, y: false, setScale: false } },
      scales: { x: { time: true }, y: { range: (self, low, high) => [0, Math.max(1, high)] }, a: { range: (self, low, high) => [0, Math.max(4, high * 3)] } },
      axes: [{ ...axis, values: moments, space: 70 }, { ...axis, size: 56, incrs: whole }, { ...axis, incrs: whole, scale: "a", side: 1, grid: { show: false }, size: 56 }],
      series: [{ label: chart.dataset.time, value: (self, at) => at == null ? "--" : shown.format(new Date(at * 1000)) }, { label: chart.dataset.lines, stroke: colour("--accent"), fill: colour("--area"), width: 1, points: { show: false } },
        { label: chart.dataset.anomalies, scale: "a", stroke: colour("--critical"), fill: colour("--critical"), paths: uPlot.paths.bars({ size: [0.9, 12, 2] }), points: { show: false } }],
      hooks: { setSelect: [(self) => {
        if (self.select.width < 4) return;
        const from = self.posToVal(self.select.left, "x"), to = self.posToVal(self.select.left + self.select.width, "x");
        zoom(new Date(from * 1000).toISOString(), new Date(to * 1000).toISOString());
        self.setSelect({ width: 0, height: 0, left: 0, top: 0 }, false);
      }] },
    }, [times, lines, anomalies], chart);
  }
  function zoom(since, until) {
    view({ since, until });
    $("#unzoom").hidden = !since;
    if (plot) { plot.destroy(); plot = null; }
    draw();
    refresh("view");
  }
  if (chart) {
    $("#unzoom").addEventListener("click", () => zoom("", ""));
    $("#unzoom").hidden = !$("#view").elements.since.value;
    for (const button of all("button[data-hours]")) {
      button.addEventListener("click", () => {
        all("button[data-hours]").forEach((other) => other.setAttribute("aria-pressed", String(other === button)));
        chart.dataset.hours = button.dataset.hours;
        zoom("", "");
      });
    }
    addEventListener("resize", () => { if (plot) plot.setSize({ width: chart.clientWidth, height: 170 }); });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { if (plot) { plot.destroy(); plot = null; } draw(); });
  }

  // News: the stream says that something happened; at most twice a second the parts are asked for anew.
  // Where somebody is at work in the chosen incident, news leave it as it is: what is chosen there must not change under their hands.
  let waiting = null, isNews = false;
  const tell = () => { waiting = null; isNews = true; refresh(); isNews = false; draw(); };
  const news = () => { if (!waiting) waiting = setTimeout(tell, 500); };
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (isNews && event.target.id === "detail" && event.target.contains(document.activeElement)) event.preventDefault();
  });
  if ($("#say") && window.EventSource) {
    const stream = new EventSource("/stream");
    for (const kind of ["message", "anomaly", "incident"]) stream.addEventListener(kind, news);
    addEventListener("pagehide", () => stream.close());
  }
  if ($("#say")) setInterval(() => { if (!document.hidden) news(); }, 15000);

  // The threshold's slider: what the last days would have shown.
  const slider = $("#alerts-per-day");
  if (slider) {
    let asked = null;
    slider.addEventListener("input", () => {
      $("#alerts-shown").value = slider.value;
      clearTimeout(asked);
      asked = setTimeout(() => htmx.trigger(slider, "preview"), 200);
    });
  }

  document.addEventListener("htmx:afterSwap", (event) => localTimes(event.target));
  localTimes(document);
  draw();
})();
