import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { SMTPServer, type SMTPServerOptions } from "smtp-server";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { createCertificate } from "./certificate.testing.ts";
import { email, toMail } from "./email.ts";
import {
  alert,
  deliveryId,
  groupOf,
  hostileAlert,
  hostileTexts,
  message,
  sendThrough,
} from "./receiver.testing.ts";

const { key, cert } = createCertificate();
const usual = getCACertificates("default");
beforeAll(() => setDefaultCACertificates([...usual, cert]));
afterAll(() => setDefaultCACertificates(usual));

interface Received {
  readonly from: string;
  readonly to: readonly string[];
  readonly user: string | undefined;
  readonly secure: boolean;
  readonly text: string;
}

/** A real mail server on loopback. */
async function openMailServer(options: SMTPServerOptions = {}) {
  const mails: Received[] = [];
  const server = new SMTPServer({
    key,
    cert,
    authOptional: true,
    disableReverseLookup: true,
    onAuth: ({ username, password }, _session, done) =>
      password === "right" ? done(null, { user: username }) : done(new Error("no")),
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        const { mailFrom, rcptTo } = session.envelope;
        mails.push({
          from: mailFrom ? mailFrom.address : "",
          to: rcptTo.map(({ address }) => address),
          user: session.user ? String(session.user) : undefined,
          secure: session.secure,
          text: Buffer.concat(chunks).toString(),
        });
        done();
      });
    },
    ...options,
  });
  server.on("error", () => {});
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    mails,
    settings: { host: "localhost", port, from: "AuditFlow <auditflow@example.org>", to: ["soc@example.org"] },
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}

const withCode = (text: string, responseCode: number) => Object.assign(new Error(text), { responseCode });

