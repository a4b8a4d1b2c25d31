import { defineSourceDescription } from "./source.ts";

/** The log of OpenSSH's server; the adapter puts what a line says into `details`. */
export const sshd = defineSourceDescription({
  name: "sshd",
  title: "OpenSSH server",
  logsource: { product: "linux", category: "authentication", service: "sshd" },
  ocsf: {
    class: "authentication",
    rules: [
      {
        events: ["user_login", "ssh_auth_attempt", "ssh_invalid_user"],
        class: "authentication",
        activity: "Logon",
      },
      { events: ["ssh_session_opened"], class: "authentication", activity: "Logon" },
      { events: ["ssh_session_closed", "ssh_disconnect"], class: "authentication", activity: "Logoff" },
    ],
  },
  fields: {},
  known: ["ip_address", "port", "protocol", "method", "reason", "pid", "message"],
});
