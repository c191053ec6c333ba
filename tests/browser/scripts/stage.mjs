// What every browser story stands on: a Chromium of its own, the bridge it visits, and what is looked at on every page.
//
// The stage tells by environment: MOSTIK_TEST_BROWSER (the browser), MOSTIK_PORTAL (where the portal is), MOSTIK_CONTROL (how the story moves the clock and
// reads the member's messages), MOSTIK_SIZE (phone or desktop), MOSTIK_LANGUAGE (en or ru), MOSTIK_SCRIPTS (on or off),
// MOSTIK_SCREENSHOTS (a folder).

import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const require = createRequire(join(root, ".tools/node/package.json"));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const {
  MOSTIK_TEST_BROWSER,
  MOSTIK_PORTAL,
  MOSTIK_CONTROL,
  MOSTIK_SIZE,
  MOSTIK_LANGUAGE,
  MOSTIK_SCRIPTS,
  MOSTIK_SCREENSHOTS,
} = process.env;

// Nothing here may ask the world outside: each refused connection would only cost time.
const quiet = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"];
const sizes = { phone: { width: 390, height: 844 }, desktop: { width: 1280, height: 900 } };
const everything = { type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] };
// In the dark a page is the same, in other colors.
const onlyColors = { type: "rule", values: ["color-contrast", "link-in-text-block"] };

export const language = MOSTIK_LANGUAGE;
export const scripts = MOSTIK_SCRIPTS === "on";
export const portal = MOSTIK_PORTAL;

// story(async (visit) => ...): `visit.page` is a page of a browser that nobody has used before.
export async function story(tell) {
  const browser = await chromium.launch({ executablePath: MOSTIK_TEST_BROWSER, args: quiet, chromiumSandbox: false });
  try {
    const visit = await open(browser, { colorScheme: "light" });
    await tell(visit, (options) => open(browser, options));
    assert.deepEqual(visit.complaints, [], "the browser complains of nothing");
  } finally {
    await browser.close();
  }
}

// Another person at another machine: with no cookies yet.
async function open(browser, options = {}) {
  const context = await browser.newContext({
    baseURL: portal,
    viewport: sizes[MOSTIK_SIZE],
    locale: language,
    hasTouch: MOSTIK_SIZE === "phone",
    isMobile: MOSTIK_SIZE === "phone",
    javaScriptEnabled: MOSTIK_SCRIPTS === "on",
    timezoneId: "Europe/Berlin",
    ...options,
  });
  context.setDefaultTimeout(10_000);
  const page = await context.newPage();
  const complaints = [];
  // A form that is refused in words is no complaint: the page itself has that status.
  const isRefusal = (message) => message.location().url === page.url() && message.text().includes("status of 4");
  page.on("console", (message) => message.type() === "error" && !isRefusal(message) && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  return { page, context, complaints, look: (name) => look(page, name) };
}

// Looks at a page as somebody would who cannot see it well, holds a phone, or has a screen reader.
export async function look(page, name) {
  const path = new URL(page.url()).pathname;
  assert.equal(await page.locator("html").getAttribute("lang"), language, `${path}: the language of the page`);
  assert.equal(await page.locator("h1").count(), 1, `${path}: one heading says what the page is`);
  await fits(page, path);
  for (const colors of ["dark", "light"]) {
    await page.emulateMedia({ colorScheme: colors });
    await accessible(page, path, colors === "dark" ? onlyColors : everything);
    await keep(page, `${name}-${colors}`);
  }
}

async function keep(page, name) {
  if (!MOSTIK_SCREENSHOTS) return;
  mkdirSync(MOSTIK_SCREENSHOTS, { recursive: true });
  const file = join(MOSTIK_SCREENSHOTS, `${name}-${MOSTIK_SIZE}-${language}-scripts-${MOSTIK_SCRIPTS}.png`);
  await page.screenshot({ path: file, fullPage: true });
}

// Nothing to scroll sideways, and nothing to tap that a thumb would miss (WCAG 2.2, 2.5.8 asks for 24 px; we for 44).
async function fits(page, path) {
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(wide <= 0, `${path}: ${wide} px stand out sideways`);
  const small = await page.evaluate(() => [...document.querySelectorAll("button, select, input:not([type=hidden]), a.button, summary")]
    .filter((element) => element.checkVisibility())
    .map((element) => [element, (element.closest("label") ?? element).getBoundingClientRect()])
    .filter(([, box]) => box.height < 44)
    .map(([element, box]) => `${element.outerHTML.slice(0, 90)} is ${Math.round(box.height)} px high`));
  assert.deepEqual(small, [], `${path}: everything to tap is large enough`);
}

// axe-core is a script itself: where scripts are off, the page is the same and was looked at with them on.
async function accessible(page, path, runOnly) {
  if (MOSTIK_SCRIPTS === "off") return;
  if (!(await page.evaluate(() => "axe" in globalThis))) await page.evaluate(axe);
  const { violations } = await page.evaluate((runOnly) => globalThis.axe.run({ runOnly }), runOnly);
  const said = violations.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id} ${target}: ${failureSummary}`));
  assert.deepEqual(said, [], `${path}: axe-core finds nothing`);
}

// Asks the stage: control("/clock", { seconds: 600 }).
export async function control(path, body) {
  const answer = await fetch(MOSTIK_CONTROL + path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body ?? {}),
  });
  assert.equal(answer.status, 200, `${path}: ${answer.status}`);
  return answer.json();
}

// Signs a member in by a link that their community brings them; they are led to the page that they asked for before.
export async function enter(page, handle, to = "/sharing") {
  await page.goto("/sign-in");
  await page.fill("[name=handle]", handle);
  await press(page, "main button");
  await page.goto((await control("/link")).link);
  await press(page, "main form button");
  assert.equal(new URL(page.url()).pathname, to);
}

// Presses what leads to another page, and waits for it.
export async function press(page, selector) {
  await Promise.all([page.waitForEvent("load"), page.click(selector)]);
}

// What a community sends when its member rates their mood now.
export function noted(handle, id, value) {
  return {
    specversion: "1.0",
    type: "mostik.mood.v1",
    source: "/forum",
    id,
    subject: handle,
    time: new Date().toISOString(),
    datacontenttype: "application/json",
    data: { rating: { value, worst: 1, best: 5 } },
  };
}

// What a clinician writes when a patient is to do something.
export function task(patient, description) {
  const who = { reference: `Patient/${patient}` };
  return {
    resourceType: "Task", status: "requested", intent: "order", description, for: who, owner: who,
    requester: { display: "Dr. Ada Example" }, authoredOn: "2026-11-20T09:00:00Z",
  };
}
