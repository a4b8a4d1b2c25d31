import { describe, expect, test } from "vitest";

import { channelTypes } from "../../channels/index.ts";
import { loadRoutes } from "./load.ts";

const load = (text: string) =>
  loadRoutes([{ file: "routes.yaml", text }], { channelTypes, opened: ["console", "webhook"] });
const told = (text: string) =>
  load(text).problems.map(({ line, column, path, message, allowed }) => [
    `${line}:${column} ${path}`,
    message,
    allowed ?? "",
  ]);

const root = "route: {channels: [console]}\n";

describe("a routes file that is wrong says where, what and what is possible", () => {
  test.each([
    ["route: [", "1:9 ", "not YAML", ""],
    ["- a", "1:1 ", "is not what belongs there", "a map"],
    ["route: &a {channels: [console], routes: [*a]}", "1:42 ", "stands inside of what it stands for", ""],
    ["channels: {}", "1:1 ", "There is no route", "channels"],
    ["", "1:1 ", "There is no route", "channels"],
    ["route: {}", "1:8 route", "route.channels is missing", "[]"],
    [`${root}colour: red`, "2:1 colour", 'key "colour" is unknown', "channels, mute_times, inhibit, route"],
    ["route: {channels: [nobody]}", "1:20 route.channels[0]", 'no channel "nobody"', "console, webhook"],
    ["route: {channels: console}", "1:19 route.channels", "not what belongs there", "a list"],
    ["route: {channels: [console], match: 'host:a'}", "1:30 route.match", "root route takes every alert", ""],
    [
      "route: {channels: [console], routes: [{match: 'severty:low'}]}",
      "1:47 route.routes[0].match",
      "Did you mean severity?",
      "one of severity",
    ],
    [
      "route: {channels: [console], routes: [{match: 'host:a data.x:1'}]}",
      "1:47 route.routes[0].match",
      "fields of the event",
      "alert itself",
    ],
    [
      "route: {channels: [console], group_by: [hosts]}",
      "1:40 route.group_by",
      '["hosts"] is no list of fields',
      "rule, host, actor",
    ],
    [
      "route: {channels: [console], group_by: [host, '...']}",
      "1:40 route.group_by",
      "is no list of fields",
      "['...'] alone",
    ],
    [
      "route: {channels: [console], group_wait: -5m}",
      "1:42 route.group_wait",
      '"-5m" is no duration',
      "30s, 5m",
    ],
    ["route: {channels: [console], group_wait: 30}", "1:42 route.group_wait", "30 is no duration", "30s, 5m"],
    [
      "route: {channels: [console], group_interval: 0s}",
      "1:46 route.group_interval",
      "is too short",
      "1s or more",
    ],
    [
      "route: {channels: [console], repeat_interval: 10s}",
      "1:47 route.repeat_interval",
      "is too short",
      "60s or more",
    ],
    [
      "route: {channels: [console], repeat_interval: 400d}",
      "1:47 route.repeat_interval",
      "is no duration",
      "366 days",
    ],
    [
      "route: {channels: [console], mute_times: [nights]}",
      "1:43 route.mute_times[0]",
      'no entry in mute_times "nights"',
      "none is defined",
    ],
    [
      "route: {channels: [console], escalate: [{after: 1h, channels: [x]}]}",
      "1:64 route.escalate[0].channels[0]",
      'no channel "x"',
      "console",
    ],
    [
      "route: {channels: [console], escalate: [{after: 1h, channels: []}]}",
      "1:63 route.escalate[0].channels",
      "too small",
      "1 or more",
    ],
    [
      "route: {channels: [console], escalate: [{after: 1h, channels: [console]}, {after: 30m, channels: [console]}]}",
      "1:83 route.escalate[1].after",
      "comes after the one before",
      "longer",
    ],
    [
      "route: {channels: [console], escalate: [{at: 1h, channels: [console]}]}",
      "1:42 route.escalate[0].at",
      "unknown",
      "after, channels",
    ],
    ["route: {channels: [console], digest: {}}", "1:38 route.digest", "either at or every", "{every: 24h}"],
    [
      "route: {channels: [console], digest: {at: '25:00'}}",
      "1:43 route.digest.at",
      '"25:00" is no time of the day',
      "23:59",
    ],
    [
      "route: {channels: [console], digest: {every: 1d, location: UTC}}",
      "1:38 route.digest",
      "without a time",
      "with at",
    ],
    [
      "route: {channels: [console], digest: {at: '08:00', days: [someday]}}",
      "1:59 route.digest.days[0]",
      "is no weekday",
      "monday:friday",
    ],
    [`${root}mute_times: {m: {}}`, "2:17 mute_times.m", "is at all times", "weekdays, times"],
    [
      `${root}mute_times: {m: {location: Mars}}`,
      "2:28 mute_times.m.location",
      '"Mars" is no time zone',
      "Europe/Berlin",
    ],
    [
      `${root}mute_times: {m: {times: ['9-17']}}`,
      "2:26 mute_times.m.times[0]",
      "is no time of the day",
      "22:00-06:00",
    ],
    [
      `${root}mute_times: {m: {days_of_month: [32]}}`,
      "2:34 mute_times.m.days_of_month[0]",
      "32 is no day of the month",
      "-1 to -31",
    ],
    [`${root}mute_times: {m: {months: [smarch]}}`, "2:27 mute_times.m.months[0]", "is no month", "december"],
    [`${root}inhibit: [{name: a, source: 'rule:a'}]`, "2:11 inhibit[0].target", "is missing", "a text"],
    [
      `${root}inhibit: [{name: a, source: 'rule:a', target: 'rule:b', equal: [x]}]`,
      "2:65 inhibit[0].equal[0]",
      '"x" is not possible',
      "rule, host",
    ],
    [
      `${root}inhibit: [{name: a, source: 'rule:a', target: 'rule:b'}, {name: b, source: 'rule:b', target: 'rule:a'}]`,
      "2:58 inhibit[1]",
      "neither would be heard of",
      "",
    ],
    [
      `${root}inhibit: [{name: a, source: 'rule:a', target: 'rule:b'}, {name: a, source: 'rule:c', target: 'rule:d'}]`,
      "2:65 inhibit[1].name",
      '"a" already',
      "",
    ],
    [`${root}channels: {c: {type: telepathy}}`, "2:22 channels.c.type", '"telepathy"', "slack"],
    [`${root}channels: {c d: {type: console}}`, "2:12 channels.c d", '"c d" is no name', "letters"],
    [
      `${root}channels: {c: {type: slack, settings: {url: 'https://hooks.slack.com/services/T/B/geheim'}}}`,
      "2:45 channels.c.settings.url",
      "must be a reference",
      "",
    ],
    [
      "route: {channels: [console], routes: [{match: ''}, {match: 'rule:a'}]}",
      "1:52 route.routes[1]",
      "No alert reaches this route",
      "another order",
    ],
    [
      "route: {channels: [console], routes: [{match: 'rule:a'}, {match: 'rule:a'}]}",
      "1:58 route.routes[1]",
      "No alert reaches this route",
      "continue",
    ],
    [
      "route: {channels: [console], routes: [{name: a, match: 'rule:a'}, {name: a, match: 'rule:b'}]}",
      "1:74 route.routes[1].name",
      '"a" already',
      "own",
    ],
    ["route: {channels: [console], channels: [console]}", "1:30 ", "Map keys must be unique", ""],
  ])("%s", (...[text, place, message, allowed]) => {
    const { routes, problems } = load(text);
    expect(routes).toBeUndefined();
    const found = told(text).filter(([at]) => at === place);
    expect(found.map(([, what]) => what).join()).toContain(message);
    expect(found.map(([, , possible]) => possible).join()).toContain(allowed);
    expect(JSON.stringify(problems)).not.toContain("geheim");
  });
});
