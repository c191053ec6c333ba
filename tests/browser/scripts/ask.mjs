// A member fills a questionnaire in, leaves it and goes on, looks at their answers, and sees what they come to.

import assert from "node:assert/strict";
import { control, enter, press, story } from "./stage.mjs";

await story(async ({ page, look }) => {
  const { handle } = await control("/member");
  await enter(page, handle);
  const at = () => new URL(page.url()).pathname;
  const answer = async (value) => {
    await page.check(`[name=answer][value='${value}']`);
    await press(page, "main form.sheet button");
  };

  await page.goto("/questionnaires");
  await look("questionnaires");
  await press(page, "main a[href='/questionnaires/phq-9']");
  await look("question");
  for (const value of ["1", "0", "2", "declined"]) await answer(value);

  await page.goto("/questionnaires");
  await look("questionnaires-begun");
  await press(page, "main a[href='/questionnaires/phq-9']");
  assert.equal(at(), "/questionnaires/phq-9/5", "it goes on where it was left");
  for (const value of ["0", "1", "0", "0", "1"]) await answer(value);
  assert.equal(at(), "/questionnaires/phq-9/10");
  await look("question-with-help");
  assert.equal(await page.locator("#help-now").count(), 1, "a word of help, at once");
  await answer("2");

  assert.equal(at(), "/questionnaires/phq-9/review");
  await look("questionnaire-review");
  await press(page, "main a[href='/questionnaires/phq-9/4']");
  assert.equal(await page.isChecked("[name=answer][value=declined]"), true, "what was answered is still there");
  await answer("1");
  await page.goto("/questionnaires/phq-9/review");
  await page.check("[name=keep]");
  await press(page, "main form.sheet button");
  await look("questionnaire-done");
  assert.match(await page.textContent("main .lead"), /PHQ-9: 6 /);

  await page.goto("/data");
  await look("data-questionnaire");
  assert.equal(await page.locator("svg[role=img]").count(), 1, "the total is charted");
});
