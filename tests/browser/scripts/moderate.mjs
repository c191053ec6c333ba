// A moderator of a community signs in with their account there, finds out who waits, has the second level told, looks after them
// and is done.

import assert from "node:assert/strict";
import { control, press, story } from "./stage.mjs";

await story(async ({ page, context, look }, other) => {
  const { clinic } = await control("/member");
  const path = () => new URL(page.url()).pathname;
  // Whoever comes to the test's authorization server is signed in at once: as whom, a cookie says.
  const account = (who, value) => who.addCookies([{ name: "patient", value, url: clinic }]);

  // Somebody of the community who looks after nobody.
  const stranger = await other({ colorScheme: "light" });
  await account(stranger.context, "somebody");
  await stranger.page.goto("/moderate/sign-in");
  await press(stranger.page, "main form button");
  await press(stranger.page, "main a.button");
  await stranger.look("moderate-not-admitted");
  await stranger.page.goto("/moderate");
  assert.equal(new URL(stranger.page.url()).pathname, "/moderate/sign-in");

  await account(context, "anna-of-moderators");
  await page.goto("/moderate");
  await look("moderate-sign-in");
  await press(page, "main form button");
  await look("moderate-leaving");
  await press(page, "main a.button");
  assert.equal(path(), "/moderate");
  await look("moderate-nobody");

  assert.equal((await control("/worry")).status, 422, "it goes to no clinic");
  await page.goto("/moderate");
  await look("moderate-queue");
  await press(page, "#waiting a");
  await look("moderate-concern");
  await press(page, "#escalate button");
  await look("moderate-escalated");
  await page.fill("[name=by]", " ");
  await press(page, "#settle button");
  await look("moderate-nameless");
  await page.fill("[name=by]", "anna");
  await press(page, "#settle button");
  await look("moderate-taken");
  await page.fill("[name=by]", "anna");
  await press(page, "#settle button");
  await page.goto("/moderate/history");
  await look("moderate-history");
  assert.equal(await page.locator("#closed li").count(), 1);
  await press(page, "form[action='/moderate/sign-out'] button");
});
