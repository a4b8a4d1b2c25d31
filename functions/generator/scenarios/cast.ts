import type { AuditRecorded } from "../../../events/contracts/audit-recorded.ts";

/** People of the imaginary company. */
export const people = [
  "ana",
  "bela",
  "chidi",
  "dora",
  "emre",
  "fatou",
  "goran",
  "hana",
  "ines",
  "jun",
] as const;

/** Accounts attackers try first. */
export const wellKnownAccounts = [
  "root",
  "admin",
  "postgres",
  "oracle",
  "ubuntu",
  "git",
  "test",
  "backup",
] as const;

export const hosts = ["edge-1", "edge-2", "web-1", "web-2", "db-1"] as const;

/** Addresses inside, and of strangers: all reserved for documentation (RFC 5737, RFC 3849). */
export const officeAddresses = ["192.0.2.10", "192.0.2.11", "192.0.2.12", "192.0.2.13"] as const;
export const foreignAddresses = ["203.0.113.7", "203.0.113.66", "198.51.100.23", "2001:db8::bad"] as const;

interface Login {
  readonly user: string;
  readonly host: string;
  readonly address: string;
}

/** A refused or successful login over SSH, in the predecessor's words. */
export function login({ user, host, address }: Login, action_result: "SUCCESS" | "FAILURE"): AuditRecorded {
  const failed = action_result === "FAILURE";
  return {
    source_service: "sshd",
    server_hostname: host,
    event_type: "user_login",
    severity: failed ? "WARNING" : "INFO",
    user_id: user,
    action_result,
    details: { ip_address: address, protocol: "ssh", ...(failed ? { reason: "invalid password" } : {}) },
  };
}

/** A command run as root. */
export function sudo(user: string, host: string, command: string): AuditRecorded {
  return {
    source_service: "sudo",
    server_hostname: host,
    event_type: "sudo_command",
    severity: "INFO",
    user_id: user,
    action_result: "SUCCESS",
    details: { command, tty: "pts/0", cwd: `/home/${user}` },
  };
}

/** A file whose content changed. */
export function fileModified(user: string, host: string, resource: string): AuditRecorded {
  return {
    source_service: "auditd",
    server_hostname: host,
    event_type: "file_modified",
    severity: "WARNING",
    user_id: user,
    action_result: "MODIFIED",
    details: { resource },
  };
}

/** An account of a host that was made or removed. */
export function account(
  user: string,
  host: string,
  { name, action_result }: { readonly name: string; readonly action_result: "CREATED" | "DELETED" },
): AuditRecorded {
  return {
    source_service: action_result === "CREATED" ? "useradd" : "userdel",
    server_hostname: host,
    event_type: "user_account_management",
    severity: "INFO",
    user_id: user,
    action_result,
    details: { resource: name, ...(action_result === "CREATED" ? { home_directory: `/home/${name}` } : {}) },
  };
}
