// A member reads who is told of what they answer, sees what was counted of them in their community, and that their clinic was
// told something without their consent.

import assert from "node:assert/strict";
import { control, enter, press, story } from "./stage.mjs";

const at = (handle, type, id, time, data) => ({
  specversion: "1.0", type: `mostik.${type}.v1`, source: "/forum", id, subject: handle, time, data,
});
const answers = Object.fromEntries(["44250-9", "44255-8", "44259-0", "44254-1", "44251-7", "44258-2", "44252-5", "44253-3", "44260-8"]
  .map((code) => [code, code === "44260-8" ? 1 : 0]));

await story(async ({ page, look }) => {
  const { handle } = await control("/member");
  await enter(page, handle);

  await page.goto("/questionnaires");
  await look("questionnaires-watched");
  assert.match(await page.textContent("main"), /Riverside/, "it may be told, and the member reads that first");
  await page.goto("/data/import");
  await look("import-watched");

  await page.goto("/sharing/riverside");
  await page.check("[name=community][value='weekly-summary']");
  await page.check("[name=from][value=everything]");
  await press(page, "form[action='/sharing/riverside'] button.button");
  const deeds = [["posted", "09:00"], ["replied", "10:30"], ["got-reply", "11:00"], ["reacted", "02:15"]];
  for (const [what, time] of deeds) {
    const event = at(handle, "activity", what, `2026-11-18T${time}:00+01:00`, { what });
    assert.equal((await control("/send", event)).status, 202);
  }
  await page.goto("/data");
  await look("data-community");
  assert.equal(await page.locator("main section[aria-labelledby=weeks] table").count(), 1);
  await page.goto("/preview/riverside");
  await look("preview-community");

  await page.goto("/shared");
  await look("shared-nothing");
  const worrying = at(handle, "questionnaire", "worry", "2026-11-20T10:00:00+01:00", { instrument: "phq-9", answers });
  assert.equal((await control("/send", worrying)).status, 422, "nobody may have it");
  await control("/disclose");
  await page.goto("/shared");
  await look("shared-warning");
  assert.equal(await page.locator("main section.card").count(), 1, "what was told stands there");
});
