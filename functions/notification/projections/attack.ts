/** What a tag such as `attack.t1110.001` or `attack.credential-access` names of MITRE ATT&CK. */
export interface AttackTags {
  /** `T1110`, or `T1110.001` for a sub-technique. */
  readonly techniques: readonly string[];
  readonly tactics: readonly { readonly uid: string; readonly name: string }[];
}

const tactics: Readonly<Record<string, readonly [string, string]>> = {
  reconnaissance: ["TA0043", "Reconnaissance"],
  "resource-development": ["TA0042", "Resource Development"],
  "initial-access": ["TA0001", "Initial Access"],
  execution: ["TA0002", "Execution"],
  persistence: ["TA0003", "Persistence"],
  "privilege-escalation": ["TA0004", "Privilege Escalation"],
  "defense-evasion": ["TA0005", "Defense Evasion"],
  "credential-access": ["TA0006", "Credential Access"],
  discovery: ["TA0007", "Discovery"],
  "lateral-movement": ["TA0008", "Lateral Movement"],
  collection: ["TA0009", "Collection"],
  "command-and-control": ["TA0011", "Command and Control"],
  exfiltration: ["TA0010", "Exfiltration"],
  impact: ["TA0040", "Impact"],
};

/** Reads Sigma's tags; words may be joined by `-` or, as in older rules, by `_`. Others are left out. */
export function readAttackTags(tags: readonly string[]): AttackTags {
  const names = tags.flatMap((tag) => /^attack\.(.+)$/i.exec(tag)?.[1]?.toLowerCase() ?? []);
  const techniques = names.filter((name) => /^t\d{4}(\.\d{3})?$/.test(name));
  const known = names.flatMap((name) => {
    const slug = name.replaceAll("_", "-");
    const tactic = Object.hasOwn(tactics, slug) ? tactics[slug] : undefined;
    return tactic ? [tactic] : [];
  });
  return {
    techniques: [...new Set(techniques.map((name) => name.toUpperCase()))],
    tactics: [...new Map(known).entries()].map(([uid, name]) => ({ uid, name })),
  };
}
