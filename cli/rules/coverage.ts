import { Command, Option } from "commander";

import {
  type Coverage,
  type CoveringRule,
  coverRules,
  type TechniqueCoverage,
} from "../../functions/analysis/rules/coverage.ts";
import type { CommandContext } from "../context.ts";
import { table } from "../output.ts";
import { folderHelp, folderOf } from "./folder.ts";
import { printProblems } from "./problems.ts";

const formats = ["text", "json", "navigator"] as const;

/** `auditflow rules coverage`: what rules cover of MITRE ATT&CK, as far as their cases prove it. */
export function coverageCommand(context: CommandContext): Command {
  return new Command("coverage")
    .description("show what of MITRE ATT&CK the rules cover; proven is what alerted in a case that passed")
    .argument("[folder]", folderHelp)
    .addOption(
      new Option("--format <format>", "navigator is a layer for ATT&CK Navigator")
        .choices(formats)
        .default("text"),
    )
    .action(async (folder: string | undefined, { format }: { readonly format: (typeof formats)[number] }) => {
      const coverage = await coverRules(await folderOf(folder, context));
      const { output } = context;
      if (format === "json") output.out(JSON.stringify(coverage));
      else if (format === "navigator") output.out(JSON.stringify(toLayer(coverage), null, 2));
      else for (const line of textOf(coverage)) output.out(line);
      printProblems(
        coverage.problems.filter(({ severity }) => severity === "error"),
        output,
      );
    });
}

function textOf({ tactics, techniques, untagged }: Coverage): readonly string[] {
  return [
    ...table(
      ["TACTIC", "RULES", "PROVEN"],
      tactics.map(({ tactic, rules, proven }) => [tactic, String(rules), String(proven)]),
    ),
    "",
    ...table(["TECHNIQUE", "PROVEN", "RULES"], techniques.map(techniqueCells)),
    ...(untagged.length === 0
      ? []
      : ["", `without a technique: ${untagged.map(({ rule }) => rule).join(", ")}`]),
  ];
}

function techniqueCells({ technique, rules }: TechniqueCoverage): readonly string[] {
  const names = rules.map(({ rule, proven }) => (proven ? rule : `${rule} (not proven)`));
  return [technique, `${provenOf(rules)}/${rules.length}`, names.join(", ")];
}

function provenOf(rules: readonly CoveringRule[]): number {
  return rules.filter(({ proven }) => proven).length;
}

/** https://github.com/mitre-attack/attack-navigator: layer format 4.5; the score is the number of proven rules. */
function toLayer({ techniques }: Coverage) {
  return {
    name: "AuditFlow rules",
    versions: { layer: "4.5" },
    domain: "enterprise-attack",
    description: "Techniques by the number of rules that alerted in their own cases.",
    techniques: techniques.map(({ technique, rules }) => ({
      techniqueID: technique,
      score: provenOf(rules),
      comment: rules.map(({ rule, title }) => `${rule} ${title}`).join("; "),
    })),
    gradient: { colors: ["#ffffff", "#66b1ff"], minValue: 0, maxValue: 3 },
  };
}
