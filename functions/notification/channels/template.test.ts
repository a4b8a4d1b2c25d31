import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { render } from "./render.ts";
import { alert, groupOf, hostileAlert, hostileTexts, message } from "./receiver.testing.ts";
import { renderTemplate, templateSetting } from "./template.ts";
import { templateNames } from "./template-names.ts";

const scope = { message, title: "the title", text: "the text" };
const write = (template: string) => renderTemplate(template, scope);

describe("templates", () => {
  test.for([
    ["no placeholders", "no placeholders"],
    ["{{ alert.severity }}: {{alert.alert_name}}", "HIGH: Multiple failed logins"],
    ["{{ alert.severity | lower }} {{ alert.actor_id | upper }}", "high ROOT"],
    ["{{ alert.first_seen | date }} {{ alert.last_seen | time }}", "2026-11-21 11:59 UTC 12:00:00 UTC"],
    ["{{ alert.actor_id | date }}", "root"],
    ["{{ alert.description | truncate:10 | upper }}", "TEN FAILE…"],
    ["{{ alert.resource_id }}|{{ alert.resource_id | default: none }}", "|none"],
    ["{{ alert.tags }} {{ alert.count }} {{ total }} {{ type }}", "attack.t1110 10 1 alert.raised"],
    ["{{ title }} / {{ text }} / {{ url }}", `the title / the text / ${message.url}`],
    [
      "{{#alert.actor_id}}by {{alert.actor_id}}{{/alert.actor_id}}{{^alert.assignee}}, nobody's{{/alert.assignee}}",
      "by root, nobody's",
    ],
    ["{{#alert.assignee}}never{{/alert.assignee}}", ""],
    ["{{#alerts}}[{{ alert.alert_name }}]{{/alerts}}", "[Multiple failed logins]"],
    ["{ alert } }} {", "{ alert } }} {"],
  ] as const)("%s", ([template, expected]) => expect(write(template)).toBe(expected));

  test("sections go through the alerts of a group, and know what they have in common", () => {
    const template =
      "{{ group.route }} {{ group.values.server_hostname }} {{ total }}:{{#alerts}} {{ alert.severity }}{{/alerts}} {{alert.severity}}";
    expect(renderTemplate(template, { ...scope, message: groupOf(5, 2) })).toBe(
      "soc bastion-1 5: CRITICAL LOW CRITICAL",
    );
  });

  test.for([
    ["{{ alert.severty }}", "line 1, column 1", "did you mean alert.severity?"],
    ["a\nbc {{ alert.constructor }}", "line 2, column 4", '"alert.constructor" is not a name'],
    ["{{ constructor }}", "line 1, column 1", "is not a name"],
    ["{{ __proto__.polluted }}", "line 1, column 1", "is not a name"],
    ["{{ group.values }}", "line 1, column 1", "is not a name"],
    ["{{ alert.severity | uper }}", "line 1, column 1", "did you mean upper?"],
    ["{{ alert.severity | truncate }}", "line 1, column 1", "truncate takes a length"],
    ["{{ alert.severity | truncate:0 }}", "line 1, column 1", "truncate takes a length"],
    ["{{ alert.severity | upper:3 }}", "line 1, column 1", "is not a filter"],
    ["{{ alert.severity | constructor }}", "line 1, column 1", "is not a filter"],
    ["{{ alert.severity", "line 1, column 1", "{{ is not closed by }}"],
    ["x {{#alerts}} y", "line 1, column 3", "{{#alerts}} is not closed"],
    ["{{#alerts}}{{/alert.tags}}", "line 1, column 12", "expected {{/alerts}}"],
    ["{{/alerts}}", "line 1, column 1", "no section is open here"],
    ["{{#alerts | upper}}{{/alerts}}", "line 1, column 1", "takes no filters"],
    ["{{#url}}".repeat(9), "line 1, column 65", "nested deeper than 8"],
    ["{{ 7*7 }}", "line 1, column 1", "is not a name"],
    ["{{}}", "line 1, column 1", '"" is not a name'],
  ] as const)("%j is refused with its place", ([body, place, problem]) => {
    const { error } = templateSetting.safeParse({ body });
    expect(error?.issues[0]?.path).toEqual(["body"]);
    expect(error?.issues[0]?.message).toContain(place);
    expect(error?.issues[0]?.message).toContain(problem);
  });

  test("a label that alerts are grouped by reaches own values only", () => {
    const group = { route: "soc", values: { a: "1" }, total: 1 };
    const write = (name: string) =>
      renderTemplate(`{{ group.values.${name} }}`, { ...scope, message: { ...message, group } });
    expect([write("a"), write("constructor"), write("__proto__"), write("toString")]).toEqual([
      "1",
      "",
      "",
      "",
    ]);
  });

  test("what alerts say is never read as a template", () => {
    for (const text of hostileTexts) {
      const sent = { ...message, data: hostileAlert(text) };
      const body = renderTemplate("{{ alert.description }}", { ...scope, message: sent });
      if (text.includes("{{")) expect(body).toBe(text);
      expect(body).not.toMatch(/[[\p{Cc}\p{Bidi_Control}]--\n]/v);
    }
  });

  test("every name can be written, and any text is either read or refused with a place", () => {
    for (const name of templateNames)
      expect(() => write(`{{ ${name} }}{{#${name}}}{{/${name}}}`)).not.toThrow();
    const pieces = fc.constantFrom(
      "{{",
      "}}",
      "#",
      "^",
      "/",
      "|",
      "alerts",
      "alert.severity",
      " ",
      "x",
      "\n",
      ":",
      "upper",
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 20 }), (parts) => {
        const { success, error } = templateSetting.safeParse({ body: parts.join("") });
        if (success) write(parts.join(""));
        else expect(error.issues[0]?.message).toMatch(/^line \d+, column \d+: /);
      }),
      { numRuns: 2000 },
    );
  });
});

describe("a message with a template", () => {
  test("has its title on one line and its body in place of everything else", () => {
    const template = { title: "{{ alert.actor_id }}\n{{ alert.severity }}", body: "one\n{{ alert.count }}" };
    expect(render(message, template)).toMatchObject({
      title: "root HIGH",
      subject: "root HIGH",
      text: "one\n10",
      facts: [],
      items: [],
      link: message.url,
    });
  });

  test("keeps what the template leaves out", () => {
    const usual = render(message);
    expect(render(message, { title: "T" })).toEqual({ ...usual, title: "T", subject: "T" });
    expect(render(message, {})).toEqual(usual);
    expect(render({ ...message, data: { ...alert, severity: "odd" } }).severity).toBe("INFORMATIONAL");
  });
});
