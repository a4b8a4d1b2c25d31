const decimal = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/** The number a text is, as JSON would read it; undefined for any other text and for numbers beyond a double. */
export function toNumber(text: string): number | undefined {
  if (!decimal.test(text)) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

/** A decimal number: units * 10^exponent, with exponent <= 0. */
interface Decimal {
  readonly units: bigint;
  readonly exponent: number;
}

/** The decimal people mean by a number: 0.1 is one tenth and not the double nearest to it. */
function toDecimal(value: number): Decimal {
  if (Number.isSafeInteger(value)) return { units: BigInt(value), exponent: 0 };
  const [, whole = "0", fraction = "", power = "0"] =
    /^(-?\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(value)) ?? [];
  const exponent = Number(power) - fraction.length;
  const units = BigInt(whole + fraction);
  return exponent > 0 ? { units: units * 10n ** BigInt(exponent), exponent: 0 } : { units, exponent };
}

/** A sum that is exact, so that it depends neither on the order of what came nor on what went again. */
export interface Sum {
  add(value: number): void;
  remove(value: number): void;
  /** Below 0, 0 or above 0, as the sum is less than, equal to or more than `times` * `operand`. */
  compare(operand: number, times: number): number;
  toNumber(): number;
}

export function createSum(): Sum {
  let total = 0n;
  let exponent = 0;

  /** A decimal in the units of the total, which are made as fine as it needs them. */
  function unitsOf(value: Decimal): bigint {
    if (value.exponent < exponent) {
      total *= 10n ** BigInt(exponent - value.exponent);
      exponent = value.exponent;
    }
    return value.exponent === exponent ? value.units : value.units * 10n ** BigInt(value.exponent - exponent);
  }

  return {
    add(value) {
      const units = unitsOf(toDecimal(value));
      total += units;
    },
    remove(value) {
      const units = unitsOf(toDecimal(value));
      total -= units;
    },
    compare(operand, times) {
      const units = unitsOf(toDecimal(operand)) * BigInt(times);
      return total < units ? -1 : Number(total > units);
    },
    toNumber: () => Number(`${total}e${exponent}`),
  };
}

/** Nearest rank: the smallest k with k >= percentile / 100 * count, and at least 1; counts from 1. */
export function createRank(percentile: number): (count: number) => number {
  const { units, exponent } = toDecimal(percentile);
  const divisor = 100n * 10n ** BigInt(-exponent);
  return (count) => Math.max(1, Number((units * BigInt(count) + divisor - 1n) / divisor));
}
