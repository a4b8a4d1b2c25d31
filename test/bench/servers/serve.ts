import { serve } from "../../../runtime/serve.ts";
import { nothing } from "./nothing.ts";

await serve(nothing, { env: process.env, host: "127.0.0.1" });
