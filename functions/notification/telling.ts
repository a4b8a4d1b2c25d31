import type { FunctionHost } from "../../runtime/function.ts";
import type { OpenChannel } from "./channels/channel.ts";
import { createChannelDeps } from "./channels/deps.ts";
import { openEnvironmentChannels } from "./channels/environment.ts";
import { createReadSecret } from "./channels/secret.ts";
import type { NotificationConfig } from "./config.ts";
import { defaultRoutes, type Routes } from "./routing/routes.ts";

/** Who is told of what, and how, as of now. */
export interface Telling extends AsyncDisposable {
  routes(this: void): Routes;
  /** Those of the environment and those of the routes in force, by name. */
  channels(this: void): ReadonlyMap<string, OpenChannel>;
}

/**
 * Opens the channels of the environment and, with AUDITFLOW_ROUTES, those of the routes, which are followed
 * while they change. Routes and their channels take force together or not at all.
 */
export async function openTelling(host: FunctionHost<NotificationConfig>): Promise<Telling> {
  const { config, log, now } = host;
  const given = openEnvironmentChannels(config, { log, now });
  const path = config.AUDITFLOW_ROUTES;
  if (path !== undefined) return watchTelling(host, path, given);
  const routes = defaultRoutes([...given.keys()]);
  return { routes: () => routes, channels: () => given, [Symbol.asyncDispose]: async () => undefined };
}

async function watchTelling(
  { config, log, now, health, environment }: FunctionHost<NotificationConfig>,
  path: string,
  given: ReadonlyMap<string, OpenChannel>,
): Promise<Telling> {
  // Most of what it takes is for routes alone: without them no start waits for it.
  const [{ channelTypes, openChannels }, { loadRoutes }, { watchRoutes }] = await Promise.all([
    import("./channels/index.ts"),
    import("./routing/file/load.ts"),
    import("./routing/watch.ts"),
  ]);
  const opened = [...given.keys()];
  const readSecret = createReadSecret(environment);
  const deps = createChannelDeps({ log, now, allow: config.AUDITFLOW_CHANNEL_ALLOW, readSecret });
  let channels = given;
  const watched = await watchRoutes({
    path,
    fallback: defaultRoutes(opened),
    log,
    now,
    health: health.dependency("routes", {
      impairs: ["telling the people that the routes name"],
      required: false,
    }),
    load: (files) => loadRoutes(files, { channelTypes, readSecret, opened }),
    apply: (routes) => {
      channels = new Map([...given, ...openChannels(routes.channels, deps)]);
    },
  });
  return {
    routes: () => watched.current(),
    channels: () => channels,
    [Symbol.asyncDispose]: () => watched[Symbol.asyncDispose](),
  };
}
