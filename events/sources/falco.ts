import { defineSourceDescription, words } from "./source.ts";

/**
 * Falco's alerts. They are no telemetry but what Falco's own rules have found, so they are a product of
 * their own: rules about processes, asked of events that only exist where Falco saw something wrong already,
 * would repeat it and miss the rest. The service is the event source of the Falco rule: `syscall`,
 * `k8s_audit`, … https://falco.org/docs/reference/rules/supported-fields/
 */
export const falco = defineSourceDescription({
  name: "falco",
  title: "Falco alerts",
  logsource: { product: "falco" },
  variants: [
    { logsource: { service: "syscall" } },
    { logsource: { service: "k8s_audit" }, known: ["ka.*", "jevt.*"] },
    { logsource: { service: "aws_cloudtrail" }, known: ["ct.*", "jevt.*"] },
    { logsource: { service: "okta" }, known: ["okta.*", "jevt.*"] },
    { logsource: { service: "github" }, known: ["github.*", "jevt.*"] },
  ],
  lift: ["output_fields"],
  ocsf: {
    class: "detection_finding",
    rules: [{ events: ["falco.*"], class: "detection_finding", activity: "Create" }],
  },
  fields: {
    CommandLine: "proc.cmdline",
    Image: "proc.exepath",
    ParentImage: "proc.pexepath",
    ParentCommandLine: "proc.pcmdline",
    CurrentDirectory: "proc.cwd",
    TargetFilename: "fd.name",
    User: "user.name",
  },
  known: words(`
    rule priority output output_fields.* source time hostname uuid evt.* proc.* fd.* user.* group.*
    container.* k8s.* k8smeta.* thread.* fs.* CommandLine Image ParentImage ParentCommandLine
    CurrentDirectory TargetFilename User
  `),
});
