import { connect, type Socket } from "node:net";
import { z } from "zod";

import { ChannelError, type Receipt } from "./channel.ts";
import { type Guard, pinnedTo } from "./guard.ts";

/** A mail server and how to speak to it. */
export interface MailServer {
  readonly host: string;
  readonly port: number;
  /** Encrypted from the start, after STARTTLS, or not at all. */
  readonly tls: "implicit" | "starttls" | "none";
  readonly login?: { readonly user: string; readonly password: string };
}

/** A mail, its texts without any line break where a header holds one line. */
export interface Mail {
  readonly messageId: string;
  readonly date: Date;
  readonly from: string;
  readonly to: readonly string[];
  readonly cc: readonly string[];
  readonly replyTo?: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface Posting {
  readonly mail: Mail;
  readonly server: MailServer;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Hands a mail to a server; rejects with a ChannelError that says what the server answered. */
export type SendMail = (posting: Posting) => Promise<Receipt>;

/**
 * Sends mail over SMTP to where the guard lets it go. As RFC 5321 §4.2.1 has it an answer of 4xx passes
 * (greylisting, full mailboxes), one of 5xx does not; a lost connection rejects with its own error.
 */
export function createSendMail(guard: Guard): SendMail {
  return async ({ mail, server, timeoutMs, signal: given }) => {
    const signal = AbortSignal.any([given, AbortSignal.timeout(timeoutMs)]);
    signal.throwIfAborted();
    const way = await guard({ host: server.host, encrypted: server.tls !== "none" }, signal);
    // Loaded with the first mail: most never send one.
    const { createTransport } = await import("nodemailer");
    const connection = await connectTo(way.addresses, server.port, signal);
    try {
      const transport = createTransport({ ...optionsFor(server, way.host), connection });
      const { response, rejected } = await transport.sendMail({ ...mutable(mail), signal });
      return receiptOf(response, rejected.length);
    } catch (error) {
      signal.throwIfAborted();
      throw asChannelError(error);
    } finally {
      connection.destroy();
    }
  };
}

function optionsFor(server: MailServer, host: string) {
  const { port, tls, login } = server;
  return {
    host,
    port,
    secure: tls === "implicit",
    // Without it a server, or somebody in between, could talk us out of encryption.
    requireTLS: tls === "starttls",
    ignoreTLS: tls === "none",
    ...(login && { auth: { user: login.user, pass: login.password } }),
    // Neither files nor addresses named in a mail are read.
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}

function mutable(mail: Mail) {
  return {
    ...mail,
    xMailer: false as const,
    to: [...mail.to],
    cc: [...mail.cc],
    headers: { ...mail.headers },
  };
}

/** A connection to one of the addresses that were checked; the name stays for TLS. */
async function connectTo(addresses: readonly string[], port: number, signal: AbortSignal): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = connect({ host: "pinned.invalid", port, lookup: pinnedTo(addresses) });
  const onAbort = () => socket.destroy(signal.reason instanceof Error ? signal.reason : undefined);
  signal.addEventListener("abort", onAbort, { once: true });
  socket.once("connect", resolve);
  socket.once("error", reject);
  try {
    await promise;
    return socket;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

function receiptOf(response: string, refused: number): Receipt {
  const note = refused === 0 ? "" : ` (${refused} recipients refused)`;
  return { ...statusOf(response), response: `${response}${note}` };
}

/** What nodemailer says of a failure, besides its message. */
const failure = z.object({
  responseCode: z.number().optional(),
  response: z.string().optional(),
  code: z.string().optional(),
});

/** What the server refused with; an error of the connection stays as it is and so may pass. */
function asChannelError(error: unknown): unknown {
  const { data } = failure.safeParse(error);
  if (!(error instanceof Error) || data === undefined) return error;
  const { responseCode: status, response, code } = data;
  if (status !== undefined) {
    const answer = { status, ...(response !== undefined && { response }) };
    return new ChannelError(`The mail server answered ${status}.`, status < 500, answer);
  }
  // An address or a header that cannot be sent never becomes one that can.
  if (code === "EENVELOPE" || code === "EMESSAGE") return new ChannelError(error.message, false);
  return error;
}

function statusOf(response: string): { readonly status?: number } {
  const status = /^\d{3}/.exec(response)?.[0];
  return status === undefined ? {} : { status: Number(status) };
}
