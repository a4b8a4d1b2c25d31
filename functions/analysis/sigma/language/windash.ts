import type { Pattern } from "./expression.ts";
import { joinPattern } from "./pattern.ts";

/** What Windows takes for the dash of an option, besides `-`: slash, en dash, em dash, horizontal bar. */
const dashes = ["-", "/", "\u2013", "\u2014", "\u2015"];

/** A dash or slash that begins a word (`\B[-/]\b`), in any script. */
const beginsWord = /(?<![\p{L}\p{N}_])[-/](?=[\p{L}\p{N}_])/gu;

/** How many patterns `windash` makes of this one. */
export function windashCount(pattern: Pattern): number {
  return pattern.reduce((count, part) => count * dashes.length ** dashesOf(part).length, 1);
}

/** The pattern with every dash that begins a word written in each of five ways, in all combinations. */
export function windash(pattern: Pattern): readonly Pattern[] {
  let variants: readonly Pattern[] = [[]];
  for (const part of pattern) {
    const written =
      typeof part === "object" ? variantsOf(part.literal).map((literal) => ({ literal })) : [part];
    variants = variants.flatMap((variant) => written.map((one) => [...variant, one]));
  }
  return variants.map(joinPattern);
}

function variantsOf(literal: string): readonly string[] {
  let variants = [""];
  let begin = 0;
  for (const { index } of dashesOf({ literal })) {
    const before = literal.slice(begin, index);
    variants = variants.flatMap((variant) => dashes.map((dash) => variant + before + dash));
    begin = index + 1;
  }
  return variants.map((variant) => variant + literal.slice(begin));
}

function dashesOf(part: Pattern[number]): readonly RegExpExecArray[] {
  return typeof part === "object" ? [...part.literal.matchAll(beginsWord)] : [];
}
