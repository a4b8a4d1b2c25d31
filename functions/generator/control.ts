import { parseJson } from "../../events/json.ts";
import { json } from "./answer.ts";
import { mediaTypeOf, readBody } from "./body.ts";
import { scenarios } from "./scenarios/registry.ts";
import type { GeneratorSettings, SettingsStore } from "./settings.ts";
import type { Tick } from "./ticker.ts";

export interface ControlDeps {
  readonly settings: SettingsStore;
  readonly tick: () => Promise<Tick>;
}

/** The requests that steer the synthetic traffic. */
export interface Control {
  /** `GET /generator`: the settings in force, and the scenarios there are. */
  readonly show: () => Promise<Response>;
  /** `PUT /generator`: changes the members that are given. */
  readonly change: (request: Request) => Promise<Response>;
  /** `POST /generator/tick`: emits what is due; the body, such as a PingSource's event, does not matter. */
  readonly tick: () => Promise<Response>;
}

export function createControl({ settings, tick }: ControlDeps): Control {
  return {
    show: async () => json(200, describe(await settings.read())),
    async change(request) {
      mediaTypeOf(request, ["application/json"]);
      return json(200, describe(await settings.change(parseJson(await readBody(request)))));
    },
    tick: async () => json(200, await tick()),
  };
}

function describe(settings: GeneratorSettings) {
  const known = [...scenarios.values()].map(({ name, description, hostile }) => ({
    name,
    description,
    hostile,
  }));
  return { ...settings, scenarios: known };
}
