import type { FunctionHost } from "../../runtime/function.ts";
import type { OpenChannel } from "./channels/channel.ts";
import { createChannelDeps } from "./channels/deps.ts";
import { openEnvironmentChannels } from "./channels/environment.ts";
import { channelTypes, openChannels } from "./channels/index.ts";
import { createReadSecret } from "./channels/secret.ts";
import type { NotificationConfig } from "./config.ts";
import { loadRoutes } from "./routing/file/load.ts";
import { defaultRoutes, type Routes } from "./routing/routes.ts";
import { watchRoutes } from "./routing/watch.ts";

/** Who is told of what, and how, as of now. */
export interface Telling extends AsyncDisposable {
  routes(): Routes;
  /** Those of the environment and those of the routes in force, by name. */
  channels(): ReadonlyMap<string, OpenChannel>;
}

/**
 * Opens the channels of the environment and, with AUDITFLOW_ROUTES, those of the routes, which are followed
 * while they change. Routes and their channels take force together or not at all.
 */
export async function openTelling(host: FunctionHost<NotificationConfig>): Promise<Telling> {
  const { config, log, now, health, environment } = host;
  const given = openEnvironmentChannels(config, { log, now });
  const fallback = defaultRoutes([...given.keys()]);
  const path = config.AUDITFLOW_ROUTES;
  if (path === undefined) {
    return { routes: () => fallback, channels: () => given, [Symbol.asyncDispose]: async () => undefined };
  }
  const readSecret = createReadSecret(environment);
  const deps = createChannelDeps({ log, now, allow: config.AUDITFLOW_CHANNEL_ALLOW, readSecret });
  let channels = given;
  const watched = await watchRoutes({
    path,
    fallback,
    log,
    now,
    health: health.dependency("routes", {
      impairs: ["telling the people that the routes name"],
      required: false,
    }),
    load: (files) => loadRoutes(files, { channelTypes, readSecret, opened: [...given.keys()] }),
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
