import { createMemoryState } from "./memory.ts";
import { stateConformance } from "./state.conformance.ts";

stateConformance("memory state", async () => createMemoryState({ now: Date.now }));
