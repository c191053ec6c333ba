// A member connects the account that they have at their community, signs in with it, and removes it again; then they talk with
// the companion.

import assert from "node:assert/strict";
import { control, enter, press, story } from "./stage.mjs";

await story(async ({ page, context, look }) => {
  const { handle, patient, clinic } = await control("/member");
  // Whoever comes to the test's authorization server is signed in at once: as whom, a cookie says.
  await context.addCookies([{ name: "patient", value: patient, url: clinic }]);
  const path = () => new URL(page.url()).pathname;

  await page.goto("/sign-in");
  await look("sign-in-account");
  await press(page, 'form[action="/sign-in/provider"] button');
  await press(page, "main a.button");
  assert.notEqual(path(), "/sharing", "an account that nobody has connected lets nobody in");
  await look("account-unknown");

  await enter(page, handle);
  await page.goto("/settings");
  await look("settings-account-none");
  await press(page, 'form[action="/settings/identity"] button');
  await look("account-leaving");
  await press(page, "main a.button");
  await page.goto("/settings");
  assert.equal(await page.locator('form[action="/settings/identity/remove"]').count(), 1, "it is connected");
  await look("settings-account");
  await press(page, "form[action='/sign-out'] button");

  await page.goto("/sign-in");
  await press(page, 'form[action="/sign-in/provider"] button');
  await press(page, "main a.button");
  assert.equal(path(), "/sharing", "the account lets them in");
  await page.goto("/settings");
  await press(page, 'form[action="/settings/identity/remove"] button');
  await page.goto("/settings");
  assert.equal(await page.locator('form[action="/settings/identity"]').count(), 1, "and no longer");

  await page.goto("/talk");
  await look("talk");
  await press(page, "[name=press][value=check-in]");
  await look("talk-mood");
  await page.fill("[name=say]", "4");
  await press(page, "main form.sheet button");
  await look("talk-nobody");
  await page.fill("[name=say]", "abracadabra");
  await press(page, "main form.sheet button");
  await look("talk-lost");
  await page.fill("[name=say]", "phq9");
  await press(page, "main form.sheet button");
  await look("talk-question");
  await page.fill("[name=say]", "sos");
  await press(page, "main form.sheet button");
  await look("talk-help");

  await page.goto("/rules/forum");
  await look("rules");
  await press(page, "#agree button");
  await page.goto("/communities");
  await look("communities");
  await press(page, "#make button");
  assert.match(await page.locator("#code").innerText(), /^[0-9A-Z-]{16,}$/, "a code for another community");
  await look("communities-code");
  await page.goto("/materials");
  await look("materials");
  await page.goto("/connect");
  await look("connect-app");
});
