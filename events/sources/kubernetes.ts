import { defineSourceDescription, words } from "./source.ts";

/** Where a pod's specification is in what was asked for: a pod, what makes pods, and what makes those. */
const podSpecs = [
  "requestObject.spec",
  "requestObject.spec.template.spec",
  "requestObject.spec.jobTemplate.spec.template.spec",
];

/** https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/ */
export const kubernetes = defineSourceDescription({
  name: "kubernetes",
  title: "Kubernetes audit",
  logsource: { product: "kubernetes", category: "application", service: "audit" },
  ocsf: {
    class: "api_activity",
    rules: [
      { events: ["kubernetes.create"], class: "api_activity", activity: "Create" },
      {
        events: ["kubernetes.get", "kubernetes.list", "kubernetes.watch"],
        class: "api_activity",
        activity: "Read",
      },
      { events: ["kubernetes.update", "kubernetes.patch"], class: "api_activity", activity: "Update" },
      { events: ["kubernetes.delete*"], class: "api_activity", activity: "Delete" },
    ],
  },
  fields: {
    apiGroup: "objectRef.apiGroup",
    hostPath: podSpecs.map((spec) => `${spec}.volumes.hostPath`),
    capabilities: podSpecs.flatMap((spec) =>
      ["containers", "initContainers"].map((list) => `${spec}.${list}.securityContext.capabilities.add`),
    ),
  },
  known: words(`
    kind apiVersion level auditID stage requestURI verb user.* impersonatedUser.* sourceIPs
    userAgent objectRef.* responseStatus.* requestObject.* responseObject.* requestReceivedTimestamp
    stageTimestamp annotations.* authenticationMetadata.* apiGroup hostPath capabilities namespace
    user_agent impersonated_user envelope.*
  `),
});
