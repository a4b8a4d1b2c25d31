import { fold } from "../language/pattern.ts";
import {
  coarse,
  createGramTable,
  rarestGrams,
  gramAt,
  gramLength,
  type GramTable,
  hashOf,
  slotOf,
} from "./gram-table.ts";
import {
  type Attempt,
  beyondAscii,
  type Entry,
  ignore,
  type Pass,
  type Place,
  type Report,
  tryAt,
} from "./needle.ts";
import { isAscii } from "./regex.ts";
import { createShort } from "./scan-short.ts";

/** A text to look for and what is found with it. */
export interface Needle {
  /** As `gate` writes it. */
  readonly literal: string;
  readonly place: Place;
  readonly item: number;
}

export type Scan = (text: string, report: Report) => void;

/**
 * The text as needles are compared with it. Coarser than folding: the long s, which regular expressions
 * without case take for an `s`, is one here too.
 */
export function gate(text: string): string {
  return fold(text).replaceAll("ſ", "s");
}

/**
 * Compiles needles to one scan, whose time hardly depends on how many there are. ASCII text is compared
 * as it stands, without making a folded copy; only when a character beyond ASCII turns up where it
 * matters, the whole is done again on the folded text.
 */
export function createScan(needles: readonly Needle[]): Scan {
  const groups = [...Map.groupBy(needles, ({ literal, place }) => `${place} ${literal}`).values()];
  const entries = groups.map((group): Entry => {
    const { literal = "", place = "whole" } = group[0] ?? {};
    return { literal, place, items: Int32Array.from(new Set(group.map(({ item }) => item))) };
  });
  const ascii = entries.filter(({ literal }) => isAscii(literal));
  const scanAscii = createPasses(ascii);
  if (ascii.length === entries.length) {
    return (text, report) => {
      if (scanAscii(text, report, true) >= beyondAscii) scanAscii(gate(text), report, false);
    };
  }
  // Folding can change a text's length, but then what it holds is not ASCII, and no ASCII needle notices.
  const scanAll = createPasses(entries);
  return (text, report) => {
    if (isAscii(text)) scanAscii(text, report, true);
    else scanAll(gate(text), report, false);
  };
}

function createPasses(entries: readonly Entry[]): Pass {
  const passes = [
    createWhole(entries.filter(({ place }) => place === "whole")),
    createEdge(entries.filter(({ place }) => place === "start")),
    createEdge(entries.filter(({ place }) => place === "end")),
    createAnywhere(
      entries.filter(({ place, literal }) => place === "anywhere" && literal.length >= gramLength),
    ),
    createShort(entries.filter(({ place, literal }) => place === "anywhere" && literal.length < gramLength)),
  ].flatMap((pass) => pass ?? []);
  const [only] = passes;
  if (only && passes.length === 1) return only;
  return (text, report, ascii) => {
    let seen = 0;
    for (const pass of passes) seen |= pass(text, report, ascii);
    return seen;
  };
}

function createWhole(entries: readonly Entry[]): Pass | undefined {
  if (entries.length === 0) return undefined;
  const table = createGramTable(entries.map(({ literal }, i) => [wholeGram(literal), i]));
  const at: Attempt = { start: 0, report: ignore, ascii: true };
  return (text, report, ascii) => {
    let seen = ascii ? codesOf(text, 0) : 0;
    const slot = slotOf(table, wholeGram(text));
    if (slot < 0) return seen;
    at.report = report;
    at.ascii = ascii;
    for (let i = table.from[slot] ?? 0; i < (table.to[slot] ?? 0); i += 1) {
      const entry = entries[table.items[i] ?? 0];
      if (entry?.literal.length === text.length) seen |= tryAt(entry, text, at);
    }
    return seen;
  };
}

/** The first characters and the length in one. */
function wholeGram(text: string): number {
  const { length } = text;
  if (length >= gramLength) return gramAt(text, 0) ^ Math.imul(length, 0x85ebca6b);
  let gram = length;
  for (let i = 0; i < length; i += 1) gram = (gram << 8) | coarse(text.charCodeAt(i));
  return gram;
}

/** What the four characters from an index on hold, bit by bit. */
function codesOf(text: string, from: number): number {
  let codes = 0;
  const to = Math.min(from + gramLength, text.length);
  for (let i = Math.max(from, 0); i < to; i += 1) codes |= text.charCodeAt(i);
  return codes;
}

/** Half of all programs end in `.exe`: where a needle is long enough, the four characters before those tell more. */
const skipped = gramLength;

