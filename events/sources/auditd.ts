import { defineSourceDescription, words } from "./source.ts";

/**
 * The audit log of the Linux kernel. The records of one event are one event here, so a field that several
 * of them have holds all their values: `type` is `["SYSCALL", "EXECVE", "CWD", "PATH"]`, and `name` has the
 * path of every PATH record. The adapter puts them into `details`.
 * https://github.com/linux-audit/audit-documentation
 */
export const auditd = defineSourceDescription({
  name: "auditd",
  title: "Linux audit daemon",
  logsource: { product: "linux", service: "auditd" },
  variants: [
    {
      logsource: { category: "process_creation" },
      fields: {
        Image: "exe",
        CommandLine: "command",
        CurrentDirectory: "cwd",
        User: ["UID", "user_id"],
        ProcessId: "pid",
        ParentProcessId: "ppid",
        LogonId: "ses",
        ProcessName: "comm",
      },
      known: words(`
    Image CommandLine CurrentDirectory User ProcessId ParentProcessId LogonId ProcessName command
  `),
    },
    {
      logsource: { category: "file_event" },
      fields: { TargetFilename: "created", Image: "exe", User: ["UID", "user_id"] },
      known: ["TargetFilename", "Image", "User", "created"],
    },
    {
      logsource: { category: "network_connection" },
      fields: {
        Image: "exe",
        DestinationIp: "saddr_ip",
        DestinationPort: "saddr_port",
        Initiated: "initiated",
        User: ["UID", "user_id"],
      },
      known: ["Image", "DestinationIp", "DestinationPort", "Initiated", "User", "initiated"],
    },
  ],
  ocsf: {
    class: "base_event",
    rules: [
      { events: ["auditd.execve*"], class: "process_activity", activity: "Launch" },
      {
        events: ["auditd.setuid", "auditd.setreuid", "auditd.setresuid"],
        class: "process_activity",
        activity: "Set User ID",
      },
      {
        events: ["auditd.ptrace", "auditd.process_vm_writev"],
        class: "process_activity",
        activity: "Inject",
      },
      { events: ["auditd.init_module", "auditd.finit_module"], class: "kernel_extension", activity: "Load" },
      { events: ["auditd.delete_module"], class: "kernel_extension", activity: "Unload" },
      { events: ["auditd.connect"], class: "network_activity", activity: "Open" },
      { events: ["auditd.bind", "auditd.listen"], class: "network_activity", activity: "Listen" },
      { events: ["auditd.unlink*", "auditd.rmdir"], class: "file_activity", activity: "Delete" },
      { events: ["auditd.rename*"], class: "file_activity", activity: "Rename" },
      {
        events: ["auditd.chmod", "auditd.fchmod*", "auditd.chown", "auditd.fchown*"],
        class: "file_activity",
        activity: "Set Security",
      },
      { events: ["auditd.open*"], class: "file_activity", activity: "Open" },
      {
        events: ["auditd.creat", "auditd.mkdir*", "auditd.mknod*"],
        class: "file_activity",
        activity: "Create",
      },
      { events: ["auditd.truncate", "auditd.ftruncate"], class: "file_activity", activity: "Update" },
      {
        events: ["auditd.user_login", "auditd.user_auth", "auditd.user_start"],
        class: "authentication",
        activity: "Logon",
      },
      { events: ["auditd.user_end", "auditd.user_logout"], class: "authentication", activity: "Logoff" },
      { events: ["auditd.add_user"], class: "account_change", activity: "Create" },
      { events: ["auditd.del_user"], class: "account_change", activity: "Delete" },
      { events: ["auditd.user_chauthtok"], class: "account_change", activity: "Password Change" },
      { events: ["auditd.acct_lock"], class: "account_change", activity: "Lock" },
      { events: ["auditd.add_group"], class: "group_management", activity: "Create" },
      { events: ["auditd.del_group"], class: "group_management", activity: "Delete" },
      { events: ["auditd.user_cmd"], class: "process_activity", activity: "Launch" },
      {
        events: ["auditd.service_start", "auditd.daemon_start"],
        class: "application_lifecycle",
        activity: "Start",
      },
      {
        events: ["auditd.service_stop", "auditd.daemon_end"],
        class: "application_lifecycle",
        activity: "Stop",
      },
    ],
  },
  fields: {},
  known: [
    ...words(`
    type node arch syscall success exit items ppid pid auid uid gid euid suid fsuid egid sgid fsgid
    tty ses comm exe subj key cwd argc item name inode dev mode ouid ogid rdev obj nametype objtype
    proctitle cap_fp cap_fi cap_fe cap_fver cap_frootid saddr saddr_ip saddr_port fam op audit_enabled acct grp id
    unit hostname addr terminal res cmd list old prog-id capability prog ver format kernel apparmor
    operation profile denied_mask requested_mask scontext tcontext tclass sig reason ip msg syscalls
    SYSCALL ARCH AUID UID GID EUID SUID FSUID EGID SGID FSGID OUID OGID ID SADDR command created
  `),
    ...Array.from({ length: 64 }, (_, index) => `a${index}`),
  ],
});
