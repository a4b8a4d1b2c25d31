/** Where in a text a needle must stand. */
export type Place = "whole" | "start" | "end" | "anywhere";

/**
 * Told of every item whose needle stands in the text, perhaps several times. Without `exact` the needle
 * may stand there, and whoever wants to know must look again.
 */
export type Report = (item: number, exact: boolean) => void;

/** A literal at a place, and all that is found with it. */
export interface Entry {
  readonly literal: string;
  readonly place: Place;
  readonly items: Int32Array;
}

/** Answers all code units it saw, bit by bit; with `ascii` it takes them for ASCII. */
export type Pass = (text: string, report: Report, ascii: boolean) => number;

/** The first code unit that is not ASCII. */
export const beyondAscii = 128;

/** ASCII letters folded, anything else as it is. */
export const folding = Uint8Array.from({ length: beyondAscii }, (_, code) =>
  String.fromCharCode(code).toLowerCase().charCodeAt(0),
);

/** Where and for whom an entry is tried; one object, used again and again. */
export interface Attempt {
  start: number;
  report: Report;
  ascii: boolean;
}

/** Reports the entry if it stands at an index; answers the code units it could not compare. */
export function tryAt({ literal, items }: Entry, text: string, at: Attempt): number {
  for (let i = 0; i < literal.length; i += 1) {
    const code = text.charCodeAt(at.start + i);
    const wanted = literal.charCodeAt(i);
    if (code === wanted) continue;
    if (code >= beyondAscii) return code;
    if (folding[code] !== wanted) return 0;
  }
  for (let i = 0; i < items.length; i += 1) at.report(items[i] ?? 0, at.ascii);
  return 0;
}

/** Listens to nothing: what an attempt begins with. */
export function ignore(): void {}
