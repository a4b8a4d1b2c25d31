import { existsSync } from "node:fs";
import { pathToFileURL } from "node:url";

import { packageRoot } from "./package.ts";

/** Every folder of SQL migrations, as file URLs; all functions share one database. */
export const migrationFolders: readonly string[] = [
  "runtime/ledger/migrations",
  "runtime/access/migrations",
  "functions/notification/store/migrations",
]
  .filter((folder) => existsSync(packageRoot + folder))
  .map((folder) => pathToFileURL(packageRoot + folder).href);
