// How numbers, times, names and links are written on the page. Pure functions.

// Country codes whose numbers we group; anything else is grouped by three after two digits.
const CODES = ["1", "7", "30", "31", "32", "33", "34", "39", "40", "41", "43", "44", "45", "46", "47", "48", "49", "351", "353", "357", "358", "359"];
const LINK = /\bhttps?:\/\/[^\s<>"]+/gi;
const AFTER_A_LINK = /[.,;:!?)\]}'"»”’]+$/;
const DAY = 86_400_000;

export function phoneText(phone) {
  const digits = phone.replace(/^\+/, "");
  const code = CODES.find((one) => digits.startsWith(one)) ?? digits.slice(0, 2);
  const rest = digits.slice(code.length);
  const groups = rest.match(/\d{3}(?=\d{3})|\d{1,4}/g) ?? [rest];
  return `+${code} ${groups.join(" ")}`;
}

export function initialsOf(sender) {
  if (/^\+?\d*$/.test(sender)) return "#";
  const words = sender.split(/(?<=\p{Ll})(?=\p{Lu})|[\s_.&-]+/u).filter(Boolean);
  return words.length > 1 ? (words[0][0] + words[1][0]).toUpperCase() : sender.slice(0, 2).toUpperCase();
}

export function colourOf(sender) {
  let hash = 7;
  for (const char of sender) hash = (hash * 31 + char.codePointAt(0)) % 3600;
  return hash % 360;
}

export function timeOf(at) {
  return new Date(at).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
}

export function dayOf(at) {
  const days = daysAgo(at);
  if (days === 0) return "Today";
  if (days === 1) return "Yesterday";
  return new Date(at).toLocaleDateString("en-GB", { weekday: "long", day: "numeric", month: "long" });
}

export function shortTime(at) {
  const days = daysAgo(at);
  if (days === 0) return timeOf(at);
  if (days === 1) return "Yesterday";
  return new Date(at).toLocaleDateString("en-GB", { day: "numeric", month: "short" });
}

function daysAgo(at) {
  const midnight = (moment) => new Date(moment).setHours(0, 0, 0, 0);
  return Math.round((midnight(Date.now()) - midnight(at)) / DAY);
}

// The text as nodes, never as markup: whatever a text contains, it stays text.
export function withLinks(text) {
  const nodes = [];
  let at = 0;
  for (const match of text.matchAll(LINK)) {
    const address = match[0].replace(AFTER_A_LINK, "");
    const link = document.createElement("a");
    Object.assign(link, { href: address, textContent: address, target: "_blank", rel: "noopener noreferrer" });
    nodes.push(text.slice(at, match.index), link);
    at = match.index + address.length;
  }
  nodes.push(text.slice(at));
  return nodes.filter((node) => node !== "");
}
