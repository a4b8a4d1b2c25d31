import { AccessError, type Access, type AccessMode, type Principal } from "./access.ts";
import type { Attempts } from "./attempts.ts";
import { readBearer } from "./bearer.ts";
import { checkBrowser } from "./browser.ts";
import type { Keys } from "./keys.ts";
import { grant, scopes } from "./scopes.ts";
import { looksLikeToken } from "./token.ts";

/** Whoever calls a server that asks nobody. */
const anonymous: Principal = { type: "anonymous", id: "anonymous", scopes: grant(scopes) };

export interface OpenDeps {
  readonly mode: Exclude<AccessMode, "login">;
  readonly notice: string | undefined;
  readonly addressOf: Access["addressOf"];
}

/** Lets everybody pass but browsers that were misled. */
export function createOpenAccess({ mode, notice, addressOf }: OpenDeps): Access {
  return {
    mode,
    notice,
    addressOf,
    async authenticate(request) {
      checkBrowser(request, mode);
      return anonymous;
    },
  };
}

export interface LoginDeps {
  /** Each way that is open. */
  readonly keys?: Pick<Keys, "check"> | undefined;
  readonly oidc?: ((token: string) => Promise<Principal>) | undefined;
  readonly attempts: Attempts;
  readonly addressOf: Access["addressOf"];
}

/** Asks for an API key or a bearer token of the issuer; counts the wrong ones by address. */
export function createLoginAccess({ keys, oidc, attempts, addressOf }: LoginDeps): Access {
  async function identify(token: string, address: string): Promise<Principal> {
    if (looksLikeToken(token)) {
      if (keys) return keys.check(token, () => attempts.admit(address));
    } else if (oidc) return oidc(token);
    throw new AccessError("CREDENTIAL_INVALID", `Credentials of this kind are not accepted here.`);
  }

  return {
    mode: "login",
    notice: undefined,
    addressOf,
    async authenticate(request) {
      const token = readBearer(request);
      const address = addressOf(request);
      try {
        return await identify(token, address);
      } catch (error) {
        if (error instanceof AccessError && error.code === "CREDENTIAL_INVALID") attempts.fail(address);
        throw error;
      }
    },
  };
}
