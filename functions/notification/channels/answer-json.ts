/** The JSON value of an answer; `undefined` for what is none. Check its shape before using it. */
export function parseAnswer(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
