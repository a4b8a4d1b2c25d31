import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { forbiddenKind } from "./address.ts";
import { ChannelError } from "./channel.ts";
import { lookupOf, names, openPost, publicAddress } from "./guard.testing.ts";
import { openReceiver } from "./receiver.testing.ts";

describe("where requests must not go", () => {
  test.for([
    "http://127.0.0.1:PORT/",
    "https://127.0.0.1:PORT/",
    "http://127.1:PORT/",
    "http://127.0.1:PORT/",
    "http://0x7f000001:PORT/",
    "http://0x7f.1:PORT/",
    "http://2130706433:PORT/",
    "http://017700000001:PORT/",
    "http://0177.0.0.1:PORT/",
    "http://127.0.0.1.:PORT/",
    "http://127.255.255.254:PORT/",
    "http://①②⑦.0.0.1:PORT/",
    "http://127。0。0。1:PORT/",
    "http://localhost:PORT/",
    "https://localhost:PORT/",
    "http://LOCALHOST:PORT/",
    "http://localhost.:PORT/",
    "https://localhost.:PORT/",
    "https://evil.localhost:PORT/",
    "http://ｌｏｃａｌｈｏｓｔ:PORT/",
    "http://0:PORT/",
    "http://0.0.0.0:PORT/",
    "http://[::]:PORT/",
    "http://[::1]:PORT/",
    "http://[0:0:0:0:0:0:0:1]:PORT/",
    "http://[::ffff:127.0.0.1]:PORT/",
    "http://[::ffff:7f00:1]:PORT/",
    "http://[0:0:0:0:0:ffff:127.0.0.1]:PORT/",
    "http://[::127.0.0.1]:PORT/",
    "http://[64:ff9b::127.0.0.1]:PORT/",
    "http://[64:ff9b:1::7f00:1]:PORT/",
    "http://[2002:7f00:1::]:PORT/",
    "https://[2002:a9fe:a9fe::1]/",
    "https://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/",
    "https://[::ffff:169.254.169.254]/latest/meta-data/",
    "https://[::ffff:a9fe:a9fe]/",
    "https://169.254.169.254/latest/meta-data/",
    "https://2852039166/",
    "https://0xA9FEA9FE/",
    "https://0251.0376.0251.0376/",
    "https://168.63.129.16/",
    "https://100.100.100.200/",
    "https://192.0.0.192/",
    "https://10.0.0.1/",
    "https://172.16.0.1/",
    "https://172.31.255.255/",
    "https://192.168.1.1/",
    "https://100.64.0.1/",
    "https://198.18.0.1/",
    "https://224.0.0.1/",
    "https://255.255.255.255/",
    "https://[fc00::1]/",
    "https://[fd00:ec2::254]/",
    "https://[fe80::1]/",
    "https://[fec0::1]/",
    "https://[::ffff:0:127.0.0.1]/",
    "https://[4000::1]/",
    "https://[ff02::1]/",
    "https://api.default.svc/",
    "https://api.default.svc.cluster.local/",
    "https://api.default.svc.cluster.local./",
    "https://metadata.google.internal/",
    "https://METADATA.google.internal./",
    "https://printer.local/",
    ...Object.keys(names).map((name) => `https://${name}:PORT/`),
    // Unencrypted to a public address.
    "http://hooks.example:PORT/",
    // No requests at all.
    "ftp://hooks.example/",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "https://user:password@hooks.example/",
    "https://token@hooks.example/",
    "https://",
    "not a url",
    "",
  ])("%s", async (template) => {
    await using listener = await openReceiver();
    await using listener6 = await openReceiver(undefined, "::1");
    for (const { port } of [listener, listener6]) {
      const post = openPost([], lookupOf(names));
      const error = await post(template.replace("PORT", String(port))).catch((error: unknown) => error);
      expect(error).toBeInstanceOf(ChannelError);
      expect(error).toMatchObject({ passing: false });
    }
    expect([listener.connections(), listener6.connections()]).toEqual([0, 0]);
  });

  test("a refusal names host and setting, and not the path, which may be the secret", async () => {
    const error = await openPost()("https://10.0.0.1/services/T000/B000/secretsecret?token=alsosecret").catch(
      String,
    );
    expect(error).toContain("10.0.0.1 leads to the private address 10.0.0.1");
    expect(error).toContain("AUDITFLOW_CHANNEL_ALLOW");
    expect(error).not.toContain("secret");
    const credentials = await openPost()("https://user:hunter22@hooks.example/x").catch(String);
    expect(credentials).not.toContain("hunter22");
  });

  test("a name that resolves to something else the second time is connected to where it was checked", async () => {
    await using forbidden = await openReceiver();
    const answers = [publicAddress, "127.0.0.1", "127.0.0.1"];
    const asked: string[] = [];
    const post = openPost([], async (host) => {
      asked.push(host);
      return [{ address: answers[asked.length - 1] ?? "127.0.0.1" }];
    });
    // Nobody is at the public address, which is one of documentation.
    await expect(post(`https://rebind.example:${forbidden.port}/`, 300)).rejects.toBeInstanceOf(Error);
    expect(asked).toEqual(["rebind.example"]);
    expect(forbidden.connections()).toBe(0);
  });

  test("the connection goes to the address the resolver gave, and the Host header is the name's", async () => {
    await using receiver = await openReceiver();
    const asked: string[] = [];
    const post = openPost(["hooks.example"], async (host) => {
      asked.push(host);
      return [{ address: asked.length === 1 ? "127.0.0.1" : "127.0.0.2" }];
    });
    await expect(post(`http://hooks.example:${receiver.port}/x`)).resolves.toMatchObject({ status: 200 });
    expect(asked).toHaveLength(1);
    expect(receiver.requests[0]?.headers.host).toBe(`hooks.example:${receiver.port}`);
  });

  test("a redirect to a metadata service is an answer like any other", async () => {
    await using forbidden = await openReceiver(undefined, "127.0.0.2");
    await using receiver = await openReceiver(() => ({
      status: 307,
      headers: { location: `${forbidden.url}/latest/meta-data/` },
    }));
    await expect(openPost(["127.0.0.1/32"])(receiver.url)).resolves.toMatchObject({ status: 307 });
    expect(forbidden.connections()).toBe(0);
    expect(receiver.requests).toHaveLength(1);
  });

  test("an IPv4 address is judged alike however IPv6 embeds it", () => {
    fc.assert(
      fc.property(fc.ipV4(), (ipv4) => {
        const [a = 0, b = 0, c = 0, d = 0] = ipv4.split(".").map(Number);
        const groups = [a * 256 + b, c * 256 + d].map((group) => group.toString(16)).join(":");
        const kinds = [
          ipv4,
          `::ffff:${ipv4}`,
          `::ffff:${groups}`,
          `64:ff9b::${ipv4}`,
          `2002:${groups}::1`,
        ].map(forbiddenKind);
        expect(new Set(kinds).size).toBe(1);
      }),
    );
  });

  test.for([
    "1.1.1.1",
    "93.184.216.34",
    "2606:4700:4700::1111",
    "64:ff9b::1.1.1.1",
    "172.32.0.1",
    "100.128.0.1",
  ])("%s is a public address", (address) => expect(forbiddenKind(address)).toBeUndefined());
});
