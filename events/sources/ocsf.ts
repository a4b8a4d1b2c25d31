/**
 * Event classes of the Open Cybersecurity Schema Framework, by their names of version 1.8 (1.9 deprecates
 * Account Change for User Management, 3007). https://schema.ocsf.io
 */
const crud = { Create: 1, Read: 2, Update: 3, Delete: 4 } as const;

export const ocsfClasses = {
  base_event: { uid: 0, name: "Base Event", activities: {} },
  file_activity: {
    uid: 1001,
    name: "File System Activity",
    activities: { ...crud, Rename: 5, "Set Attributes": 6, "Set Security": 7, Open: 14 },
  },
  kernel_extension: { uid: 1002, name: "Kernel Extension Activity", activities: { Load: 1, Unload: 2 } },
  process_activity: {
    uid: 1007,
    name: "Process Activity",
    activities: { Launch: 1, Terminate: 2, Open: 3, Inject: 4, "Set User ID": 5 },
  },
  detection_finding: {
    uid: 2004,
    name: "Detection Finding",
    activities: { Create: 1, Update: 2, Close: 3 },
  },
  account_change: {
    uid: 3001,
    name: "Account Change",
    activities: {
      Create: 1,
      Enable: 2,
      "Password Change": 3,
      "Password Reset": 4,
      Disable: 5,
      Delete: 6,
      "Attach Policy": 7,
      "Detach Policy": 8,
      Lock: 9,
      "MFA Factor Enable": 10,
      "MFA Factor Disable": 11,
    },
  },
  authentication: { uid: 3002, name: "Authentication", activities: { Logon: 1, Logoff: 2 } },
  entity_management: { uid: 3004, name: "Entity Management", activities: crud },
  group_management: {
    uid: 3006,
    name: "Group Management",
    activities: {
      "Assign Privileges": 1,
      "Revoke Privileges": 2,
      "Add User": 3,
      "Remove User": 4,
      Delete: 5,
      Create: 6,
    },
  },
  network_activity: { uid: 4001, name: "Network Activity", activities: { Open: 1, Close: 2, Listen: 7 } },
  http_activity: {
    uid: 4002,
    name: "HTTP Activity",
    activities: {
      Connect: 1,
      Delete: 2,
      Get: 3,
      Head: 4,
      Options: 5,
      Post: 6,
      Put: 7,
      Trace: 8,
      Patch: 9,
    },
  },
  application_lifecycle: {
    uid: 6002,
    name: "Application Lifecycle",
    activities: { Install: 1, Remove: 2, Start: 3, Stop: 4 },
  },
  api_activity: { uid: 6003, name: "API Activity", activities: crud },
} as const satisfies Record<string, OcsfClassEntry>;

interface OcsfClassEntry {
  readonly uid: number;
  readonly name: string;
  readonly activities: Readonly<Record<string, number>>;
}

export type OcsfClassName = keyof typeof ocsfClasses;

type OcsfActivityOf<Name extends OcsfClassName> = Extract<
  keyof (typeof ocsfClasses)[Name]["activities"],
  string
>;

/** The events of some types are of a class, and of an activity if that can be told. */
export type OcsfRule = {
  readonly [Name in OcsfClassName]: {
    /** Event types, without regard to case; `*` stands for any text. */
    readonly events: readonly string[];
    /** Only with this result. */
    readonly result?: string;
    readonly class: Name;
    readonly activity?: OcsfActivityOf<Name>;
  };
}[OcsfClassName];

/** The class of a source's events: of the first rule that fits, else `class`. */
export interface OcsfMapping {
  readonly class: OcsfClassName;
  readonly rules?: readonly OcsfRule[];
}

export const ocsfCategories: ReadonlyMap<number, string> = new Map([
  [0, "Uncategorized"],
  [1, "System Activity"],
  [2, "Findings"],
  [3, "Identity & Access Management"],
  [4, "Network Activity"],
  [5, "Discovery"],
  [6, "Application Activity"],
]);
