import { hash } from "node:crypto";

/**
 * A short name of any text, safe to be part of a key. Text with half a surrogate pair has no UTF-8, which
 * would make all such texts one; it is told apart by its code units.
 */
export function digest(text: string): string {
  const bytes = text.isWellFormed() ? text : Buffer.from(`\ufeff${text}`, "utf16le");
  return hash("sha256", bytes, "base64url");
}
