// A member asks for a link, is brought one, opens it, looks around, and leaves.

import assert from "node:assert/strict";
import { control, language, press, story } from "./stage.mjs";

await story(async ({ page, look }, another) => {
  await page.goto("/");
  assert.equal(new URL(page.url()).pathname, "/sign-in");
  await look("sign-in");

  const { handle } = await control("/member");
  await page.fill("[name=handle]", handle);
  await press(page, "main button");
  assert.equal(new URL(page.url()).pathname, "/sign-in/sent");
  await look("sign-in-sent");

  const { link } = await control("/link");
  const stranger = await another();
  await stranger.page.goto(link);
  await stranger.look("sign-in-elsewhere");
  assert.equal(await stranger.page.locator(`main form[action="${new URL(link).pathname}"]`).count(), 0, "elsewhere the link opens nothing");

  await page.goto(link);
  await look("sign-in-link");
  await press(page, "main form button");
  assert.equal(new URL(page.url()).pathname, "/sharing");
  await look("sharing");

  await page.goto("/settings");
  await look("settings");
  const other = language === "en" ? "ru" : "en";
  await page.selectOption("[name=language]", other);
  await press(page, "main form[action='/settings'] button");
  assert.equal(await page.locator("html").getAttribute("lang"), other, "the page speaks the language that was chosen");
  await page.selectOption("main [name=language]", language);
  await press(page, "main form[action='/settings'] button");

  await press(page, "form[action='/sign-out'] button");
  await page.goto("/sharing");
  assert.equal(new URL(page.url()).pathname, "/sign-in", "whoever left is out");

  const lost = await another();
  await lost.page.goto("/nothing-is-here");
  await lost.look("not-found");
});
