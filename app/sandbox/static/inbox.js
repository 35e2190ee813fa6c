// The phone inbox. One question a second ("has anything changed since version N?"); everything else follows from its answer.
import { colourOf, dayOf, initialsOf, phoneText, shortTime, timeOf, withLinks } from "./wording.js";

const POLL_MILLISECONDS = 1000;
const PAGE = 60;

const $ = (id) => document.getElementById(id);
const state = { phone: null, search: "", limit: PAGE, seen: 0, bubbles: new Map(), drawn: false };

async function ask(path, options) {
  const answer = await fetch(path, options);
  if (answer.status === 204) return null;
  const body = await answer.json();
  if (!answer.ok) throw Object.assign(new Error(body.message), { refused: true });
  return body;
}

const post = (path, body) =>
  ask(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body ?? {}) });

const pathOf = (phone) => `/inbox/conversations/${encodeURIComponent(phone)}`;

function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

// --- the list of phones ---

async function refreshList() {
  const wanted = state.search;
  const query = new URLSearchParams({ search: wanted, limit: state.limit, seen: state.seen });
  const found = await ask(`/inbox/conversations?${query}`);
  if (!found || wanted !== state.search) return false;
  state.seen = found.version;
  drawTotals(found.totals);
  drawList(found);
  return true;
}

function drawTotals(totals) {
  for (const [name, value] of Object.entries(totals)) {
    document.querySelector(`[data-total="${name}"]`).textContent = value.toLocaleString("en-US");
  }
}

function drawList({ conversations, more }) {
  const list = $("conversations");
  const focused = list.contains(document.activeElement) ? document.activeElement.dataset.phone : null;
  list.replaceChildren(...conversations.map(drawRow));
  if (focused) list.querySelector(`[data-phone="${CSS.escape(focused)}"]`)?.focus();
  $("more").hidden = !more;
  $("nothing").hidden = conversations.length > 0;
  $("nothing").textContent = state.search ? `No phone matches “${state.search}”.` : "No phone has got a text yet.";
  if (!state.search) {
    $("welcome-title").textContent = conversations.length ? "Choose a phone" : "All quiet";
    $("welcome-text").textContent = conversations.length
      ? "Read what its owner reads, follow the links and write back."
      : "Send a campaign, and its texts arrive here as they would on your customers’ phones.";
  }
}

function drawRow(talk) {
  const row = element("a", `row${talk.unread ? " unread" : ""}`);
  row.href = `#${talk.phone}`;
  row.dataset.phone = talk.phone;
  if (talk.phone === state.phone) row.setAttribute("aria-current", "true");
  row.append(avatar(talk.sender), rowText(talk), rowSide(talk));
  const item = element("li");
  item.append(row);
  return item;
}

function avatar(sender) {
  const made = element("span", "avatar", initialsOf(sender));
  made.style.setProperty("--hue", colourOf(sender));
  made.setAttribute("aria-hidden", "true");
  return made;
}

function rowText(talk) {
  const preview = element("div", "preview");
  if (talk.status === "Failure") preview.append(element("span", "bad", "Not delivered · "));
  preview.append(element("b", "", `${talk.isReply ? "Reply" : talk.sender}:`), ` ${talk.text.replace(/\s+/g, " ")}`);
  const text = element("div");
  text.append(element("div", "number", phoneText(talk.phone)), preview);
  return text;
}

function rowSide(talk) {
  const side = element("div", "side");
  const time = element("time", "", shortTime(talk.at));
  time.dateTime = talk.at;
  side.append(time);
  if (talk.unread) {
    const dot = element("span", "dot");
    dot.setAttribute("role", "img");
    dot.setAttribute("aria-label", "unread");
    side.append(dot);
  }
  return side;
}

// --- one phone ---

