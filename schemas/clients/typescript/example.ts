// A conversation in the terminal: what is typed is said by one member. With MOSTIK_SECRET, what they are to be told is shown, too.
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { Mostik, read } from "./client.js";

const { MOSTIK_URL = "http://127.0.0.1:8080", MOSTIK_KEY = "", MOSTIK_SECRET, HANDLE = "sparrow", PORT = "8090" } = process.env;

if (MOSTIK_SECRET) {
  createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    try {
      const { data } = read(MOSTIK_SECRET, headers, Buffer.concat(parts).toString());
      // The same `webhook-id` may come again: show it once. Answer 410 if this member is gone.
      console.log(`to ${data.handle}: ${data.text}`);
      response.writeHead(204).end();
    } catch {
      response.writeHead(401).end();
    }
  }).listen(Number(PORT), "127.0.0.1");
}

const mostik = new Mostik(MOSTIK_URL, MOSTIK_KEY);
for await (const line of createInterface({ input: process.stdin })) {
  const { text, buttons, page, help } = await mostik.say(randomUUID(), HANDLE, { said: line });
  console.log(text);
  for (const { name, call } of help?.lines ?? []) console.log(`  ${name}: ${call?.join(", ")}`);
  if (page) console.log(page);
  console.log(buttons.map(({ words }) => `[${words}]`).join(" "));
}
