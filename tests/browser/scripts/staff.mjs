// Somebody of a clinic's staff signs in with their account there, gives one patient a time, says no to another request, and looks
// after today's visit.

import assert from "node:assert/strict";
import { control, press, story } from "./stage.mjs";

await story(async ({ page, context, look }, other) => {
  const { clinic } = await control("/member");
  const path = () => new URL(page.url()).pathname;
  const text = (selector) => page.locator(selector).innerText();
  // Whoever comes to the test's authorization server is signed in at once: as whom, a cookie says.
  const account = (who, value) => who.addCookies([{ name: "patient", value, url: clinic }]);

  // Somebody of the clinic who has no business here.
  const cook = await other({ colorScheme: "light" });
  await account(cook.context, "cook");
  await cook.page.goto("/clinic/sign-in");
  await press(cook.page, "main form button");
  await press(cook.page, "main a.button");
  await cook.look("clinic-not-admitted");
  await cook.page.goto("/clinic");
  assert.equal(new URL(cook.page.url()).pathname, "/clinic/sign-in");

  await account(context, "nurse-of-telemedicine");
  await page.goto("/clinic");
  await look("clinic-sign-in");
  await press(page, "main form button");
  await look("clinic-leaving");
  await press(page, "main a.button");
  assert.equal(path(), "/clinic");
  await look("clinic-requests-none");

  await control("/clinic-asked");
  await page.goto("/clinic");
  await look("clinic-requests");
  await press(page, "#requests a");
  await look("clinic-request");
  const { day, time } = await control("/soon");
  await page.fill("[name=day]", day);
  await page.fill("[name=time]", time);
  await press(page, "#give [value=give]");
  await look("clinic-request-asked");
  await control("/deliver");
  await page.goto("/clinic/today");
  await look("clinic-today");
  assert.equal(await page.locator("#visits a.button").count(), 1, "it can be entered");
  await press(page, "#visits a >> nth=0");
  await look("clinic-visit");
  const visit = path();
  await control("/clock", { seconds: 780 });
  await page.goto(visit);
  await look("clinic-visit-begun");
  await press(page, "#mark [value=fulfilled]");
  await control("/deliver");
  await page.goto(visit);
  await look("clinic-visit-over");
  assert.equal(await page.locator("#mark [value=noshow]").count(), 1, "it can be put right");

  await page.goto("/clinic/free");
  await look("clinic-free");

  await page.goto("/clinic/offered");
  await look("clinic-offered");
  await press(page, "#kinds a");
  await look("clinic-terms");
  await page.fill("[name=notice]", "48");
  await page.fill("[name=ahead]", "1");
  await press(page, "#terms button");
  await look("clinic-terms-wrong");
  assert.equal(await page.inputValue("[name=ahead]"), "1", "what was typed stays");
  await page.fill("[name=ahead]", "14");
  await press(page, "#terms button");
  await press(page, "#kinds a");
  assert.equal(await page.inputValue("[name=notice]"), "48");
  await look("clinic-terms-changed");
  await press(page, "#usual button");
  assert.equal(path(), "/clinic/offered");

  await control("/clinic-asked");
  await page.goto("/clinic");
  await press(page, "#requests a");
  await page.selectOption("[name=why]", "call");
  await press(page, "#decline button");
  await control("/deliver");
  await page.goto("/clinic");
  assert.equal(await page.locator("#requests").count(), 0);
  assert.ok((await text("#none")).length > 0);
  await press(page, "form[action='/clinic/sign-out'] button");
  assert.equal(path(), "/clinic/sign-in");
});
