import type { AlertDetail } from "../alert-view.ts";

/** Shapes that others give alerts. */
export type Projection = "ocsf" | "ecs";

/** What turns an alert into that shape; loaded by whoever asks for it. */
export async function loadProjection(name: Projection): Promise<(alert: AlertDetail) => unknown> {
  if (name === "ocsf") return (await import("../projections/ocsf.ts")).toOcsf;
  return (await import("../projections/ecs.ts")).toEcs;
}
