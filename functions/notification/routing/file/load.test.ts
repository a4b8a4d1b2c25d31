import { readFile } from "node:fs/promises";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { channelTypes } from "../../channels/index.ts";
import { createReadSecret } from "../../channels/secret.ts";
import { type LoadOptions, loadRoutes } from "./load.ts";

const options: LoadOptions = { channelTypes, opened: ["console", "webhook"] };
const load = (text: string, more: Partial<LoadOptions> = {}) =>
  loadRoutes([{ file: "routes.yaml", text }], { ...options, ...more });
const told = (text: string, more: Partial<LoadOptions> = {}) =>
  load(text, more).problems.map(({ line, column, path, message, allowed }) => [
    `${line}:${column} ${path}`,
    message,
    allowed ?? "",
  ]);

const root = "route: {channels: [console]}\n";

describe("times that never change are warned of", () => {
  const warned = (windows: string, route: string) => {
    const { problems } = load(`mute_times: {${windows}}\nroute: {channels: [console], ${route}}`);
    return problems.map(({ severity, line, path, message }) => `${severity} ${line} ${path} ${message}`);
  };

  test.each([
    "times: ['00:00-24:00']",
    "times: ['06:00-22:00', '22:00-06:00']",
    "times: ['12:00-24:00', '00:00-13:00'], weekdays: ['monday:sunday'], location: Europe/Berlin",
    "months: ['january:december']",
    "days_of_month: ['1:15', '16:31']",
  ])("a mute time without a gap: {%s}", (window) => {
    expect(warned(`w: {${window}}`, "mute_times: [w]")).toEqual([
      expect.stringMatching(/^warning 1 mute_times\.w "w" leaves no gap/),
    ]);
  });

  test("active times that never hold", () => {
    expect(warned("w: {days_of_month: ['30:31'], months: [february]}", "active_times: [w]")).toEqual([
      expect.stringMatching(/^warning 1 mute_times\.w "w" never holds/),
    ]);
  });

  test("times that leave no gap together, once for the route that says them", () => {
    const windows = "am: {times: ['00:00-12:00']}, pm: {times: ['12:00-24:00']}";
    const children = "routes: [{match: 'rule:a'}, {match: 'rule:b', mute_times: [am]}]";
    expect(warned(windows, `mute_times: [am, pm], ${children}`)).toEqual([
      expect.stringMatching(/^warning 2 route The times of route "root" leave no gap/),
    ]);
    expect(
      warned(windows, "routes: [{match: 'rule:a', mute_times: [am], active_times: [am]}], mute_times: [pm]"),
    ).toEqual([expect.stringMatching(/^warning 2 route\.routes\[0\] /)]);
  });

  test.each([
    "times: ['00:00-23:59']",
    "weekdays: ['monday:saturday']",
    "days_of_month: ['29'], months: [february], weekdays: [sunday]",
    "times: ['12:00-06:00'], weekdays: [monday]",
  ])("and no others: {%s}", (window) => {
    expect(warned(`w: {${window}}`, "mute_times: [w]")).toEqual([]);
  });
});

