// A member notes how they are, brings in a file of their app, looks at it all, and at what would go to their clinic.

import assert from "node:assert/strict";
import { control, language, press, scripts, story } from "./stage.mjs";

const file = (lines) => ({
  name: "daylio_export.csv",
  mimeType: "text/html", // as phones share it
  buffer: Buffer.from(["full_date,date,weekday,time,mood,activities,note_title,note", ...lines, ""].join("\n")),
});

// Brings the file that was chosen. Without scripts the answer is a page like any other; with them it comes into the page that is
// there.
async function bring(page, button, sign) {
  if (!scripts) return press(page, button);
  await page.click(button);
  await page.waitForSelector(sign);
}

// What somebody with scripts sees of a file that takes its time: first the connection breaks, then it is held up.
async function onItsWay(page, look, complaints, button) {
  await page.route("**/data/import", (route) => route.abort(), { times: 1 });
  await page.click(button);
  await page.waitForSelector("#cut");
  await look("import-cut");
  const others = complaints.splice(0).filter((it) => !it.includes("net::ERR_"));
  assert.deepEqual(others, [], "the browser complains of the connection alone");

  let goOn;
  const held = new Promise((resolve) => { goOn = resolve; });
  await page.route("**/data/import", async (route) => { await held; await route.continue(); }, { times: 1 });
  await page.click(button);
  await page.waitForSelector("#sending progress");
  assert.equal(await page.locator("#cut").isVisible(), false, "it is tried again");
  await look("import-sending");
  goOn();
  await page.waitForSelector("#told");
  assert.equal(await page.evaluate(() => document.activeElement.id), "main", "whoever has the page read out begins with the answer");
}

await story(async ({ page, look, complaints }) => {
  const { handle } = await control("/member");
  await page.goto("/");
  await page.fill("[name=handle]", handle);
  await press(page, "main button");
  const { link } = await control("/link");
  await page.goto(link);
  await press(page, "main form button");

  await page.goto("/preview/riverside");
  await look("preview-nothing");
  await page.goto("/data");
  await look("data-empty");

  await press(page, "main a[href='/data/note']");
  await look("note");
  await page.check("[name=level][value='2']");
  await page.fill("[name=note]", "A long night.\nTea helped.");
  await page.fill("[name=tags]", "slept badly, tea");
  await press(page, "main form button");
  await look("note-not-kept");
  assert.equal(await page.inputValue("[name=note]"), "A long night.\nTea helped.", "what was written is still there");
  await page.check("[name=keep]");
  await press(page, "main form button");
  await look("noted");

  await page.goto("/data/import");
  await look("import");
  await page.click("main form summary");
  await look("import-columns");
  const days = Array.from({ length: 18 }, (_, day) => day + 1).filter((day) => day % 6 !== 0);
  const moods = ["bad", "meh", "good", "good", "rad", "meh", "awful"];
  const lines = days.map((day) => `2026-11-${String(day).padStart(2, "0")},x,x,20:30,${moods[day % 7]},walk | tea,,"Day ${day}"`);
  await page.setInputFiles("[name=file]", file([...lines, "2026-11-19,x,x,21:00,grey,,,", "2026-11-31,x,x,21:00,good,,,"]));
  if (scripts) await onItsWay(page, look, complaints, "[name=do][value=look]");
  else await press(page, "[name=do][value=look]");
  await look("import-looked");
  await page.selectOption("[name=level-0]", "2");
  await page.setInputFiles("[name=file]", file([...lines, "2026-11-19,x,x,21:00,grey,,,"]));
  await bring(page, "[name=do][value=take]", "main section a.button");
  await look("import-taken");
  await page.setInputFiles("[name=file]", { name: "photo.png", mimeType: "image/png", buffer: Buffer.from("PNG") });
  await bring(page, "[name=do][value=take]", "#wrong");
  await look("import-refused");
  const table = "When;Mood;Hours slept\n10.11.2026 20:30;7;8.5\n";
  const columns = await page.locator("#columns-example").textContent();
  await page.click("main form summary");
  await page.setInputFiles("[name=file]", { name: "own.csv", mimeType: "text/csv", buffer: Buffer.from(table) });
  await page.setInputFiles("[name=columns]", { name: "columns.toml", mimeType: "text/plain", buffer: Buffer.from(columns) });
  await bring(page, "[name=do][value=look]", "#told");
  await look("import-table");

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
  await press(page, "[formaction='/preview/riverside']");
  await look("preview-draft");
  await page.goto("/receipts");
  assert.equal(await page.locator("#receipts").count(), 0, "to look decides nothing");

  await page.goto("/sharing/riverside");
  await page.check("[name=mood][value=every-entry]");
  await page.check("[name=tags][value=daily-summary]");
  await page.check("[name=agenda][value=every-entry]");
  await page.check("[name=from][value=everything]");
  await press(page, "main form button");
  await look("sharing-active");
  await page.goto("/data/summary");
  await look("summary");
  await page.fill("[name=agenda]", "The new dose.\nAnd how I sleep.");
  await press(page, "main form[action='/data/summary'] button");
  await look("summary-saved");
  assert.match(await page.locator("main pre").innerText(), /The new dose/, "it is seen before it goes");
  await press(page, "main form[action='/data/summary/riverside'] button");
  await look("summary-asked");
  await page.goto("/sharing");
  await press(page, "main a[href='/preview/riverside']");
  await look("preview");
  await page.locator("main details summary").first().click();
  await look("preview-fhir");
  assert.equal(await page.locator("html").getAttribute("lang"), language);
});
