import { type BinaryLike, randomBytes, scrypt, timingSafeEqual } from "node:crypto";

/**
 * The cost of a hash: N = 2^14, r = 8, p = 1 takes 16 MiB and about 50 ms. The secrets that are hashed hold
 * 256 bits of chance, so the cost is no more than a second wall.
 */
const cost = { ln: 14, r: 8, p: 1 } as const;
const bytes = { salt: 16, hash: 32 } as const;
/** No stored hash may ask for more than this, whoever wrote it. */
const most = { ln: 17, r: 16, p: 4 } as const;

interface Parameters {
  readonly ln: number;
  readonly r: number;
  readonly p: number;
}

const form = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([\w+/]{1,88})\$([\w+/]{43})$/;

/** Hashes a secret with a salt of its own: `$scrypt$ln=14,r=8,p=1$<salt>$<hash>`, base64 without padding. */
export async function hashSecret(secret: string): Promise<string> {
  const salt = randomBytes(bytes.salt);
  const hash = await derive(secret, salt, cost);
  return `$scrypt$ln=${cost.ln},r=${cost.r},p=${cost.p}$${encode(salt)}$${encode(hash)}`;
}

/** Whether the secret is the hashed one; compared in constant time. A hash that cannot be read fits none. */
export async function isHashOf(stored: string, secret: string): Promise<boolean> {
  const [, ln, r, p, salt = "", hash = ""] = form.exec(stored) ?? [];
  const parameters = { ln: Number(ln), r: Number(r), p: Number(p) };
  if (!isAffordable(parameters)) return false;
  const expected = Buffer.from(hash, "base64");
  return timingSafeEqual(await derive(secret, Buffer.from(salt, "base64"), parameters), expected);
}

function isAffordable({ ln, r, p }: Parameters): boolean {
  return ln >= 1 && ln <= most.ln && r >= 1 && r <= most.r && p >= 1 && p <= most.p;
}

function derive(secret: BinaryLike, salt: Buffer, { ln, r, p }: Parameters): Promise<Buffer> {
  const options = { N: 2 ** ln, r, p, maxmem: 256 * 2 ** ln * r };
  return new Promise((resolve, reject) => {
    scrypt(secret, salt, bytes.hash, options, (error, key) => (error ? reject(error) : resolve(key)));
  });
}

function encode(buffer: Buffer): string {
  return buffer.toString("base64").replaceAll("=", "");
}