/** Needles at one end of the text, by the gram there, or for long ones at the end by the one before it. */
function createEdge(entries: readonly Entry[]): Pass | undefined {
  if (entries.length === 0) return undefined;
  const isEnd = entries[0]?.place === "end";
  const indexed = entries.map((entry, i) => ({ entry, i, length: entry.literal.length }));
  const isLong = (length: number) => isEnd && length >= gramLength + skipped;
  const near = createGramTable(
    indexed
      .filter(({ length }) => length >= gramLength && !isLong(length))
      .map(({ entry, i, length }) => [gramAt(entry.literal, isEnd ? length - gramLength : 0), i]),
  );
  const far = createGramTable(
    indexed
      .filter(({ length }) => isLong(length))
      .map(({ entry, i, length }) => [gramAt(entry.literal, length - gramLength - skipped), i]),
  );
  const short = entries.filter(({ literal }) => literal.length < gramLength);
  const at: Attempt = { start: 0, report: ignore, ascii: true };
  const tryEntry = (entry: Entry | undefined, text: string): number => {
    if (!entry || entry.literal.length > text.length) return 0;
    at.start = isEnd ? text.length - entry.literal.length : 0;
    return tryAt(entry, text, at);
  };
  const tryGram = (table: GramTable, text: string, index: number): number => {
    if (index < 0 || index + gramLength > text.length) return 0;
    const slot = slotOf(table, gramAt(text, index));
    let seen = codesOf(text, index);
    if (slot < 0) return seen;
    for (let i = table.from[slot] ?? 0; i < (table.to[slot] ?? 0); i += 1)
      seen |= tryEntry(entries[table.items[i] ?? 0], text);
    return seen;
  };
  return (text, report, ascii) => {
    at.report = report;
    at.ascii = ascii;
    let seen = tryGram(near, text, isEnd ? text.length - gramLength : 0);
    if (far.items.length > 0) seen |= tryGram(far, text, text.length - gramLength - skipped);
    for (const entry of short) seen |= tryEntry(entry, text);
    return ascii ? seen : 0;
  };
}

/** Beyond this, looking at fewer places saves little and files ever more grams. */
const longestStride = 8;

/**
 * Needles of four characters and more, anywhere. Where the shortest has n characters, every stretch of
 * n - 3 of the text's grams holds one of the needle's first n - 3: so only every (n - 3)th gram is looked
 * at, and each needle is filed under as many. With a stride of one it is filed under its rarest.
 */
function createAnywhere(entries: readonly Entry[]): Pass | undefined {
  if (entries.length === 0) return undefined;
  const stride = Math.min(longestStride, ...entries.map(({ literal }) => literal.length - gramLength + 1));
  const anchors = rarestGrams(entries, stride);
  const table = createGramTable(
    anchors.map(({ entry, offset }, i) => [gramAt(entry.literal, offset), i] as const),
  );
  const { bits, shift } = table;
  const at: Attempt = { start: 0, report: ignore, ascii: true };
  const tryGram = (gram: number, text: string, index: number): number => {
    const slot = slotOf(table, gram);
    let seen = 0;
    if (slot < 0) return seen;
    for (let i = table.from[slot] ?? 0; i < (table.to[slot] ?? 0); i += 1) {
      const anchor = anchors[table.items[i] ?? 0];
      if (!anchor) continue;
      at.start = index - anchor.offset;
      if (at.start < 0 || at.start + anchor.entry.literal.length > text.length) continue;
      seen |= tryAt(anchor.entry, text, at);
    }
    return seen;
  };
  const everyGram: Pass = (text, report, ascii) => {
    at.report = report;
    at.ascii = ascii;
    const { length } = text;
    let seen = 0;
    let gram = 0;
    for (let i = 0; i < length; i += 1) {
      const code = text.charCodeAt(i);
      seen |= code;
      gram = (gram << 8) | ((code | 0x20) & 0xff);
      const hash = hashOf(gram, shift);
      if (((bits[hash >> 5] ?? 0) & (1 << (hash & 31))) !== 0 && i >= gramLength - 1) {
        seen |= tryGram(gram, text, i - gramLength + 1);
      }
    }
    return ascii ? seen : 0;
  };
  const someGrams: Pass = (text, report, ascii) => {
    at.report = report;
    at.ascii = ascii;
    const last = text.length - gramLength;
    let seen = 0;
    for (let i = 0; i <= last; i += stride) {
      const a = text.charCodeAt(i);
      const b = text.charCodeAt(i + 1);
      const c = text.charCodeAt(i + 2);
      const d = text.charCodeAt(i + 3);
      seen |= a | b | c | d;
      const gram = (coarse(a) << 24) | (coarse(b) << 16) | (coarse(c) << 8) | coarse(d);
      const hash = hashOf(gram, shift);
      if (((bits[hash >> 5] ?? 0) & (1 << (hash & 31))) !== 0) seen |= tryGram(gram, text, i);
    }
    return ascii ? seen : 0;
  };
  return stride === 1 ? everyGram : someGrams;
}
