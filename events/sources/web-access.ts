import { defineSourceDescription, words } from "./source.ts";

/**
 * Access logs of web servers: the adapter puts what a line or a JSON record says into `details`, rules name
 * it as the W3C's extended log format does. https://www.w3.org/TR/WD-logfile.html
 */
export const webAccess = defineSourceDescription({
  name: "web-access",
  title: "Web server access log",
  logsource: { category: "webserver" },
  variants: [
    { logsource: { product: "nginx", service: "nginx" } },
    { logsource: { product: "apache", service: "apache" } },
    { logsource: { product: "caddy", service: "caddy" } },
    { logsource: { product: "traefik", service: "traefik" } },
  ],
  ocsf: {
    class: "http_activity",
    rules: [
      { events: ["web.connect"], class: "http_activity", activity: "Connect" },
      { events: ["web.delete"], class: "http_activity", activity: "Delete" },
      { events: ["web.get"], class: "http_activity", activity: "Get" },
      { events: ["web.head"], class: "http_activity", activity: "Head" },
      { events: ["web.options"], class: "http_activity", activity: "Options" },
      { events: ["web.post"], class: "http_activity", activity: "Post" },
      { events: ["web.put"], class: "http_activity", activity: "Put" },
      { events: ["web.trace"], class: "http_activity", activity: "Trace" },
      { events: ["web.patch"], class: "http_activity", activity: "Patch" },
    ],
  },
  fields: {
    "cs-method": "method",
    "cs-uri": "uri",
    "cs-uri-stem": "path",
    // Rules disagree on whether it is the whole target or what follows `?`; it is read as both.
    "cs-uri-query": ["uri", "query"],
    "cs-user-agent": "user_agent",
    "cs(user-agent)": "user_agent",
    "cs-referer": "referer",
    "cs-referrer": "referer",
    "cs-username": "user_id",
    "cs-host": "virtual_host",
    "cs-content-type": "request_content_type",
    "cs-cookie": "cookie",
    "cs-version": "protocol",
    "c-ip": "client_ip",
    "c-uri": "uri",
    "c-uri-query": "query",
    "c-useragent": "user_agent",
    "sc-status": "status",
    "sc-bytes": "bytes",
    "s-port": "server_port",
  },
  known: words(`
    method uri path query user_agent referer virtual_host request_content_type cookie protocol
    status bytes server_port request cs-method cs-uri cs-uri-stem cs-uri-query cs-user-agent
    cs(user-agent) cs-referer cs-referrer cs-username cs-host cs-content-type cs-cookie cs-version
    c-ip c-uri c-uri-query c-useragent sc-status sc-bytes s-port
  `),
});
