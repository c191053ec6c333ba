// Brings what members say to the companion, and checks what comes from the bridge.
import createClient from "openapi-fetch";
import { Webhook } from "standardwebhooks";
import type { components, paths } from "./openapi.js";

export type Answer = components["schemas"]["Answer"];

/** What a member says: in words, or with a button by its value as it came. */
export type Said = { said: string } | { pressed: string };

/** What the bridge asks to be told a member, privately (schemas/messages). */
export interface Telling {
  type: string;
  timestamp: string;
  data: { handle: string; language: "en" | "ru"; subject: string; text: string; url: string };
}

export class Mostik {
  readonly #api;

  constructor(url: string, key: string) {
    this.#api = createClient<paths>({ baseUrl: url, headers: { Authorization: `Bearer ${key}` } });
  }

  /**
   * Says something for a member. `id` is your own id of the message: with the same id it is done once, so it is sent again
   * until an answer comes.
   */
  async say(id: string, handle: string, said: Said, language?: "en" | "ru"): Promise<Answer> {
    const body = { id, handle, ...said, ...(language && { language }) };
    for (let tries = 1; ; tries += 1) {
      const { data, error, response } = await this.#api.POST("/v1/talk", { body }).catch(unanswered);
      if (data) return data;
      if (response && response.status < 500 && response.status !== 429) throw new Error(error?.detail ?? error?.title);
      if (tries === 5) throw new Error("the bridge does not answer");
      const seconds = Number(response?.headers.get("Retry-After") ?? 2 ** tries);
      await new Promise((again) => setTimeout(again, seconds * 1000));
    }
  }
}

/** Checks the signature of a request from the bridge over its raw body, and reads it. Throws if it is not signed as agreed. */
export function read(secret: string, headers: Record<string, string>, body: string): Telling {
  return new Webhook(secret).verify(body, headers) as Telling;
}

function unanswered() {
  return { data: undefined, error: undefined, response: undefined };
}
