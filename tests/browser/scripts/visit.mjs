// A member asks for a visit, waits for a time, chooses one, confirms it while it is kept for them, changes it and cancels it. They
// book another one, are reminded of it, say that they are there, enter, and say afterwards how it was.

import assert from "node:assert/strict";
import { control, enter, language, press, story } from "./stage.mjs";

await story(async ({ page, look }) => {
  const { handle } = await control("/member");
  await enter(page, handle);
  await page.goto("/visits");
  await look("visits-closed");

  await control("/clinic-frees", { hours: [] });
  await page.goto("/sharing");
  await press(page, "nav a[href='/visits']");
  await look("visits-none");
  await press(page, "#offered a");
  await look("visit-ask");
  await page.fill("[name=reason]", "The nights.");
  await press(page, "main form button");
  await look("visit-nothing-free");
  await press(page, "main form [name=wait][value=yes]");
  await look("visit-waits");
  const address = new URL(page.url()).pathname;

  await control("/clinic-frees", { hours: [40, 44, 70] });
  await press(page, `form[action='${address}/look'] button`);
  await look("visit-choose");
  assert.equal(await page.locator("#times [name=place]").count(), 3);
  await press(page, "#times li:first-child button >> nth=0");
  await look("visit-asked");
  await control("/deliver");
  await page.goto(address);
  await look("visit-held");
  await press(page, `form[action='${address}/confirm'] button`);
  await control("/deliver");
  await page.goto(address);
  await look("visit-booked");
  await page.goto("/visits");
  await look("visits");
  assert.equal(await page.locator("#coming a").count(), 1);

  await page.goto(address);
  await press(page, `form[action='${address}/change'] button`);
  await look("visit-change");
  await page.goto(address);
  await press(page, `a[href='${address}/cancel']`);
  await look("visit-cancel");
  await press(page, "main form button");
  await control("/deliver");
  await page.goto(address);
  await look("visit-cancelled");
  assert.equal(await page.locator("html").getAttribute("lang"), language);

  // Another one; in 40 hours.
  await page.goto("/visits");
  await press(page, "#offered a");
  await press(page, "main form button");
  const next = new URL(page.url()).pathname;
  await press(page, "#times li:first-child button >> nth=0");
  await control("/deliver");
  await page.goto(next);
  await press(page, `form[action='${next}/confirm'] button`);
  await control("/deliver");
  await page.goto("/settings/messages");
  await look("told-reminders");
  assert.equal(await page.locator("#reminders [name=remind][value=usual]").isChecked(), true);
  await page.goto("/visits");
  await press(page, "a[href='/settings/calendar']");
  await look("calendar");
  await press(page, "form[action='/settings/calendar'] button");
  await look("calendar-made");
  const feed = await (await fetch((await page.locator("#address").textContent()).trim())).text();
  assert.match(feed, new RegExp(`UID:${next.split("/").pop()}`));
  await page.goto("/visits/camera");
  await look("camera");

  // An hour before it.
  await control("/clock", { seconds: 39 * 3600 });
  const told = await control("/told");
  assert.equal(told.count, 1);
  assert.doesNotMatch(told.last, /isit|riverside|first|talk|изит|разговор/i);
  await enter(page, handle);
  await page.goto("/messages");
  await look("messages-visit");
  await press(page, `main a[href='${next}']`);
  await look("visit-soon");
  await control("/clock", { seconds: 50 * 60 });
  await again(page, handle, next);
  await look("visit-open");
  await press(page, `form[action='${next}/here'] button`);
  await control("/deliver");
  await look("visit-here");
  assert.equal(await page.locator("#since").count(), 1);
  assert.equal(await page.locator("#phone").getAttribute("href"), "tel:+49301234567");
  await press(page, "#enter");
  assert.equal(await page.title(), "The room");

  // Afterwards.
  await control("/clock", { seconds: 61 * 60 });
  await again(page, handle, next);
  await look("visit-rate");
  await page.check("[name=rating][value='4']");
  await press(page, "#rate button");
  await look("visit-rated");
  assert.equal(await page.locator("#rate").count(), 0);
});

// To a page of a member whose session may have ended.
async function again(page, handle, path) {
  await page.goto(path);
  if (new URL(page.url()).pathname === path) return;
  await enter(page, handle, path);
}
