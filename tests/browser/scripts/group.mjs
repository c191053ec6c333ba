// A clinic's staff plan a group session that is open to everybody, a member takes a place in it and gives it back, and the staff call
// it off.

import assert from "node:assert/strict";
import { control, enter, press, story } from "./stage.mjs";

await story(async ({ page, context, look }, other) => {
  const { clinic, handle } = await control("/member");
  await context.addCookies([{ name: "patient", value: "nurse-of-telemedicine", url: clinic }]);
  await page.goto("/clinic");
  await press(page, "main form button");
  await press(page, "main a.button");
  await page.goto("/clinic/groups");
  await look("clinic-groups-none");
  const { day, time } = await control("/soon");
  await page.fill("[name=day]", day);
  await page.fill("[name=time]", time);
  await press(page, "#plan button");
  await look("clinic-group");
  const session = new URL(page.url()).pathname;

  const member = await other({ colorScheme: "light" });
  await member.page.goto("/announcements");
  await member.look("announcements");
  assert.equal(await member.page.locator("#announced li").count(), 1);
  await enter(member.page, handle);
  await member.page.goto("/visits");
  await member.look("visits-groups");
  await press(member.page, "#groups form button");
  await member.look("visit-place");
  const place = new URL(member.page.url()).pathname;
  assert.equal(await member.page.locator("#enter").count(), 1, "it begins in ten minutes");
  await control("/deliver");

  await page.goto(session);
  await look("clinic-group-taken");
  assert.equal(await page.locator("#people a").count(), 1);
  await page.goto("/clinic/groups");
  await look("clinic-groups");

  await press(member.page, `a[href='${place}/cancel']`);
  await member.look("visit-leave");
  await press(member.page, "main form button");
  await control("/deliver");
  await member.page.goto(place);
  await member.look("visit-left");

  await page.goto(session);
  await press(page, "#cancel button");
  await control("/deliver");
  await page.goto(session);
  await look("clinic-group-cancelled");
  assert.deepEqual(member.complaints, []);
});
