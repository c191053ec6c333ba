// A clinic writes to a member: they see that there is something, read it, ask about it, want to do it and have done it; and they
// say how they are told of such things.

import assert from "node:assert/strict";
import { control, enter, language, portal, press, story, task } from "./stage.mjs";

const scripts = process.env.MOSTIK_SCRIPTS === "on";

await story(async ({ page, look }) => {
  const { handle, patient } = await control("/member");
  await enter(page, handle);
  await page.goto("/messages");
  await look("messages-none");

  const { id } = await control("/clinic-writes", task(patient, "Walk half an hour, every other day.\nSlowly is fine."));
  await page.goto("/sharing");
  assert.match(await page.textContent("nav a[href='/messages']"), /1/, "that there is something new");
  await press(page, "nav a[href='/messages']");
  await look("messages");
  await press(page, "#messages a");
  await look("message");
  assert.match(await page.innerText("#said"), /every other day\.\nSlowly/);
  for (const summary of await page.locator("main summary").all()) await summary.click();
  await look("message-open");
  await page.fill("[name=question]", "Is rain an excuse?");
  await press(page, "[name=answer][value=question]");
  await look("message-asked");
  await press(page, "[name=answer][value=accept]");
  await look("message-accepted");
  assert.equal(await page.locator("[name=answer][value=accept]").count(), 0);
  await press(page, "[name=answer][value=done]");
  await look("message-done");
  assert.equal((await control("/clinic-reads", { path: `Task/${id}` })).status, "completed", "and the clinic knows");

  const wrong = await control("/clinic-writes", task(patient, "Two tablets at night"));
  await page.goto("/sharing"); // or they are signed out by now
  await control("/clinic-writes", { ...wrong, status: "cancelled" });
  await page.goto("/messages");
  await press(page, "#messages li:first-child a");
  await look("message-taken-back");
  assert.equal((await page.content()).includes("Two tablets"), false);

  await page.goto("/settings");
  await press(page, "main a[href='/settings/messages']");
  await look("told");
  await page.check("[name=grade][value=summary]");
  await page.check("[name=when][value=daily]");
  await page.fill("[name=quiet-from]", "21:00");
  await press(page, "main form .actions button");
  await look("told-saved");
  assert.equal(await page.inputValue("[name=quiet-from]"), "21:00");
  await press(page, "main a[href='/settings/push']");
  await look("push");
  assert.equal(await page.locator("#push-needs").isVisible(), !scripts);
  assert.equal(await page.locator("#push-on button").isVisible(), scripts, "only where it can do something");
  if (scripts) {
    // No push service is to be had here; that the browser says no is said to the member.
    await page.click("#push-on button");
    await page.waitForSelector("#push-denied:visible, #push-failed:visible");
    await look("push-no");
  }
  assert.equal(new URL(page.url()).origin, portal);
  assert.equal(await page.locator("html").getAttribute("lang"), language);
});
