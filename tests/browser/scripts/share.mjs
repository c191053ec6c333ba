// A member connects their clinic by signing in there, shares, sees what has arrived, and takes it back.

import assert from "node:assert/strict";
import { control, enter, noted, press, story } from "./stage.mjs";

await story(async ({ page, context, look }) => {
  const { handle, patient, clinic } = await control("/member");
  await enter(page, handle);

  await page.goto("/clinics");
  await look("clinics");
  await press(page, 'a[href="/clinics/riverside/connect"]');
  await look("connect");
  await press(page, 'button[value="sign-in"]');
  await look("leaving");
  // Whoever comes to the test's authorization server is signed in at once: as whom, a cookie says.
  await context.addCookies([{ name: "patient", value: patient, url: clinic }]);
  await press(page, "main a.button");
  assert.equal(new URL(page.url()).pathname, "/clinics", "back from the clinic");
  assert.equal(await page.locator('a[href="/clinics/riverside/unlink"]').count(), 1, "it is connected");
  await look("clinics-connected");

  await page.goto("/sharing");
  await look("sharing-nothing");
  await press(page, 'a[href="/sharing/riverside"]');
  await look("sharing-edit");
  await page.check('[name="mood"][value="every-entry"]');
  await page.check('[name="note"][value="off"]');
  await press(page, 'form[action="/sharing/riverside"] button.button');
  assert.equal(new URL(page.url()).pathname, "/sharing");
  await look("sharing");

  assert.equal((await control("/send", noted(handle, "before", 3))).status, 202);
  await page.goto("/preview/riverside");
  assert.equal(await page.locator("main details pre").count(), 1, "it is shown before it goes");
  await control("/deliver");
  const arrived = await control("/ehr");
  assert.equal(arrived.observations.length, 1, "the clinic has it, once");
  await page.goto("/shared");
  assert.equal(await page.locator("main section").count() >= 1, true, "what has arrived stands there");
  await look("shared");

  await page.goto("/sharing");
  await press(page, 'form[action="/sharing/riverside/pause"] button');
  await look("sharing-paused");
  await press(page, 'form[action="/sharing/riverside/resume"] button');

  // Two presses.
  await press(page, 'a[href="/sharing/riverside/stop"]');
  await look("sharing-stop");
  await press(page, 'form[action="/sharing/riverside/stop"] button');
  assert.equal(new URL(page.url()).pathname, "/sharing");
  await look("sharing-stopped");
  await control("/send", noted(handle, "after", 2));
  await control("/deliver");
  assert.equal((await control("/ehr")).observations.length, 1, "nothing arrives any more");

  await page.goto("/clinics/riverside/unlink");
  await look("unlink");
  await press(page, 'form[action="/clinics/riverside/unlink"] button');
  assert.equal(await page.locator('a[href="/clinics/riverside/unlink"]').count(), 0);
});