async function openPhone(phone) {
  Object.assign(state, { phone, bubbles: new Map(), drawn: false });
  $("bubbles").replaceChildren();
  $("reply").value = "";
  trouble("");
  $("earlier").hidden = true;
  document.body.classList.toggle("open", Boolean(phone));
  $("phone").hidden = !phone;
  $("welcome").hidden = Boolean(phone);
  for (const row of document.querySelectorAll(".row")) {
    if (row.dataset.phone === phone) row.setAttribute("aria-current", "true");
    else row.removeAttribute("aria-current");
  }
  if (phone) await refreshPhone();
}

async function refreshPhone() {
  const phone = state.phone;
  const found = await ask(pathOf(phone) + (state.drawn ? `?after=${oldestOpenQuestion()}` : ""));
  if (phone !== state.phone) return;
  if (!state.drawn) $("earlier").hidden = !found.earlier;
  for (const message of found.messages) state.bubbles.set(message.seq, message);
  drawPhone({ fresh: state.drawn ? found.messages : [] });
  state.drawn = true;
  await post(`${pathOf(phone)}/read`);
}

// Ask again for whatever has no outcome yet (of the last hundred), and for everything newer.
function oldestOpenQuestion() {
  const latest = [...state.bubbles.values()].sort((a, b) => a.seq - b.seq).slice(-100);
  const open = latest.find((message) => !message.isReply && message.status === "Sent");
  return open ? open.seq - 1 : latest.at(-1)?.seq ?? 0;
}

async function showEarlier() {
  const first = Math.min(...state.bubbles.keys());
  const found = await ask(`${pathOf(state.phone)}?before=${first}`);
  for (const message of found.messages) state.bubbles.set(message.seq, message);
  $("earlier").hidden = !found.earlier;
  const thread = $("thread");
  const fromEnd = thread.scrollHeight - thread.scrollTop;
  drawPhone({ fresh: [], stay: true });
  thread.scrollTop = thread.scrollHeight - fromEnd;
}

function drawPhone({ fresh, stay = false }) {
  const messages = [...state.bubbles.values()].sort((a, b) => a.seq - b.seq);
  const sender = messages.findLast((message) => !message.isReply)?.sender ?? "";
  $("phone-sender").textContent = sender || "Nobody yet";
  $("phone-number").textContent = phoneText(state.phone);
  $("phone-avatar").textContent = initialsOf(sender);
  $("phone-avatar").style.setProperty("--hue", colourOf(sender));
  const thread = $("thread");
  const atEnd = thread.scrollHeight - thread.scrollTop - thread.clientHeight < 80;
  const before = new Map([...$("bubbles").children].map((item) => [item.dataset.key, item]));
  const freshOnes = new Set(fresh.map((message) => message.seq));
  // A bubble that says the same as before is kept, so that selections, focus and screen readers are left in peace.
  const items = withDays(messages).map((entry) => {
    const key = entry.day ?? `${entry.seq} ${entry.status} ${entry.headed}`;
    const known = before.get(key);
    const seenBefore = [...before.keys()].some((old) => old.startsWith(`${entry.seq} `));
    return known ?? drawEntry(entry, key, freshOnes.has(entry.seq) && !seenBefore);
  });
  if (items.length !== before.size || items.some((item) => !before.has(item.dataset.key))) $("bubbles").replaceChildren(...items);
  if (!stay && (atEnd || !state.drawn)) thread.scrollTop = thread.scrollHeight;
}

function withDays(messages) {
  const entries = [];
  let day = "";
  let sender = messages.find((message) => !message.isReply)?.sender;
  for (const message of messages) {
    if (dayOf(message.at) !== day) entries.push({ day: (day = dayOf(message.at)) });
    const headed = !message.isReply && message.sender !== sender;
    if (!message.isReply) sender = message.sender;
    entries.push({ ...message, headed });
  }
  return entries;
}

function drawEntry(entry, key, isFresh) {
  const item = entry.day ? element("li", "day", entry.day) : drawBubble(entry, isFresh);
  item.dataset.key = key;
  return item;
}

