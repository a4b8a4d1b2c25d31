import { expect, test } from "vitest";

import { createLookout } from "./lookout.ts";

/** Looks that end when they are told to, one after the other. */
function openLooks() {
  const looks: PromiseWithResolvers<number | undefined>[] = [];
  let begun = Promise.withResolvers<void>();
  const look = async () => {
    const one = Promise.withResolvers<number | undefined>();
    looks.push(one);
    begun.resolve();
    begun = Promise.withResolvers<void>();
    return one.promise;
  };
  return { looks, look, next: () => begun.promise };
}

const failures: unknown[] = [];
const onFailure = (error: unknown) => void failures.push(error);

test("looks one time after the other, and once more for all who woke it meanwhile", async () => {
  const { looks, look, next } = openLooks();
  const lookout = createLookout({ pollMs: 60_000, look, onFailure });
  lookout.wake();
  lookout.wake();
  lookout.wake();
  expect(looks).toHaveLength(1);
  const second = next();
  looks[0]?.resolve(undefined);
  await second;
  expect(looks).toHaveLength(2);
  looks[1]?.resolve(undefined);
  await lookout.stop();
  expect(looks).toHaveLength(2);
});

test("looks again when something is due, also after a look that failed", async () => {
  const { looks, look, next } = openLooks();
  const lookout = createLookout({ pollMs: 1, look, onFailure });
  lookout.wake();
  for (let n = 0; n < 3; n += 1) {
    const following = next();
    if (n === 1) looks[n]?.reject(new Error("away"));
    else looks[n]?.resolve(60_000);
    await following;
  }
  expect(failures).toHaveLength(1);
  looks[3]?.resolve(undefined);
  await lookout.stop();
});

test("stopped, it waits for the look under way and looks no more", async () => {
  const { looks, look } = openLooks();
  const lookout = createLookout({ pollMs: 1, look, onFailure });
  lookout.wake();
  let isStopped = false;
  const stopping = lookout.stop().then(() => (isStopped = true));
  await Promise.resolve();
  expect(isStopped).toBe(false);
  looks[0]?.resolve(0);
  await stopping;
  lookout.wake();
  expect(looks).toHaveLength(1);
});
