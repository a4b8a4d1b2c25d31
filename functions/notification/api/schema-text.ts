import { escapeHtml } from "./html.ts";
import { toInlineCode } from "./problem-pages.ts";

export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };
export type Node = Json | undefined;

/** A member of an object; `undefined` of anything else. */
export function memberOf(node: Node, name: string): Node {
  return nodesOf(node)[name];
}

/** The members of an object; none of anything else. */
export function nodesOf(node: Node): Readonly<Record<string, Json>> {
  return isObject(node) ? node : {};
}

function isObject(node: Node): node is { readonly [name: string]: Json } {
  return typeof node === "object" && node !== null && !Array.isArray(node);
}

/** A schema of the document as HTML: objects as tables of their members, references as links. */
export function describeSchema(schema: Node): string {
  const reference = memberOf(schema, "$ref");
  if (typeof reference === "string") {
    const name = escapeHtml(reference.split("/").at(-1) ?? "");
    return `<a href="#schema-${name}">${name}</a>`;
  }
  for (const [keyword, word] of alternatives) {
    const options = memberOf(schema, keyword);
    if (Array.isArray(options)) return options.map(describeSchema).join(` ${word} `);
  }
  const properties = memberOf(schema, "properties");
  if (properties !== undefined) return members(schema, nodesOf(properties));
  return `${simple(schema)}${limits(schema)}`;
}

const alternatives = [
  ["oneOf", "or"],
  ["anyOf", "or"],
  ["allOf", "and"],
] as const;

function members(schema: Node, properties: Readonly<Record<string, Json>>): string {
  const needed = memberOf(schema, "required");
  const required = new Set(Array.isArray(needed) ? needed : []);
  const rows = Object.entries(properties).map(([name, member]) => {
    const description = memberOf(member, "description");
    const meaning = typeof description === "string" ? toInlineCode(description) : "";
    const mark = required.has(name) ? "" : "?";
    return `<tr><th scope="row"><code>${escapeHtml(name)}${mark}</code></th><td>${describeSchema(member)}</td><td>${meaning}</td></tr>`;
  });
  return `<table><tbody>${rows.join("\n")}</tbody></table>`;
}

function simple(schema: Node): string {
  const values = memberOf(schema, "enum");
  if (Array.isArray(values))
    return values.map((value) => `<code>${escapeHtml(String(value))}</code>`).join(", ");
  const type = memberOf(schema, "type");
  if (type === "array") return `list of ${describeSchema(memberOf(schema, "items"))}`;
  const names = Array.isArray(type) ? type.map(String).join(" or ") : typeof type === "string" ? type : "any";
  const format = memberOf(schema, "format");
  return typeof format === "string" ? `${names} (${format})` : names;
}

/** What a value may be beyond its type. */
function limits(schema: Node): string {
  const found = limitNames.flatMap(([name, text]) => {
    const value = memberOf(schema, name);
    return value === undefined ? [] : [`${text} ${escapeHtml(JSON.stringify(value))}`];
  });
  return found.length === 0 ? "" : `, ${found.join(", ")}`;
}

const limitNames = [
  ["minimum", "from"],
  ["maximum", "to"],
  ["minLength", "at least"],
  ["maxLength", "at most"],
  ["minItems", "at least"],
  ["maxItems", "at most"],
  ["default", "default"],
] as const;
