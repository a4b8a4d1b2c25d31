import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { z } from "zod";

import { loadRoutes } from "../routing/file/load.ts";
import { messageTypes, type Outgoing } from "./channel.ts";
import { channelTypes } from "./index.ts";
import { previewChannel } from "./preview.ts";
import { sampleMessage } from "./sample.ts";
import { templateNames } from "./template-names.ts";

const page = await readFile(new URL("../../../docs/channels.md", import.meta.url), "utf8");
const examples = [...page.matchAll(/```yaml\n([^]*?)```/g)].map(([, text = ""]) => text);

function preview(type: string, settings: unknown, outgoing: Outgoing) {
  const channel = channelTypes.get(type);
  if (!channel) throw new Error(`no type ${type}`);
  return previewChannel(channel, settings, { outgoing, now: 0 });
}

function load(text: string) {
  const { routes, problems } = loadRoutes([{ file: "docs/channels.md", text }], { channelTypes, opened: [] });
  expect(problems).toEqual([]);
  return routes?.channels ?? [];
}

test.for(examples.map((text, index) => [index + 1, text] as const))(
  "example %i can be loaded, and its channels say something of every message",
  async ([, text]) => {
    const channels = load(text);
    expect(channels.length).toBeGreaterThan(0);
    for (const { type, settings } of channels) {
      for (const messageType of messageTypes) {
        for (const group of [false, true]) {
          const outgoing = {
            id: "00000000-0000-4000-8000-000000000000",
            message: sampleMessage(messageType, { group }),
          };
          expect((await preview(type, settings, outgoing)).length).toBeGreaterThan(0);
        }
      }
    }
  },
);

test.for([...channelTypes.keys()].map((type) => [type] as const))(
  "%s has a section with an example and all its settings",
  ([type]) => {
    const section = page.split(/^### /m).find((part) => part.startsWith(`${type}\n`)) ?? "";
    const [, example = ""] = /```yaml\n([^]*?)```/.exec(section) ?? [];
    expect(load(example).map((channel) => channel.type)).toEqual([type]);
    const channel = channelTypes.get(type);
    const schema = channel && z.toJSONSchema(channel.settings, { io: "input" });
    const known = Object.keys(schema?.properties ?? {}).filter((name) => name !== "timeout_ms");
    for (const name of known) expect(section).toMatch(new RegExp(`\\b${name}\\b`));
  },
);

test("every name of templates is on the page", () => {
  for (const name of templateNames) expect(page).toContain(`\`${name.replace("alert.", "")}\``);
});

test("a preview shows where secrets are found", async () => {
  const definitions = examples.flatMap(load);
  for (const { type, settings } of definitions) {
    const outgoing = { id: "1", message: sampleMessage("alert.raised") };
    const previewed = await preview(type, settings, outgoing);
    const references = [...JSON.stringify(settings).matchAll(/"(?:env|file)":"([^"]+)"/g)];
    // Of what is signed or logged in with nothing is sent.
    const shown = references
      .filter(() => !["webhook", "email"].includes(type))
      .map(([, place = ""]) => place);
    for (const place of shown) expect(JSON.stringify(previewed)).toContain(place);
  }
  expect(definitions.length).toBeGreaterThan(12);
});
