// Columns of a packed table, see `stageroute_gym.report.board_page.packed`.
function unpack(column, count) {
  if (column.values) return column.values;
  if (column.codes) return column.codes.map((code) => column.levels[code]);
  const values = new Array(count);
  let row = 0;
  for (let place = 0; place < column.runs.length; place += 2) {
    const end = row + column.runs[place + 1];
    values.fill(column.levels[column.runs[place]], row, end);
    row = end;
  }
  return values;
}

const tables = {};
for (const [name, table] of Object.entries(content.tables)) {
  const columns = Object.entries(table.columns).map(([key, column]) => [key, unpack(column, table.rows)]);
  tables[name] = { count: table.rows, columns: Object.fromEntries(columns) };
}

const kinds = Object.fromEntries(content.entries.map((entry) => [entry.label, entry.kind]));
const shown = new Set(content.on);
// Contenders keep their colour for as long as they are on.
const colors = {};
let scenario = content.scenarios[0];
let focus = content.on[0];
const views = {};

function assignColors() {
  const series = paper().series;
  for (const label of Object.keys(colors)) if (!shown.has(label)) delete colors[label];
  for (const label of shown) {
    if (kinds[label] === "reference" || label in colors) continue;
    const taken = new Set(Object.values(colors));
    const free = series.findIndex((_, place) => !taken.has(place));
    if (free >= 0) colors[label] = free;
  }
}

// References, and entries beyond the colours there are, are drawn in the colour of what explains.
function colorOf(label) {
  return label in colors ? paper().series[colors[label]] : paper().quiet;
}

function rowsOf(name, chart) {
  const { count, columns } = tables[name];
  const keys = Object.keys(columns);
  const rows = [];
  for (let row = 0; row < count; row++) {
    if (columns.scenario && chart.ofScenario && columns.scenario[row] !== scenario) continue;
    const label = columns.entry?.[row] ?? null;
    if (label !== null) {
      if (chart.ofEntry ? label !== focus : !shown.has(label)) continue;
    }
    const values = {};
    for (const key of keys) values[key] = columns[key][row];
    if (label !== null) {
      values.kind = kinds[label];
      values.color = colorOf(label);
    }
    rows.push(values);
  }
  return rows;
}

async function draw(chart) {
  const { back, line, band, quiet } = paper();
  const given = chart.specification.height;
  const specification = {
    ...chart.specification,
    width: "container",
    height: typeof given === "number" ? Math.max(given, content.pixelsAnEntry * shown.size) : given,
    params: [
      { name: "paper", value: { back, line, band, quiet } },
      { name: "horizon", value: content.horizons[scenario] },
    ],
    datasets: Object.fromEntries(chart.tables.map((name) => [name, rowsOf(name, chart)])),
  };
  const drawn = await embed("chart-" + chart.name, specification);
  views[chart.name]?.finalize();
  views[chart.name] = drawn.view;
}

let drawing = Promise.resolve();
function drawAll(wanted = () => true) {
  drawing = drawing.then(async () => {
    document.documentElement.dataset.drawn = "no";
    assignColors();
    for (const row of document.querySelectorAll("tr[data-entry]")) {
      const label = row.dataset.entry;
      row.classList.toggle("off", !shown.has(label));
      row.querySelector("input").checked = shown.has(label);
      row.querySelector(".swatch").style.background = shown.has(label) ? colorOf(label) : "none";
    }
    for (const chart of content.charts) if (wanted(chart)) await draw(chart);
    document.documentElement.dataset.drawn = "yes";
  });
  return drawing;
}

// "1,629 ± 82" is sorted as 1629, "-" comes last, and names by their letters.
function sortKey(text) {
  const number = parseFloat(text.replaceAll(",", ""));
  return Number.isNaN(number) ? (text.trim() === "-" ? Infinity : text) : number;
}

function sortBy(heading) {
  const place = heading.cellIndex;
  const body = heading.closest("table").tBodies[0];
  const descending = heading.getAttribute("aria-sort") === "ascending";
  for (const other of heading.parentNode.cells) other.setAttribute("aria-sort", "none");
  heading.setAttribute("aria-sort", descending ? "descending" : "ascending");
  const sign = descending ? -1 : 1;
  const keyed = [...body.rows].map((row) => [sortKey(row.cells[place].innerText), row]);
  keyed.sort(([a], [b]) => {
    if (a === Infinity || b === Infinity) return (a === Infinity) - (b === Infinity);
    const both = typeof a === "number" && typeof b === "number";
    return sign * (both ? a - b : String(a).localeCompare(String(b)));
  });
  for (const [, row] of keyed) body.append(row);
}

for (const heading of document.querySelectorAll(".board th")) {
  heading.addEventListener("click", () => sortBy(heading));
}
for (const box of document.querySelectorAll(".board input")) {
  box.addEventListener("change", () => {
    const label = box.closest("tr").dataset.entry;
    if (box.checked) shown.add(label);
    else shown.delete(label);
    drawAll((chart) => !chart.ofEntry);
  });
}
for (const button of document.querySelectorAll("[data-switch]")) {
  button.addEventListener("click", () => {
    const labels = { first: content.on, all: Object.keys(kinds), none: [] }[button.dataset.switch];
    shown.clear();
    for (const label of labels) shown.add(label);
    drawAll((chart) => !chart.ofEntry);
  });
}
document.getElementById("scenario")?.addEventListener("change", (event) => {
  scenario = event.target.value;
  for (const part of document.querySelectorAll(".of-scenario")) part.hidden = part.dataset.scenario !== scenario;
  for (const name of document.querySelectorAll(".scenario-name")) name.textContent = scenario;
  drawAll((chart) => chart.ofScenario);
});
const entryChoice = document.getElementById("entry");
entryChoice.value = focus;
entryChoice.addEventListener("change", () => {
  focus = entryChoice.value;
  drawAll((chart) => chart.ofEntry);
});
darkPaper.addEventListener("change", () => drawAll());
drawAll();
