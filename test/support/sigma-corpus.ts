import { execFileSync } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A folder or a .tar.gz of Sigma rules, such as a release of SigmaHQ/sigma; tests that need it are skipped without. */
export const sigmaCorpus = process.env["AUDITFLOW_SIGMA_CORPUS"];

/** The YAML files of a corpus, sorted by name. */
export function readSigmaCorpus(path: string): readonly { readonly file: string; readonly text: string }[] {
  return withSigmaFolder(path, (folder) =>
    globSync("**/*.{yml,yaml}", { cwd: folder })
      .toSorted()
      .map((file) => ({ file, text: readFileSync(join(folder, file), "utf8") })),
  );
}

/** Runs `work` on the folder of a corpus, unpacked where it is an archive and removed again afterwards. */
function withSigmaFolder<Result>(path: string, work: (folder: string) => Result): Result {
  if (statSync(path).isDirectory()) return work(path);
  const folder = mkdtempSync(join(tmpdir(), "auditflow-corpus-"));
  try {
    execFileSync("tar", ["-xzf", path, "-C", folder]);
    return work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
