/** The value a JSON text holds; `undefined` when it is none. Check its shape before using it. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
