import { AccessError } from "./access.ts";
import { createBoundedMap } from "./bounded.ts";

/** How many wrong credentials an address may send. */
export interface AttemptLimits {
  /** At once. */
  readonly burst: number;
  /** One more every so many milliseconds. */
  readonly refillMs: number;
}

const standard: AttemptLimits = { burst: 20, refillMs: 3000 };
const addresses = 10_000;

/** Counts wrong credentials by the address they came from. */
export interface Attempts {
  /** Throws AccessError TOO_MANY_FAILURES when the address has none left. */
  admit(address: string): void;
  /** Counts one; throws the same when it was one too many. */
  fail(address: string): void;
}

interface Bucket {
  readonly left: number;
  readonly at: number;
}

/** `now` in milliseconds. */
export function createAttempts(now: () => number, limits: AttemptLimits = standard): Attempts {
  const buckets = createBoundedMap<Bucket>(addresses);

  function read(network: string): Bucket {
    const at = now();
    const bucket = buckets.get(network) ?? { left: limits.burst, at };
    const refilled = Math.max(0, at - bucket.at) / limits.refillMs;
    return { left: Math.min(limits.burst, bucket.left + refilled), at };
  }

  function refuseWhenEmpty({ left }: Bucket): void {
    if (left >= 1) return;
    const seconds = Math.max(1, Math.ceil(((1 - left) * limits.refillMs) / 1000));
    throw new AccessError(
      "TOO_MANY_FAILURES",
      `Too many wrong credentials came from this address. Try again in ${seconds} s.`,
      { "retry-after": String(seconds) },
    );
  }

  return {
    admit: (address) => refuseWhenEmpty(read(networkOf(address))),
    fail(address) {
      const network = networkOf(address);
      const bucket = read(network);
      refuseWhenEmpty(bucket);
      buckets.set(network, { ...bucket, left: bucket.left - 1 });
    },
  };
}

/** One customer usually has a whole /64 of IPv6. */
function networkOf(address: string): string {
  if (!address.includes(":") || address.includes(".")) return address;
  const [head = "", tail] = address.split("::");
  const first = head === "" ? [] : head.split(":");
  const last = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = Array.from({ length: Math.max(0, 8 - first.length - last.length) }, () => "0");
  return [...first, ...zeros, ...last].slice(0, 4).join(":");
}
