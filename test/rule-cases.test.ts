import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { parseAllDocuments, stringify } from "yaml";

import { checkCases } from "../functions/analysis/rules/cases.ts";
import { compileRules } from "../functions/analysis/rules/compile.ts";
import { readRuleFiles, ruleFileOf } from "../functions/analysis/rules/files.ts";

interface RuleFile {
  readonly file: string;
  readonly text: string;
}

interface Document {
  readonly title: string;
  readonly detection?: Readonly<Record<string, unknown>>;
}

const folder = fileURLToPath(new URL("../rules/", import.meta.url));
const { rules, cases } = await readRuleFiles(folder);

/** A rule file in which one part of one detection never holds. */
interface Mutant extends RuleFile {
  readonly name: string;
}

function mutantsOf({ file, text }: RuleFile): readonly Mutant[] {
  const documents = parseAllDocuments(text).map((document): Document => document.toJS());
  return documents.flatMap(({ title, detection = {} }, index) =>
    Object.keys(detection)
      .filter((name) => name !== "condition")
      .map((name) => ({
        file,
        name: `${title}: ${name}`,
        text: documents.map((each, place) => toYaml(place === index ? without(each, name) : each)).join(""),
      })),
  );
}

function without(document: Document, name: string): Document {
  return { ...document, detection: { ...document.detection, [name]: { event_type: "never-at-all" } } };
}

function toYaml(document: Document): string {
  return `---\n${stringify(document, { aliasDuplicateObjects: false })}`;
}

/** Whether a case of the file fails; rules of other files of its folder may be referred to. */
function isNoticed(mutant: Mutant): boolean {
  const isBeside = ({ file }: RuleFile) => file !== mutant.file && folderOf(file) === folderOf(mutant.file);
  const { ruleSet } = compileRules([...rules.filter(isBeside), mutant]);
  const own = cases.filter(({ file }) => ruleFileOf(file) === mutant.file);
  return checkCases(ruleSet, own).files.some(({ results }) =>
    results.some(({ failures }) => failures.length > 0),
  );
}

function folderOf(file: string): string {
  return file.slice(0, file.indexOf("/"));
}

describe("every selection and every filter is needed by a case", () => {
  test("written anew, the rules still pass their cases", () => {
    for (const { file, text } of rules) {
      const same = {
        file,
        name: "",
        text: parseAllDocuments(text)
          .map((one) => toYaml(one.toJS()))
          .join(""),
      };
      expect(isNoticed(same), file).toBe(false);
    }
  });

  test.for(rules.map((rule) => [rule.file, rule] as const))("%s", ([, rule]) => {
    const mutants = mutantsOf(rule);
    expect(mutants.length).toBeGreaterThan(0);
    expect(mutants.filter((mutant) => !isNoticed(mutant)).map(({ name }) => name)).toEqual([]);
  });
});
