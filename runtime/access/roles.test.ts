import { expect, test } from "vitest";

import { parseRoleMap, scopesOf } from "./roles.ts";

const roles = new Map([
  ["security", ["responder", "ingest"]],
  ["auditors", ["viewer"]],
] as const);

test.for([
  [{ roles: ["security"] }, "roles", ["responder", "ingest"]],
  [{ roles: "auditors security other" }, "roles", ["viewer", "responder", "ingest"]],
  [{ realm_access: { roles: ["auditors"] } }, "realm_access.roles", ["viewer"]],
  [{ "https://example.org/roles": ["auditors"] }, "https://example.org/roles", ["viewer"]],
  [{ roles: ["admin", 7, null] }, "roles", []],
  [{ roles: { security: true } }, "roles", []],
  [{}, "roles", []],
  [{}, "__proto__.constructor", []],
  [{ roles: 7 }, "roles.name", []],
] as const)("the roles of %j at %s are %j", ([claims, path, scopes]) => {
  expect(scopesOf(claims, path, roles)).toEqual(scopes);
});

test("a map names each role with its scopes; a name may hold = and :", () => {
  expect(parseRoleMap("a=viewer, a=ingest,cn=ops=admin,")).toEqual(
    new Map([
      ["a", ["viewer", "ingest"]],
      ["cn=ops", ["admin"]],
    ]),
  );
  expect(["=viewer", "a", "a=", "a=root"].map(parseRoleMap)).toEqual(
    ["=viewer", "a", "a=", "a=root"].map((wrong) => ({ wrong })),
  );
});