function drawBubble(message, isFresh) {
  const kind = message.isReply ? "mine" : message.status;
  const bubble = element("li", `bubble ${kind}${isFresh ? " fresh" : ""}`);
  if (message.headed) bubble.append(element("div", "from", message.sender));
  const text = element("div", "text");
  text.append(...withLinks(message.text));
  const meta = element("div", "meta");
  meta.append(element("span", "", timeOf(message.at)));
  meta.append(element("span", "", `${message.parts} ${message.parts === 1 ? "part" : "parts"} ${message.encoding}`));
  if (!message.isReply) meta.append(element("span", `status ${message.status}`, statusText(message)));
  bubble.append(text, meta);
  return bubble;
}

function statusText({ status, description }) {
  if (status === "Failure") return `Not delivered${description ? `: ${description}` : ""}`;
  return status === "Sent" ? "On the way" : status;
}

// --- writing back ---

async function send(text) {
  if (!text.trim() || !state.phone) return;
  try {
    await post(`${pathOf(state.phone)}/reply`, { text });
    trouble("");
    await refreshPhone();
    $("thread").scrollTop = $("thread").scrollHeight;
  } catch (error) {
    trouble(error.refused ? error.message : "The reply did not get through. Please try again.");
    throw error;
  }
}

async function sendWritten() {
  const text = $("reply").value;
  writtenTo("");
  await send(text).catch(() => writtenTo(text));
}

function writtenTo(text) {
  $("reply").value = text;
  document.querySelector(".send").disabled = !text.trim();
}

function trouble(text) {
  $("trouble").textContent = text;
  $("trouble").hidden = !text;
}

// --- wiring ---

async function poll() {
  try {
    const changed = document.hidden ? false : await refreshList();
    if (changed && state.phone) await refreshPhone();
    $("offline").hidden = true;
  } catch (error) {
    $("offline").hidden = error.refused === true;
  }
  setTimeout(poll, POLL_MILLISECONDS);
}

function refreshListNow() {
  state.seen = 0;
  refreshList().catch(() => ($("offline").hidden = false));
}

function moveFocus(step) {
  const rows = [...document.querySelectorAll(".row")];
  const at = rows.indexOf(document.activeElement);
  const next = at < 0 ? rows[0] : rows[at + step];
  (next ?? (step < 0 ? $("search") : rows.at(-1)))?.focus();
}

function onKey(event) {
  const typing = event.target.matches("input, textarea");
  const inList = event.target.closest?.(".list");
  if (event.key === "/" && !typing) {
    event.preventDefault();
    $("search").focus();
  } else if (inList && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
    event.preventDefault();
    moveFocus(event.key === "ArrowDown" ? 1 : -1);
  } else if (event.key === "Escape" && state.phone && event.target !== $("search")) {
    const phone = state.phone;
    location.hash = "";
    document.querySelector(`.row[data-phone="${CSS.escape(phone)}"]`)?.focus();
  }
}

function onHash() {
  openPhone(decodeURIComponent(location.hash.slice(1)) || null)
    .then(refreshListNow)
    .catch(() => ($("offline").hidden = false));
}

$("search").addEventListener("input", (event) => {
  state.search = event.target.value.trim();
  state.limit = PAGE;
  refreshListNow();
});
$("more").addEventListener("click", () => {
  state.limit += 2 * PAGE;
  refreshListNow();
});
$("earlier").addEventListener("click", showEarlier);
$("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  sendWritten();
});
$("reply").addEventListener("input", () => writtenTo($("reply").value));
$("reply").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  sendWritten();
});
for (const button of document.querySelectorAll("[data-reply]")) {
  button.addEventListener("click", () => send(button.dataset.reply).catch(() => {}));
}
document.addEventListener("keydown", onKey);
window.addEventListener("hashchange", onHash);
document.addEventListener("visibilitychange", () => document.hidden || refreshListNow());

onHash();
poll();
