import { z } from "zod";

import { parseInstant, toInstant } from "../../events/time.ts";
import type { State } from "../../runtime/state/state.ts";
import { RequestError } from "./problem.ts";
import { scenarios } from "./scenarios/registry.ts";
import { type Traffic, trafficId } from "./traffic.ts";

const key = "generator/settings";
const cursorKey = "generator/cursor";

const weight = z.number().min(0).max(1_000_000);

/** What decides the synthetic traffic, as it is shown, changed and stored. */
const settings = z.strictObject({
  on: z.boolean(),
  events_per_second: z.number().positive().max(500),
  mix: z
    .partialRecord(z.enum([...scenarios.keys()]), weight)
    .refine((mix) => Object.values(mix).some((share) => (share ?? 0) > 0), {
      error: "expected at least one scenario with a weight above 0",
    }),
  seed: z.int().min(0).max(0xffff_ffff),
  /** When the first scenario begins. */
  started_at: z.iso.datetime({ offset: true }),
});

export type GeneratorSettings = z.infer<typeof settings>;

const change = settings.partial();
const cursor = z.object({ traffic: z.string(), at: z.number() });

/** The settings nobody has changed yet. */
interface InitialSettings {
  readonly on: boolean;
  readonly eventsPerSecond: number;
}

/** Mostly ordinary work. */
const initialMix = {
  "working-day": 12,
  "brute-force": 2,
  "password-spray": 1,
  "slow-spray": 1,
  "success-after-failures": 1,
  "sensitive-file-edit": 1,
  "privilege-grab": 1,
};

/** Settings and progress of the synthetic traffic, kept where they survive the process. */
export interface SettingsStore {
  read(): Promise<GeneratorSettings>;
  /** Members left out keep their value. Throws RequestError SETTINGS_INVALID. */
  change(body: unknown): Promise<GeneratorSettings>;
  /** Up to when the events of this traffic were emitted, epoch milliseconds. */
  readCursor(traffic: Traffic): Promise<number | undefined>;
  writeCursor(traffic: Traffic, at: number): Promise<void>;
}

export interface SettingsDeps {
  readonly state: Pick<State, "read" | "write">;
  readonly now: () => number;
  readonly initial: InitialSettings;
}

export function createSettingsStore({ state, now, initial }: SettingsDeps): SettingsStore {
  async function read(): Promise<GeneratorSettings> {
    const stored = settings.safeParse(await state.read(key));
    if (stored.success) return stored.data;
    const first: GeneratorSettings = {
      on: initial.on,
      events_per_second: initial.eventsPerSecond,
      mix: initialMix,
      seed: 1,
      started_at: toInstant(now()),
    };
    // Written at once, so that the beginning does not move with every reading.
    await state.write(key, first);
    return first;
  }

  return {
    read,
    async change(body) {
      const wanted = parseChange(body);
      const before = await read();
      const changed = { ...before, ...wanted };
      const begins = changed.on && (!before.on || !isSameTraffic(before, changed));
      const after = begins ? { ...changed, started_at: wanted.started_at ?? toInstant(now()) } : changed;
      await state.write(key, after);
      return after;
    },
    async readCursor(traffic) {
      const stored = cursor.safeParse(await state.read(cursorKey));
      return stored.success && stored.data.traffic === trafficId(traffic) ? stored.data.at : undefined;
    },
    async writeCursor(traffic, at) {
      await state.write(cursorKey, { traffic: trafficId(traffic), at });
    },
  };
}

/** The traffic the settings describe. */
export function trafficOf({ seed, started_at, events_per_second, mix }: GeneratorSettings): Traffic {
  const weights = Object.entries(mix).flatMap(([name, share]) =>
    share === undefined ? [] : [[name, share]],
  );
  return {
    seed,
    startedAt: parseInstant(started_at) ?? 0,
    eventsPerSecond: events_per_second,
    mix: Object.fromEntries(weights),
  };
}

function isSameTraffic(a: GeneratorSettings, b: GeneratorSettings): boolean {
  return trafficId(trafficOf(a)) === trafficId(trafficOf(b));
}

function parseChange(body: unknown) {
  const parsed = change.safeParse(body);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const unknown = issue?.code === "unrecognized_keys" ? issue.keys.slice(0, 1) : [];
  const path = [...(issue?.path ?? []), ...unknown].map(String);
  const choices = issue?.path[0] === "mix" ? scenarios.keys() : Object.keys(settings.shape);
  const expected = unknown.length > 0 ? `expected one of ${[...choices].join(", ")}` : issue?.message;
  throw new RequestError("SETTINGS_INVALID", `${path.join(".") || "The settings"}: ${expected}.`, {
    pointer: path.map((step) => `/${step.replaceAll("~", "~0").replaceAll("/", "~1")}`).join(""),
  });
}
