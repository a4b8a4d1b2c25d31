import { readFile } from "node:fs/promises";

/** A file of the web page, ready to be sent. */
export interface Asset {
  readonly body: Uint8Array<ArrayBuffer>;
  readonly contentType: string;
}

const files = {
  "/": ["index.html", "text/html; charset=utf-8"],
  "/app.js": ["app.js", "text/javascript; charset=utf-8"],
  "/style.css": ["style.css", "text/css; charset=utf-8"],
  "/icon.svg": ["icon.svg", "image/svg+xml"],
} as const;

/** Reads every file of the page once, so that serving touches no disk. */
export async function loadAssets(): Promise<ReadonlyMap<string, Asset>> {
  const entries = Object.entries(files).map(async ([path, [file, contentType]]) => {
    const body = await readFile(new URL(`web/${file}`, import.meta.url));
    return [path, { body: new Uint8Array(body), contentType }] as const;
  });
  return new Map(await Promise.all(entries));
}
