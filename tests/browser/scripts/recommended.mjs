// A clinician writes a Task into the EHR: the member finds it where the message that they got leads, accepts it, does it, and the
// EHR says so.

import assert from "node:assert/strict";
import { control, enter, press, story } from "./stage.mjs";

await story(async ({ page, look }) => {
  const { handle } = await control("/member");
  const text = "Walk half an hour, every other day.";
  await control("/clinician-writes", { text });
  await page.goto("/messages");
  await enter(page, handle, "/messages");
  await press(page, "#messages a");
  const message = page.url();
  assert.equal(await page.innerText("#said"), text);
  await press(page, "[name=answer][value=accept]");
  await look("recommended-accepted");
  assert.equal((await control("/clinic-reads")).state, "accepted", "the clinic knows");
  await page.goto(message);
  await press(page, "[name=answer][value=done]");
  const { state, output } = await control("/clinic-reads");
  assert.equal(state, "completed");
  assert.equal(output.length, 1, "and that it was done, and when");
  await page.goto("/messages");
  await look("recommended-done");
  assert.equal(await page.locator("#messages li").count(), 1);
});
