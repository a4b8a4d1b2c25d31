/** A test suite as JUnit's XML has it, which every CI system reads. */
export interface Suite {
  readonly name: string;
  readonly tests: readonly SuiteTest[];
}

interface SuiteTest {
  readonly name: string;
  readonly file: string;
  readonly line: number;
  /** What is wrong, a line each; empty when the test passed. */
  readonly failures: readonly string[];
}

/** JUnit XML of suites. */
export function toJunit(suites: readonly Suite[]): string {
  const tests = suites.flatMap((suite) => suite.tests);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites${attributes({ name: "auditflow rules", ...totals(tests) })}>`,
    ...suites.flatMap(suiteLines),
    "</testsuites>",
  ].join("\n");
}

function suiteLines({ name, tests }: Suite): readonly string[] {
  return [
    `  <testsuite${attributes({ name, ...totals(tests) })}>`,
    ...tests.flatMap((test) => testLines(name, test)),
    "  </testsuite>",
  ];
}

function testLines(suite: string, { name, file, line, failures }: SuiteTest): readonly string[] {
  const open = `    <testcase${attributes({ classname: suite, name, file, line })}`;
  if (failures.length === 0) return [`${open}/>`];
  const message = attributes({ message: failures[0] ?? "" });
  return [
    `${open}>`,
    `      <failure${message}>${escapeXml(failures.join("\n"))}</failure>`,
    "    </testcase>",
  ];
}

function totals(tests: readonly SuiteTest[]) {
  return { tests: tests.length, failures: tests.filter(({ failures }) => failures.length > 0).length };
}

function attributes(values: Readonly<Record<string, string | number>>): string {
  return Object.entries(values)
    .map(([name, value]) => ` ${name}="${escapeXml(String(value)).replaceAll("\n", "&#10;")}"`)
    .join("");
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
};

/** XML 1.0 has no way to write most control characters, so they are replaced. */
function escapeXml(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(/[&<>"]/g, (character) => entities[character] ?? character)
    .replaceAll(/[^\t\n\r\u{20}-\u{fffd}\u{10000}-\u{10ffff}]/gu, "\u{fffd}");
}
