import type { Encoding } from "./modifiers.ts";

/** The bytes of a text in UTF-8, as `base64` sees it without an encoding before it. */
export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** The bytes of a text in UTF-16: `wide` little endian, `utf16be` big endian, `utf16` little endian after FF FE. */
export function utf16(text: string, encoding: Encoding): Uint8Array {
  const marked = encoding === "utf16" ? `\uFEFF${text}` : text;
  const view = new DataView(new ArrayBuffer(2 * marked.length));
  for (let i = 0; i < marked.length; i += 1)
    view.setUint16(2 * i, marked.charCodeAt(i), encoding !== "utf16be");
  return new Uint8Array(view.buffer);
}

/** Base64 with padding (RFC 4648, section 4). */
export function base64(bytes: Uint8Array): string {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}

/** Fewer bytes leave no character that is the same wherever they stand. */
export const base64offsetBytes = 2;

/**
 * The three texts of which one occurs in the Base64 text of anything that contains the bytes: they begin
 * at a multiple of three, one behind or two behind it. Characters that depend on what stands before or
 * after the bytes are cut off.
 */
export function base64offsets(bytes: Uint8Array): readonly string[] {
  return [0, 1, 2].map((before) => {
    const padded = new Uint8Array(before + bytes.length);
    padded.set(bytes, before);
    const depending = [0, 3, 2][padded.length % 3] ?? 0;
    const encoded = base64(padded);
    return encoded.slice([0, 2, 3][before], encoded.length - depending);
  });
}