describe("mail", () => {
  test("goes encrypted to everyone it is meant for, as text and HTML", async () => {
    await using server = await openMailServer();
    const receipt = await sendThrough("email", {
      ...server.settings,
      to: ["soc@example.org", "On call <on-call@example.org>"],
      cc: ["boss@example.org"],
      reply_to: "tickets@example.org",
    });
    expect(receipt).toMatchObject({ status: 250 });
    const [mail] = server.mails;
    expect(mail).toMatchObject({
      from: "auditflow@example.org",
      to: ["soc@example.org", "on-call@example.org", "boss@example.org"],
      secure: true,
      user: undefined,
    });
    const [head = "", ...bodies] = (mail?.text ?? "").split("\r\n\r\n");
    expect(head).toContain(`Message-ID: <${deliveryId}@example.org>`);
    expect(head).toContain(`References: <alert-${alert.alert_id}@example.org>`);
    expect(head).toContain("Auto-Submitted: auto-generated");
    expect(head).toContain("Reply-To: tickets@example.org");
    expect(head).toContain("Cc: boss@example.org");
    expect(head).toContain("multipart/alternative");
    const body = bodies.join("\r\n\r\n");
    expect(body).toContain("text/plain");
    expect(body).toContain("text/html");
    expect(body).toContain("Ten failed logins");
  });

  test("is encrypted from the start where that is asked for, and the password logs in", async () => {
    await using server = await openMailServer({ secure: true });
    const settings = {
      ...server.settings,
      tls: "implicit",
      user: "auditflow",
      password: { env: "SMTP_PASSWORD" },
    };
    await sendThrough("email", settings, { env: { SMTP_PASSWORD: "right" } });
    expect(server.mails).toMatchObject([{ user: "auditflow", secure: true }]);
  });

  test("is not sent without the encryption that is asked for", async () => {
    await using server = await openMailServer({ disabledCommands: ["STARTTLS"] });
    await expect(sendThrough("email", server.settings)).rejects.toMatchObject({
      status: 500,
      passing: false,
    });
    expect(server.mails).toHaveLength(0);
  });

  test("is not sent to a server whose certificate is for another name", async () => {
    await using server = await openMailServer();
    await expect(sendThrough("email", { ...server.settings, host: "127.0.0.1" })).rejects.toThrow(
      /altnames|IP/,
    );
    expect(server.mails).toHaveLength(0);
  });

  test("goes unencrypted only where that is said", async () => {
    await using server = await openMailServer({ disabledCommands: ["STARTTLS"] });
    await sendThrough("email", { ...server.settings, tls: "none" });
    expect(server.mails).toMatchObject([{ secure: false }]);
  });

  test("a wrong password is for good, and is not in the error", async () => {
    await using server = await openMailServer();
    const settings = { ...server.settings, user: "auditflow", password: { env: "SMTP_PASSWORD" } };
    const sending = sendThrough("email", settings, { env: { SMTP_PASSWORD: "wrong-password" } });
    const error = await sending.catch((error: unknown) => error);
    expect(error).toMatchObject({ name: "ChannelError", passing: false, status: 535 });
    expect(JSON.stringify(error) + String(error)).not.toContain("wrong-password");
  });

  test.for([
    ["greylisting at RCPT", "onRcptTo", 451, true],
    ["no such mailbox", "onRcptTo", 550, false],
    ["a sender that is refused", "onMailFrom", 553, false],
    ["a server that is busy", "onMailFrom", 421, true],
  ] as const)("%s (%s, %i): may pass is %s", async ([, hook, code, passing]) => {
    await using server = await openMailServer({
      [hook]: (_address: unknown, _session: unknown, done: (error: Error) => void) =>
        done(withCode("no", code)),
    });
    await expect(sendThrough("email", server.settings)).rejects.toMatchObject({
      name: "ChannelError",
      status: code,
      passing,
    });
  });

  test.for([
    [452, true],
    [554, false],
  ] as const)("a mail refused with %i after its data: may pass is %s", async ([code, passing]) => {
    await using server = await openMailServer({
      onData: (stream, _session, done) => stream.resume().on("end", () => done(withCode("no", code))),
    });
    await expect(sendThrough("email", server.settings)).rejects.toMatchObject({ status: code, passing });
  });

  test("one recipient of two is success, because the other must not get it twice", async () => {
    await using server = await openMailServer({
      onRcptTo: ({ address }, _session, done) =>
        done(address.startsWith("gone") ? withCode("no such user", 550) : null),
    });
    const receipt = await sendThrough("email", {
      ...server.settings,
      to: ["gone@example.org", "soc@example.org"],
    });
    expect(receipt.response).toContain("1 recipients refused");
    expect(server.mails).toMatchObject([{ to: ["soc@example.org"] }]);
  });

  test("a server that never speaks ends in a TimeoutError", async () => {
    await using server = await openMailServer({ onConnect: () => {} });
    await expect(sendThrough("email", { ...server.settings, timeout_ms: 200 })).rejects.toMatchObject({
      name: "TimeoutError",
    });
  });

  test.for(["10.0.0.1", "169.254.169.254", "0xa9fea9fe"])(
    "%s is no mail server that may be asked",
    async (host) => {
      const settings = { host, from: "a@example.org", to: ["b@example.org"] };
      await expect(sendThrough("email", settings)).rejects.toMatchObject({
        name: "ChannelError",
        passing: false,
      });
    },
  );

  test.for(hostileTexts.map((text) => [text.slice(0, 40), text] as const))(
    "hostile text adds no header, recipient or markup: %j",
    async ([, text]) => {
      await using server = await openMailServer();
      const sent = { ...message, data: hostileAlert(text) };
      await sendThrough("email", server.settings, { sent });
      expect(server.mails).toMatchObject([{ to: ["soc@example.org"] }]);
      const [head = ""] = (server.mails[0]?.text ?? "").split("\r\n\r\n");
      const names = head.split(/\r\n(?![ \t])/).map((line) => line.split(":")[0]);
      expect(names).not.toContain("Bcc");
      expect(names.filter((name) => name === "Subject")).toHaveLength(1);
      const { html, subject } = toMail({ id: deliveryId, message: sent }, { ...server.settings, cc: [] });
      expect(subject).not.toMatch(/[\r\n]/);
      // Nothing but our own few elements.
      expect(
        html.replaceAll(
          /<\/?(?:!doctype html|html|head|meta charset="utf-8"|body|h1|p|table|tr|th|td|ul|li|a)(?: (?:style|align|href)="[^"<>]*")*>/g,
          "",
        ),
      ).not.toMatch(/[<>]/);
    },
  );

  test("a group lists its alerts, and says how many it leaves out", () => {
    const mail = toMail(
      { id: deliveryId, message: groupOf(120, 100) },
      { from: "a@b.example", to: [], cc: [] },
    );
    expect(mail.subject).toBe("▲ CRITICAL: 120 alerts, the gravest: Alert number 0");
    expect(mail.text).toContain("… and 100 more");
    expect(mail.html).toContain("<li>… and 100 more</li>");
  });

  test.for([
    [{ from: "a@example.org\r\nBcc: x@example.org" }, "from"],
    [{ to: ["a@example.org, b@example.org"] }, "to"],
    [{ to: ["a, b <a@example.org>"] }, "to"],
    [{ to: [] }, "to"],
    [{ cc: ["Name\n <a@example.org>"] }, "cc"],
    [{ reply_to: "nobody" }, "reply_to"],
    [{ user: "u" }, "password"],
    [{ password: "hunter22" }, "password"],
    [{ user: "u", password: { env: "P" }, tls: "none" }, "tls"],
    [{ bcc: ["x@example.org"] }, "bcc"],
  ] as const)("%j is refused", ([wrong, place]) => {
    const settings = { host: "smtp.example.org", from: "a@example.org", to: ["b@example.org"], ...wrong };
    const { error } = email.settings.safeParse(settings);
    expect(JSON.stringify(error?.issues)).toContain(place);
    expect(JSON.stringify(error?.issues)).not.toContain("hunter22");
  });
});
