// A member notes how they are, brings in a file of their app, looks at it all, and at what would go to their clinic.

import assert from "node:assert/strict";
import { control, language, story } from "./stage.mjs";

const file = (lines) => ({
  name: "daylio_export.csv",
  mimeType: "text/html", // as phones share it
  buffer: Buffer.from(["full_date,date,weekday,time,mood,activities,note_title,note", ...lines, ""].join("\n")),
});

await story(async ({ page, look }) => {
  const { handle } = await control("/member");
  await page.goto("/");
  await page.fill("[name=handle]", handle);
  await page.click("main button");
  const { link } = await control("/link");
  await page.goto(link);
  await page.click("main form button");

  await page.goto("/preview/riverside");
  await look("preview-nothing");
  await page.goto("/data");
  await look("data-empty");

  await page.click("main a[href='/data/note']");
  await look("note");
  await page.check("[name=level][value='2']");
  await page.fill("[name=note]", "A long night.\nTea helped.");
  await page.fill("[name=tags]", "slept badly, tea");
  await page.click("main form button");
  await look("note-not-kept");
  assert.equal(await page.inputValue("[name=note]"), "A long night.\nTea helped.", "what was written is still there");
  await page.check("[name=keep]");
  await page.click("main form button");
  await look("noted");

  await page.goto("/data/import");
  await look("import");
  const days = Array.from({ length: 18 }, (_, day) => day + 1).filter((day) => day % 6 !== 0);
  const moods = ["bad", "meh", "good", "good", "rad", "meh", "awful"];
  const lines = days.map((day) => `2026-11-${String(day).padStart(2, "0")},x,x,20:30,${moods[day % 7]},walk | tea,,"Day ${day}"`);
  await page.setInputFiles("[name=file]", file([...lines, "2026-11-19,x,x,21:00,grey,,,", "2026-11-31,x,x,21:00,good,,,"]));
  await page.click("[name=do][value=look]");
  await look("import-looked");
  await page.selectOption("[name=level-0]", "2");
  await page.setInputFiles("[name=file]", file([...lines, "2026-11-19,x,x,21:00,grey,,,"]));
  await page.click("[name=do][value=take]");
  await look("import-taken");
  await page.setInputFiles("[name=file]", { name: "photo.png", mimeType: "image/png", buffer: Buffer.from("PNG") });
  await page.click("[name=do][value=take]");
  await look("import-refused");

  await page.goto("/data");
  await look("data");
  assert.equal(await page.locator("svg[role=img]").count(), 1);
  await page.click("main figure summary");
  await look("data-table");
  await page.goto("/data?days=365");
  await look("data-year");
  await page.goto("/data/keep");
  await look("keep");

  await page.goto("/sharing/riverside");
  await page.check("[name=mood][value=weekly-summary]");
  await page.click("[formaction='/preview/riverside']");
  await look("preview-draft");
  await page.goto("/receipts");
  assert.equal(await page.locator("#receipts").count(), 0, "to look decides nothing");

  await page.goto("/sharing/riverside");
  await page.check("[name=mood][value=every-entry]");
  await page.check("[name=tags][value=daily-summary]");
  await page.check("[name=agenda][value=every-entry]");
  await page.check("[name=from][value=everything]");
  await page.click("main form button");
  await look("sharing-active");
  await page.goto("/data/summary");
  await look("summary");
  await page.fill("[name=agenda]", "The new dose.\nAnd how I sleep.");
  await page.click("main form[action='/data/summary'] button");
  await look("summary-saved");
  assert.match(await page.locator("main pre").innerText(), /The new dose/, "it is seen before it goes");
  await page.click("main form[action='/data/summary/riverside'] button");
  await look("summary-asked");
  await page.goto("/sharing");
  await page.click("main a[href='/preview/riverside']");
  await look("preview");
  await page.locator("main details summary").first().click();
  await look("preview-fhir");
  assert.equal(await page.locator("html").getAttribute("lang"), language);
});
