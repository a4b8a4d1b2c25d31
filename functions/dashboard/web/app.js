/**
 * One row of notification's `GET /alerts`, as far as this page shows it.
 *
 * @typedef {object} AlertRow
 * @property {string} alert_id
 * @property {string} alert_name
 * @property {string} severity
 * @property {string} status
 * @property {string} description
 * @property {string} rule_id
 * @property {string | null} actor_id
 * @property {string | null} client_ip
 * @property {string | null} server_hostname
 * @property {string | null} resource_id
 * @property {string} action_observed
 * @property {string | null} correlation_id
 * @property {number} count
 * @property {string} first_seen
 * @property {string} last_seen
 * @property {unknown} raw_event_data
 */

const refreshMs = 2000;
const pageSize = 100;
/** Kept for this tab alone, and gone with it. */
const tokenName = "auditflow-token";

/** @type {readonly AlertRow[]} */
let rows = [];
/** @type {string | undefined} */
let selected;
let shown = "";

// Everything that came from an event goes into the page as text, never as markup.

/**
 * @param {string} id
 */
function element(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`The page has no element '${id}'.`);
  return found;
}

/**
 * @param {string} text
 * @param {string} className
 */
function cell(text, className = "") {
  const td = document.createElement("td");
  td.textContent = text;
  td.className = className;
  return td;
}

/**
 * @param {string} instant
 */
function localTime(instant) {
  const date = new Date(instant);
  return Number.isNaN(date.getTime())
    ? instant
    : date.toLocaleString(undefined, { dateStyle: "short", timeStyle: "medium" });
}

/**
 * @param {string} instant
 */
function timeCell(instant) {
  const td = cell("", "time");
  const time = document.createElement("time");
  time.dateTime = instant;
  time.title = instant;
  time.textContent = localTime(instant);
  td.append(time);
  return td;
}

/**
 * @param {AlertRow} alert
 */
function nameCell(alert) {
  const td = cell("");
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = alert.alert_name;
  button.dataset["alert"] = alert.alert_id;
  td.append(button);
  return td;
}

/**
 * @param {AlertRow} alert
 */
function tableRow(alert) {
  const tr = document.createElement("tr");
  if (alert.alert_id === selected) tr.setAttribute("aria-current", "true");
  tr.append(
    cell(alert.severity, `severity ${/^[A-Z]+$/.test(alert.severity) ? alert.severity : ""}`),
    nameCell(alert),
    cell(alert.status),
    cell(alert.actor_id ?? "–"),
    cell(alert.server_hostname ?? "–"),
    cell(String(alert.count), "number"),
    timeCell(alert.first_seen),
    timeCell(alert.last_seen),
  );
  return tr;
}

function showRows() {
  const now = JSON.stringify([rows, selected]);
  if (now === shown) return;
  shown = now;
  const focused =
    document.activeElement instanceof HTMLElement ? document.activeElement.dataset["alert"] : undefined;
  element("rows").replaceChildren(...rows.map(tableRow));
  const table = element("list").querySelector("table");
  if (table) table.hidden = rows.length === 0;
  const notice = element("notice");
  notice.hidden = rows.length > 0;
  notice.textContent = "No alerts yet. They appear here as rules hold; this page refreshes by itself.";
  if (!focused) return;
  const again = element("rows").querySelector(`button[data-alert="${CSS.escape(focused)}"]`);
  if (again instanceof HTMLElement) again.focus();
}

function showDetail() {
  const alert = rows.find(({ alert_id }) => alert_id === selected);
  element("detail").hidden = !alert;
  if (!alert) return;
  element("detail-heading").textContent = alert.alert_name;
  element("description").textContent = alert.description;
  /** @type {readonly (readonly [string, string | null])[]} */
  const facts = [
    ["Severity", alert.severity],
    ["Rule", alert.rule_id],
    ["Events", String(alert.count)],
    ["First seen", alert.first_seen],
    ["Last seen", alert.last_seen],
    ["Action", alert.action_observed],
    ["Actor", alert.actor_id],
    ["Client address", alert.client_ip],
    ["Host", alert.server_hostname],
    ["Resource", alert.resource_id],
    ["Alert id", alert.alert_id],
    ["Correlation id", alert.correlation_id],
  ];
  element("facts").replaceChildren(...facts.flatMap(([name, value]) => (value ? fact(name, value) : [])));
  element("raw").textContent = JSON.stringify(alert.raw_event_data, null, 2);
}

/**
 * @param {string} name
 * @param {string} value
 */
function fact(name, value) {
  const dt = document.createElement("dt");
  const dd = document.createElement("dd");
  dt.textContent = name;
  dd.textContent = value;
  return [dt, dd];
}

/**
 * @param {string | undefined} alertId
 */
function select(alertId) {
  selected = alertId;
  history.replaceState(null, "", alertId ? `#${alertId}` : location.pathname);
  showRows();
  showDetail();
}

/**
 * @param {string} text
 * @param {boolean} down
 */
function setStatus(text, down) {
  const status = element("status");
  status.classList.toggle("down", down);
  if (status.textContent !== text) status.textContent = text;
}

/**
 * What everybody should know, such as that nobody is asked who they are.
 *
 * @param {string | null} text
 */
function showBanner(text) {
  const banner = element("banner");
  banner.hidden = text === null;
  if (banner.textContent !== text) banner.textContent = text;
}

/**
 * @returns {Promise<Response>}
 */
function readAlerts() {
  const token = sessionStorage.getItem(tokenName);
  /** @type {Record<string, string>} */
  const authorization = token === null ? {} : { authorization: `Bearer ${token}` };
  return fetch(`/alerts?limit=${pageSize}`, { headers: { accept: "application/json", ...authorization } });
}

async function refresh() {
  try {
    const response = await readAlerts();
    showBanner(response.headers.get("x-auditflow-notice"));
    element("login").hidden = response.status !== 401 && response.status !== 403;
    if (response.status === 401 || response.status === 403) {
      const { detail } = await response.json();
      throw new Error(detail);
    }
    if (!response.ok) throw new Error(`the alert store answered ${response.status}`);
    rows = await response.json();
    const more = rows.length === pageSize ? ` (the newest ${pageSize})` : "";
    setStatus(`Live · ${rows.length} ${rows.length === 1 ? "alert" : "alerts"}${more}`, false);
    showRows();
    showDetail();
  } catch (error) {
    setStatus(
      `Not up to date: ${error instanceof Error ? error.message : "no connection"}. Trying again…`,
      true,
    );
  }
}

async function keepRefreshing() {
  if (!document.hidden) await refresh();
  setTimeout(() => void keepRefreshing(), refreshMs);
}

element("rows").addEventListener("click", (event) => {
  const button = event.target instanceof HTMLElement ? event.target.closest("button[data-alert]") : null;
  if (!(button instanceof HTMLElement)) return;
  select(button.dataset["alert"]);
  element("detail-heading").focus();
});
element("login").addEventListener("submit", (event) => {
  event.preventDefault();
  const token = element("token");
  if (!(token instanceof HTMLInputElement)) return;
  sessionStorage.setItem(tokenName, token.value.trim());
  token.value = "";
  void refresh();
});
element("close").addEventListener("click", () => select(undefined));
document.addEventListener("visibilitychange", () => void (document.hidden ? undefined : refresh()));

selected = location.hash.slice(1) || undefined;
await keepRefreshing();