describe("a routes file that is wrong", () => {
  test("everything at once, in the order of the file", () => {
    const problems = told(`
channels: {c: {type: nothing}}
mute_times: {m: {location: Mars}}
route:
  channels: [x, c]
  group_wait: -1s
  mute_times: [m]
  routes:
    - {match: '((', channels: [y]}
    - {match: 'rule:a', colour: red}
`);
    expect(problems.map(([place]) => place)).toEqual([
      "2:22 channels.c.type",
      "3:17 mute_times.m",
      "3:28 mute_times.m.location",
      "5:14 route.channels[0]",
      "6:15 route.group_wait",
      expect.stringMatching(/^9:\d+ route\.routes\[0\]\.match$/),
      "9:32 route.routes[0].channels[0]",
      "10:25 route.routes[1].colour",
    ]);
  });

  test("what is wrong in a query is pointed at where the file shows it as it is", () => {
    const places = [
      "'host:a nonsense:b'",
      "host:a nonsense:b",
      '"host:a nonsense:b"',
      '"host\\u003aa nonsense:b"',
    ].map((text) => told(`route: {channels: [console], routes: [{match: ${text}}]}`).map(([place]) => place));
    expect(places).toEqual([
      ["1:55 route.routes[0].match"],
      ["1:54 route.routes[0].match"],
      ["1:55 route.routes[0].match"],
      ["1:47 route.routes[0].match"],
    ]);
  });

  test("a missing secret is named where somebody looks for it, and only there", () => {
    const text = "channels: {c: {type: slack, settings: {url: {env: NOT_SET}}}}\nroute: {channels: [c]}";
    expect(load(text).routes).toBeDefined();
    const readSecret = createReadSecret({});
    expect(told(text, { readSecret })).toEqual([
      [
        "1:45 channels.c.settings.url",
        "A secret is not there: the variable NOT_SET is not set, or empty.",
        "",
      ],
    ]);
    expect(
      load(text, { readSecret: createReadSecret({ NOT_SET: "https://hooks.slack.com/x" }) }).problems,
    ).toEqual([]);
  });

  test("what is defined for nobody is a warning", () => {
    const { routes, problems } = load(`${root}mute_times: {m: {weekdays: [monday]}}`);
    expect(routes).toBeDefined();
    expect(problems).toMatchObject([{ severity: "warning", line: 2, column: 14 }]);
  });
});

describe("several files", () => {
  const files = (...texts: readonly string[]) =>
    loadRoutes(
      texts.map((text, index) => ({ file: `${index}.yaml`, text })),
      options,
    );

  test("say together what one could say", () => {
    const { routes } = files("channels: {chat: {type: console}}", "# nothing", "route: {channels: [chat]}");
    expect(routes?.root.channels).toEqual(["chat"]);
    expect(routes?.hash).toHaveLength(64);
  });

  test("contradict each other at a place", () => {
    const { problems } = files(
      `${root}channels: {chat: {type: console}}`,
      `${root}channels: {chat: {type: console}}`,
    );
    expect(problems.filter(({ severity }) => severity === "error")).toMatchObject([
      {
        file: "1.yaml",
        line: 1,
        column: 1,
        message: "The route of 0.yaml is the root: there can be one only.",
      },
      { file: "1.yaml", line: 2, column: 12, message: '"chat" is defined in 0.yaml already.' },
    ]);
  });
});

test("no text makes loading throw", { timeout: 60_000 }, () => {
  const words = [
    "route",
    "channels",
    "routes",
    "match",
    ":",
    " ",
    "\n",
    "  ",
    "- ",
    "{",
    "}",
    "[",
    "]",
    "'",
    "console",
    "&a ",
    "*a",
    "digest",
    "every: 1d",
    "inhibit",
    "~",
    "!!x ",
  ];
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...words), { maxLength: 30 }), (parts) => {
      const { routes, problems } = load(parts.join(""));
      expect(routes !== undefined || problems.length > 0).toBe(true);
      for (const { line, column } of problems) expect(Math.min(line, column)).toBeGreaterThanOrEqual(1);
    }),
    { numRuns: 300 },
  );
  const deep = `route: {channels: [], routes: ${"[{routes: ".repeat(3000)}[]${"}]".repeat(3000)}}`;
  expect(load(deep).routes).toBeUndefined();
});

describe("what we give as examples is right", () => {
  const folder = new URL("../../../../", import.meta.url);
  test("the example file", async () => {
    expect(load(await readFile(new URL("routes/routes.example.yaml", folder), "utf8")).problems).toEqual([]);
  });

  test("every example of the reference", async () => {
    const text = await readFile(new URL("docs/routing.md", folder), "utf8");
    const examples = [...text.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, example = ""]) => example);
    expect(examples.length).toBeGreaterThanOrEqual(4);
    for (const example of examples) expect(load(example).problems).toEqual([]);
  });
});
