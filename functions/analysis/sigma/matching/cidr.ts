import { parseAddress } from "../language/address.ts";

/** Whether an address is of a network: 4 or 16 bytes, of which the first `prefix` bits count. */
export function compileNetwork(network: readonly number[], prefix: number): (text: string) => boolean {
  const whole = prefix >> 3;
  const mask = 0xff00 >> (prefix & 7);
  const isInside = (address: readonly number[], from: number): boolean => {
    for (let i = 0; i < whole; i += 1) if (address[from + i] !== network[i]) return false;
    return (
      whole === network.length || (((address[from + whole] ?? 0) ^ (network[whole] ?? 0)) & mask & 0xff) === 0
    );
  };
  return (text) => {
    const address = parseAddress(text);
    if (address === undefined) return false;
    if (address.length === network.length) return isInside(address, 0);
    return network.length === 4 && isMapped(address) && isInside(address, 12);
  };
}

/** `::ffff:10.0.0.1` is the v4 address `10.0.0.1`. */
function isMapped(address: readonly number[]): boolean {
  return address.every((byte, i) => i >= 12 || byte === (i < 10 ? 0 : 0xff));
}
