import { z } from "zod";

import { ChannelError, defineChannel, type Outgoing } from "./channel.ts";
import type { Mail, MailServer } from "./mail.ts";
import { render, type Rendering, severityColours } from "./render.ts";
import { secretReference } from "./secret.ts";
import { timeoutSetting } from "./settings.ts";
import { type TemplateSetting, templateSetting } from "./template.ts";
import { escapeHtml, fit } from "./text.ts";

/** `soc@example.org`, or with a name: `Security <soc@example.org>`. A line break would begin a header. */
const address = z
  .string()
  .max(320)
  .regex(
    /^(?:[^<>"\r\n,;:@]{1,100} <[^\s<>@,;"]{1,64}@[^\s<>@,;"]{1,253}>|[^\s<>@,;"]{1,64}@[^\s<>@,;"]{1,253})$/,
    {
      error: "must be name@host or Somebody <name@host>",
    },
  );

const settings = z
  .strictObject({
    host: z
      .string()
      .min(1)
      .max(253)
      .meta({ description: "the mail server", examples: ["smtp.example.org"] }),
    port: z.int().min(1).max(65_535).default(587).meta({ description: "its port" }),
    tls: z
      .enum(["starttls", "implicit", "none"])
      .default("starttls")
      .meta({ description: "encryption: asked for with STARTTLS, from the start (port 465), or none" }),
    user: z.string().min(1).max(320).optional().meta({ description: "who logs in" }),
    password: secretReference.optional().meta({ description: "what the user logs in with" }),
    from: address.meta({ description: "the sender", examples: ["AuditFlow <auditflow@example.org>"] }),
    to: z
      .array(address)
      .min(1)
      .max(50)
      .meta({ description: "who gets it", examples: [["soc@example.org"]] }),
    cc: z.array(address).max(50).default([]).meta({ description: "who gets a copy" }),
    reply_to: address.optional().meta({ description: "where answers go" }),
    template: templateSetting,
    timeout_ms: timeoutSetting,
  })
  .refine(({ user, password }) => (user === undefined) === (password === undefined), {
    path: ["password"],
    error: "must be given together with user",
  })
  .refine(({ tls, user }) => tls !== "none" || user === undefined, {
    path: ["tls"],
    error: "must not be none with a user: the password would be readable on the way",
  });
type Settings = z.infer<typeof settings>;

/**
 * Mail over SMTP (RFC 5321). What the server answers decides: 2xx is success, also when it refuses some of
 * the recipients; 4xx, such as greylisting, may pass; 5xx is for good. The Message-ID is the delivery's, so
 * that mail programs show a repetition once.
 */
export const email = defineChannel<Settings>({
  type: "email",
  description: "Mail, in plain text and HTML.",
  settings,
  open(options, deps) {
    const { user, password, timeout_ms: timeoutMs } = options;
    const readPassword = password && deps.secrets.open(password);
    return async (outgoing, signal) => {
      const mail = toMail(outgoing, options);
      try {
        const posting = { mail, server: serverOf(options, user, readPassword?.()), timeoutMs, signal };
        return scrubbed(await deps.mail(posting), deps);
      } catch (error) {
        if (!(error instanceof ChannelError)) throw error;
        throw new ChannelError(error.message, error.passing, scrubbed(error, deps));
      }
    };
  },
});

function scrubbed(
  { status, response }: { readonly status?: number; readonly response?: string },
  { secrets }: { readonly secrets: { readonly scrub: (text: string) => string } },
) {
  return {
    ...(status !== undefined && { status }),
    ...(response !== undefined && { response: fit(secrets.scrub(response), 2048) }),
  };
}

function serverOf(options: Settings, user: string | undefined, password: string | undefined): MailServer {
  const { host, port, tls } = options;
  const login = user === undefined || password === undefined ? undefined : { user, password };
  return { host, port, tls, ...(login && { login }) };
}

type Addressed = Pick<Settings, "from" | "to" | "cc" | "reply_to"> & { readonly template?: TemplateSetting };

/** The mail of a message. All mails about one alert refer to one id, so that they form one conversation. */
export function toMail({ id, message }: Outgoing, settings: Addressed): Mail {
  const { from, to, cc, reply_to: replyTo, template } = settings;
  const rendering = render(message, template);
  const domain = /@([^\s<>@]+)>?$/.exec(from)?.[1] ?? "auditflow.invalid";
  return {
    messageId: `<${id}@${domain}>`,
    date: new Date(message.timestamp),
    from,
    to,
    cc,
    ...(replyTo !== undefined && { replyTo }),
    subject: fit(rendering.title, 200) || "(no title)",
    text: toText(rendering),
    html: toHtml(rendering),
    headers: {
      // Nobody's holiday notice shall answer.
      "auto-submitted": "auto-generated",
      references: `<alert-${message.data.alert_id.replaceAll(/[^\w.-]/g, "")}@${domain}>`,
    },
  };
}

function toText({ title, text, facts, items, omitted, link }: Rendering): string {
  const width = Math.max(0, ...facts.map(({ label }) => label.length)) + 2;
  const parts = [
    title,
    text,
    facts.map(({ label, value }) => `${`${label}:`.padEnd(width)}${value}`).join("\n"),
    [...items, ...more(omitted)].join("\n"),
    link ?? "",
  ];
  return `${parts.filter((part) => part !== "").join("\n\n")}\n`;
}

/** HTML without pictures, scripts or styles from elsewhere, which reads the same without any style. */
function toHtml({ title, severity, text, facts, items, omitted, link }: Rendering): string {
  const colour = `#${severityColours[severity].toString(16).padStart(6, "0")}`;
  const rows = facts.map(
    ({ label, value }) =>
      `<tr><th align="left" style="padding-right:1em">${escapeHtml(label)}</th><td>${escapeHtml(value)}</td></tr>`,
  );
  const list = [...items, ...more(omitted)].map((item) => `<li>${escapeHtml(item)}</li>`);
  return [
    '<!doctype html><html><head><meta charset="utf-8"></head><body style="font-family:sans-serif">',
    `<h1 style="font-size:1.2em;border-left:.4em solid ${colour};padding-left:.6em">${escapeHtml(title)}</h1>`,
    ...(text === "" ? [] : [`<p style="white-space:pre-wrap">${escapeHtml(text)}</p>`]),
    ...(rows.length === 0 ? [] : [`<table>${rows.join("")}</table>`]),
    ...(list.length === 0 ? [] : [`<ul>${list.join("")}</ul>`]),
    ...(link === undefined ? [] : [`<p><a href="${escapeHtml(link)}">Open in AuditFlow</a></p>`]),
    "</body></html>",
  ].join("\n");
}

function more(omitted: number): readonly string[] {
  return omitted > 0 ? [`… and ${omitted} more`] : [];
}
