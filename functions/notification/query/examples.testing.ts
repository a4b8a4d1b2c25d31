import type { AlertSummary } from "../alert-view.ts";

export const now = Date.parse("2026-11-21T12:00:00Z");

/** What the queries below are about. */
export const alert: AlertSummary = {
  alert_id: "9b0c7f0a-7a44-5a0e-8f6a-6a0d8f1d2c3b",
  timestamp: "2026-11-21T11:00:00.000Z",
  received_at: "2026-11-21T11:00:01.000Z",
  alert_name: "Multiple failed logins",
  alert_type: "SECURITY",
  severity: "HIGH",
  description: 'Said "failed password" of root, twice.',
  source_service_name: "sshd",
  rule_id: "ssh-burst",
  rule_name: "Failed login burst",
  rule_version: "3f9a",
  actor_type: "USER",
  actor_id: "root",
  client_ip: "203.0.113.7",
  resource_type: "HOST",
  resource_id: "edge-2",
  server_hostname: "Edge-2.example",
  action_observed: "user_login",
  correlation_id: "0d4f6f0e-5f0e-4a57-9d7e-0b9f6c1c7e01",
  tags: ["attack.T1110", "pci"],
  environment: "production",
  group: null,
  count: 120,
  first_seen: "2026-11-21T10:00:00.000Z",
  last_seen: "2026-11-21T11:50:00.000Z",
  status: "acknowledged",
  disposition: null,
  assignee: "Ann",
  snoozed_until: "2026-11-21T13:00:00.000Z",
  revision: 2,
};

/** A query a line. */
function lines(text: string): readonly string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

/** Queries that hold of it, and, below, such that do not. */
export const holding: readonly string[] = [
  "",
  "  ",
  ...lines(String.raw`
    failed
    FAILED
    "failed password"
    failed login
    edge*example
    fail*logins
    ssh
    *
    burst
    root
    "\"failed"
    sshd
    Edge-2
    multiple -absent
    -(absent OR nothing)
    severity:high
    severity:HIGH
    severity:low,high
    severity:>=high
    severity:>medium
    severity:<critical
    severity:<=high
    -severity:low
    severity=high
    severity!=low
    severity:>info
    status:acknowledged
    status:ack
    status:open,acknowledged
    -status:in-progress
    -disposition:benign
    -has:disposition
    disposition!=false-positive
    assignee:ann
    rule:ssh-burst
    rule_id:ssh-*
    rule:*burst
    rule:s*h-*st
    rule:"ssh"-*
    rule_name:failed*
    rule_name:"Failed login burst"
    version:3F9A
    rule_version:3f9a
    name:multiple*
    alert_name:*logins
    type:security
    alert_type:SEC*
    description:*password*
    source:sshd
    service:ssh*
    actor:root
    subject:ROOT
    subject:root*
    actor_id:r*t
    actor_type:user
    ip:203.0.113.7
    client_ip:203.0.*
    host:edge-2.example
    hostname:edge*
    resource:edge-2
    resource_id:edge-?,edge-2
    resource_type:host
    action:user_login
    environment:production
    env:PROD*
    tag:pci
    tags:attack.t1110
    tag:attack.*
    -tag:none
    id:9b0c7f0a-7a44-5a0e-8f6a-6a0d8f1d2c3b
    alert_id:9B0C*
    trace:0d4f6f0e-5f0e-4a57-9d7e-0b9f6c1c7e01
    correlation:0d4f*
    correlation_id:*7e01
    count:120
    count:1,120
    count:>100
    count:>=120
    count:<121
    count:<=120
    count=120
    seen:<15m
    last_seen:<=10m
    seen:>9m
    seen:>=10m
    seen:>2026-11-21
    seen:<1h30m
    seen:>=2026-11-21T11:50:00Z
    seen:<2026-11-21T13:50:00.001+02:00
    seen:<="2026-11-21 11:50:00"
    first_seen:>1h
    timestamp:<=1h
    time:<2h
    received:<1h
    received_at:>59m
    is:acknowledged
    is:open,acknowledged
    is:snoozed
    is:assigned
    -is:unassigned
    -is:open
    -is:resolved
    -is:suppressed
    -is:in_progress
    is=assigned
    has:actor
    has:trace
    has:tag
    has:disposition,assignee
    -has:data.x
    has:subject
    rule:~burst
    rule:~BURST$
    rule:~^ssh-(burst|flood)$
    rule=~ssh-.*
    rule=~"ssh-.*"
    rule!~ssh
    -rule:~^burst
    tag:~^attack[.]t\d{4}$
    id:~^9b0c
    description:~"failed (password|login)"
    (is:open OR severity:high) subject:root
    (a OR b OR root)
    absent OR root
    (root)
    ((root))
    actor!=admin
    -actor!=root
    actor!=admin,nobody
    10:00 OR root
    a,b OR root
    -data.x:1`),
];
export const failing: readonly string[] = lines(String.raw`
    absent
    failed absent
    "failed  password"
    -failed
    failed*absent
    -(root OR absent)
    severity:low
    severity:>high
    severity:<high
    severity:low,medium
    -severity:high
    severity!=high
    status:open
    -status:ack
    disposition:benign
    has:disposition
    assignee:an
    assignee:a*x
    rule:ssh
    rule:burst
    rule:*ssh
    rule:"ssh-*"
    rule_name:failed
    version:3f9
    name:multiple
    type:compliance
    description:password
    source:ssh
    actor:roo
    actor:root,-x -actor:root
    actor_type:use
    ip:203.0.113.70
    host:edge-2
    resource:edge
    resource_type:file
    action:login
    environment:prod
    tag:attack
    -tag:pci
    id:9c*
    id:0d4f6f0e-5f0e-4a57-9d7e-0b9f6c1c7e01
    trace:9b0c*
    count:12
    count:>120
    count:>=121
    count:<120
    count:<=119
    -count:120
    seen:<10m
    seen:>10m
    last_seen:<=9m
    seen:>=11m
    seen:>2026-11-22
    first_seen:<2h
    timestamp:<1h
    received:>=1h
    is:open
    -is:snoozed
    is:unassigned
    is:resolved,suppressed
    -has:actor
    has:data.x
    data.x:1
    data.x:~a
    data.x:>1
    rule:~^burst
    rule=~ssh
    rule!~.*
    rule=~burst
    tag:~^pc$
    actor!=root
    -actor!=admin
    absent OR nothing
    (root absent OR nothing)
    ""*absent
    ſshd
    source:ſshd
    rule!=ssh-burst`);
