import { bruteForce } from "./brute-force.ts";
import { coverTracks } from "./cover-tracks.ts";
import { passwordSpray } from "./password-spray.ts";
import { privilegeGrab } from "./privilege-grab.ts";
import type { Scenario } from "./scenario.ts";
import { sensitiveFileEdit } from "./sensitive-file-edit.ts";
import { slowSpray } from "./slow-spray.ts";
import { successAfterFailures } from "./success-after-failures.ts";
import { throwawayAccount } from "./throwaway-account.ts";
import { workingDay } from "./working-day.ts";

/** Every scenario the generator can play, by name. */
export const scenarios: ReadonlyMap<string, Scenario> = new Map(
  [
    workingDay,
    bruteForce,
    passwordSpray,
    slowSpray,
    successAfterFailures,
    sensitiveFileEdit,
    privilegeGrab,
    coverTracks,
    throwawayAccount,
  ].map((scenario) => [scenario.name, scenario]),
);
