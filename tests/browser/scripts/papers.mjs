// A member reads and keeps the receipt of a decision, takes a copy of everything along, and thinks twice about erasing it.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { control, enter, press, story } from "./stage.mjs";

await story(async ({ page, look }) => {
  const { handle } = await control("/member");
  await enter(page, handle);

  await page.goto("/receipts");
  await look("receipts-none");
  await page.goto("/sharing/riverside");
  await page.check('[name="mood"][value="weekly-summary"]');
  await press(page, 'form[action="/sharing/riverside"] button.button');
  await page.goto("/receipts");
  await look("receipts");
  await press(page, "#receipts a");
  assert.equal(await page.locator("#genuine").count(), 1, "the page says that its signature holds");
  await look("receipt");
  await page.emulateMedia({ media: "print" });
  assert.equal(await page.locator("#receipt").isVisible(), true, "on paper there is the receipt");
  assert.equal(await page.locator("main .button").first().isVisible(), false, "and nothing to press");
  await page.emulateMedia({ media: "screen" });

  await page.goto("/export");
  await look("export");
  const [archive] = await Promise.all([page.waitForEvent("download"), page.click("#take")]);
  assert.deepEqual([...readFileSync(await archive.path()).subarray(0, 2)], [0x50, 0x4b], "a ZIP");

  await page.goto("/erase");
  await look("erase");
  await press(page, "#erase");
  await page.goto("/erase");
  await look("erase-waits");
  await press(page, 'a[href="/erase/now"]');
  await look("erase-now");
  await page.fill("#word", "not the word");
  await press(page, "#erase-now");
  assert.equal(await page.locator("#wrong").count(), 1, "nothing is erased by accident");
  await look("erase-now-wrong");
  await page.goto("/erase");
  await press(page, "#keep");
  await page.goto("/sharing");
  assert.equal(await page.locator("h1").count(), 1, "everything is still there");

  await page.goto("/erase");
  await press(page, "#erase");
  await page.goto("/erase/now");
  const word = await page.locator("label[for=word] em").textContent();
  await page.fill("#word", word);
  await press(page, "#erase-now");
  await look("erased");
  await press(page, 'form[action="/erase/certificate"] button');
  await look("certificate");
  await page.goto("/sharing");
  assert.equal(new URL(page.url()).pathname, "/sign-in", "whoever is erased is out");
  await page.goto("/erase/certificate");
  await look("certificate-ask");
});
