// A member keeps a diary here: notes down a mood, brings the file of their app, looks at what would go to the clinic.

import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { control, enter, press, story } from "./stage.mjs";

const fixtures = fileURLToPath(new URL("../../fixtures/daylio", import.meta.url));

await story(async ({ page, look }) => {
  const { handle } = await control("/member");
  await enter(page, handle);

  await page.goto("/data");
  await look("data-nothing");
  await press(page, 'a[href="/data/keep"]');
  await look("data-keep");
  await press(page, 'button[value="everything"]');

  await page.goto("/data/note");
  await look("data-note");
  await page.check('[name="level"] >> nth=1');
  await page.fill("[name=note]", "<script>alert(1)</script>");
  await page.fill("[name=tags]", "walk, tea");
  await press(page, 'form[action="/data/note"] button');
  await look("data-noted");

  await page.goto("/data/import");
  await look("data-import");
  await page.setInputFiles("[name=file]", join(fixtures, "daylio_2021_8col.csv"));
  await press(page, 'button[value="look"]');
  await look("data-import-told");

  await page.goto("/data");
  assert.equal(await page.locator("main script").count(), 0, "a note is words, whatever it says");
  assert.ok((await page.locator("main svg[role=img]").count()) >= 1, "there is a chart");
  await look("data");

  await page.goto("/preview/riverside");
  await look("preview-nothing");
  await page.goto("/sharing/riverside");
  await page.check('[name="mood"][value="every-entry"]');
  await press(page, 'form[action="/sharing/riverside"] button.button');
  await page.goto("/preview/riverside");
  assert.ok((await page.locator("main details pre").count()) >= 1, "it is shown as it would go");
  await page.locator("main summary").first().click();
  await look("preview");
});
