import { parseInstant } from "../../../events/time.ts";
import { suggest } from "../query/suggest.ts";
import { isTemplateName, templateNames } from "./template-names.ts";
import { fit } from "./text.ts";

/** A template cannot be read; the message says where. */
export class TemplateError extends Error {
  override readonly name = "TemplateError";
  /** In UTF-16 units from 0. */
  readonly position: number;

  constructor(problem: string, template: string, position: number) {
    const lines = template.slice(0, position).split("\n");
    super(`line ${lines.length}, column ${(lines.at(-1)?.length ?? 0) + 1}: ${problem}`);
    this.position = position;
  }
}

type Filter = (text: string) => string;

/** A part of a template. Sections repeat for each alert, or are there if their name has a value. */
export type Node =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "value"; readonly name: string; readonly filters: readonly Filter[] }
  | {
      readonly kind: "section";
      readonly name: string;
      readonly inverted: boolean;
      readonly nodes: readonly Node[];
    };

interface OpenSection {
  readonly name: string;
  readonly inverted: boolean;
  readonly position: number;
  readonly nodes: Node[];
}

const maxDepth = 8;

/**
 * The parts of a template: text, `{{ name | filter }}`, `{{#name}}…{{/name}}` and `{{^name}}…{{/name}}`.
 * There is no code in it and nothing is reached but the names listed. Throws TemplateError.
 */
export function parseTemplate(template: string): readonly Node[] {
  const root: Node[] = [];
  const open: OpenSection[] = [];
  let end = 0;
  for (let start = template.indexOf("{{"); start >= 0; start = template.indexOf("{{", end)) {
    const nodes = open.at(-1)?.nodes ?? root;
    if (start > end) nodes.push({ kind: "text", text: template.slice(end, start) });
    const close = template.indexOf("}}", start);
    if (close < 0) throw new TemplateError("{{ is not closed by }}", template, start);
    readTag({ template, start, inside: template.slice(start + 2, close) }, nodes, open);
    end = close + 2;
  }
  const unclosed = open.at(-1);
  if (unclosed) {
    throw new TemplateError(`the section {{#${unclosed.name}}} is not closed`, template, unclosed.position);
  }
  if (end < template.length) root.push({ kind: "text", text: template.slice(end) });
  return root;
}

interface Tag {
  readonly template: string;
  readonly start: number;
  readonly inside: string;
}

function readTag(tag: Tag, nodes: Node[], open: OpenSection[]): void {
  const [, mark = "", content = ""] = /^\s*([#^/]?)([\s\S]*)$/.exec(tag.inside) ?? [];
  if (mark === "/") return closeSection(tag, content.trim(), open);
  const [name = "", ...filters] = content.split("|").map((part) => part.trim());
  checkName(name, tag);
  if (mark === "") {
    nodes.push({ kind: "value", name, filters: filters.map((filter) => filterOf(filter, tag)) });
    return;
  }
  if (filters.length > 0) throw new TemplateError("a section takes no filters", tag.template, tag.start);
  if (open.length >= maxDepth) {
    throw new TemplateError(`sections are nested deeper than ${maxDepth}`, tag.template, tag.start);
  }
  const section = { name, inverted: mark === "^", position: tag.start, nodes: [] };
  nodes.push({ kind: "section", ...section });
  open.push(section);
}

function closeSection({ template, start }: Tag, name: string, open: OpenSection[]): void {
  const section = open.pop();
  if (section?.name === name) return;
  const expected = section === undefined ? "no section is open here" : `expected {{/${section.name}}}`;
  throw new TemplateError(`{{/${name}}} closes nothing: ${expected}`, template, start);
}

function checkName(name: string, { template, start }: Tag): void {
  if (isTemplateName(name)) return;
  const near = suggest(name, templateNames);
  const hint = near === undefined ? "see the names in docs/channels.md" : `did you mean ${near}?`;
  throw new TemplateError(`"${name}" is not a name: ${hint}`, template, start);
}

const filterNames = ["upper", "lower", "date", "time", "truncate", "default"] as const;

function filterOf(text: string, { template, start }: Tag): Filter {
  const [name = "", argument] = text.split(/:(.*)/s).map((part) => part.trim());
  if (name === "truncate") {
    const limit = Number(argument);
    if (Number.isInteger(limit) && limit >= 1 && limit <= 10_000) return (value) => fit(value, limit);
    throw new TemplateError("truncate takes a length of 1 to 10000: truncate:80", template, start);
  }
  if (name === "default" && argument !== undefined) return (value) => (value === "" ? argument : value);
  const plain = argument === undefined ? plainFilters.get(name) : undefined;
  if (plain) return plain;
  const near = suggest(name, filterNames);
  const hint =
    near === undefined || near === name ? `expected ${filterNames.join(", ")}` : `did you mean ${near}?`;
  throw new TemplateError(`"${text}" is not a filter: ${hint}`, template, start);
}

const plainFilters: ReadonlyMap<string, Filter> = new Map<string, Filter>([
  ["upper", (text) => text.toUpperCase()],
  ["lower", (text) => text.toLowerCase()],
  ["date", (text) => dateOf(text, (instant) => `${instant.slice(0, 10)} ${instant.slice(11, 16)} UTC`)],
  ["time", (text) => dateOf(text, (instant) => `${instant.slice(11, 19)} UTC`)],
]);

/** What is no date stays as it is. */
function dateOf(text: string, format: (instant: string) => string): string {
  const ms = parseInstant(text);
  return ms === undefined ? text : format(new Date(ms).toISOString());
}
