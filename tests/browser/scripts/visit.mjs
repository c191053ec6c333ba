// A member asks for a visit, waits for a time, chooses one, confirms it while it is kept for them, changes it and cancels it.

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
});
