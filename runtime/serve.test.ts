import { echo } from "./echo.testing.ts";
import { hostConformance } from "./host.conformance.ts";
import { serve } from "./serve.ts";

hostConformance("serve", async (env) => {
  const served = await serve(echo, { env, port: 0, host: "127.0.0.1" });
  return {
    url: served.url,
    exitCode: () => undefined,
    [Symbol.asyncDispose]: () => served[Symbol.asyncDispose](),
  };
});
