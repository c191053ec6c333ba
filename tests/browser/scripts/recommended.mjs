// A clinician writes something of each kind into the EHR: the member finds it where the message that they got leads, answers it as
// it can be answered, and the EHR has the answer.

import assert from "node:assert/strict";
import { control, enter, language, press, story, task } from "./stage.mjs";

const shown = { en: ["3 December 2026", "cancelled"], ru: ["3 декабря 2026", "отменён"] }[language];

await story(async ({ page, look }) => {
  const { handle, patient } = await control("/member");
  const subject = { reference: `Patient/${patient}` };
  const reads = (path) => control("/clinic-reads", { path });

  // The clinician writes it, and the member opens what is new; how it stands in the EHR.
  const comes = async (resource, says) => {
    const written = await control("/clinician-writes", resource);
    await page.goto("/messages");
    if (new URL(page.url()).pathname !== "/messages") await enter(page, handle, "/messages");
    await press(page, "#messages li:first-child a");
    assert.equal(await page.innerText("#said"), says);
    return written;
  };
  const answers = async (word, field, text) => {
    if (field) {
      await page.click(`details:has([name=${field}]) summary`);
      await page.fill(`[name=${field}]`, text);
    }
    await press(page, `[name=answer][value=${word}]`);
  };
  // What they wrote about something, as the clinic reads it.
  const replies = async (relation, { resourceType, id }) => {
    const { entry = [] } = await reads(`Communication?patient=${patient}&_count=100`);
    const about = ({ resource }) => resource[relation]?.[0].reference === `${resourceType}/${id}`;
    return entry.filter(about).map(({ resource }) => resource.payload[0].contentString);
  };

  const walk = await comes(task(patient, "Walk half an hour, every other day."), "Walk half an hour, every other day.");
  const message = page.url();
  await answers("accept");
  await look("recommended-accepted");
  assert.equal((await reads(`Task/${walk.id}`)).status, "accepted", "the clinic knows");
  await page.goto(message);
  await answers("done");
  const { status, output } = await reads(`Task/${walk.id}`);
  assert.equal(status, "completed");
  assert.equal(output.length, 1, "and that it was done, and when");

  const asked = await comes({ resourceType: "CommunicationRequest", status: "active", subject, recipient: [subject],
    payload: [{ contentString: "Bring your diary" }] }, "Bring your diary");
  assert.equal(await page.locator("[value=accept], [value=decline], [value=done]").count(), 0, "there is nothing to do");
  await answers("question", "question", "The paper one?");
  assert.deepEqual(await replies("basedOn", asked), ["The paper one?"]);

  const said = await comes({ resourceType: "Communication", status: "completed", subject, recipient: [subject],
    payload: [{ contentString: "See you on Monday" }], sent: "2026-11-20T09:00:00Z" }, "See you on Monday");
  await answers("question", "question", "At nine?");
  assert.deepEqual(await replies("inResponseTo", said), ["At nine?"]);

  const plan = await comes({ resourceType: "CarePlan", status: "active", intent: "plan", subject, activity: [
    { detail: { status: "scheduled", description: "Group on Tuesdays", performer: [subject] } },
    { detail: { status: "cancelled", description: "Group on Fridays", performer: [subject] } }] }, "Group on Tuesdays");
  await answers("accept");
  assert.deepEqual(await replies("basedOn", plan), ["Accepted by the patient"]);

  const order = await comes({ resourceType: "ServiceRequest", status: "active", intent: "order", subject, performer: [subject],
    code: { text: "Blood test" }, patientInstruction: "Come with an empty stomach" }, "Blood test\n\nCome with an empty stomach");
  await answers("decline", "reason", "I was there last week");
  await look("recommended-declined");
  assert.deepEqual(await replies("basedOn", order), ["Declined by the patient. I was there last week"]);

  const when = (day) => ({ start: `2026-12-${day}T09:00:00Z`, end: `2026-12-${day}T09:50:00Z` });
  const first = await comes({ resourceType: "Appointment", status: "booked", description: "First talk", ...when("01"),
    participant: [{ actor: subject, status: "accepted" }] }, "First talk");
  const visit = await comes({ ...first, ...when("03") }, "First talk");
  assert.ok((await page.innerText("main")).includes(shown[0]), "when it is now");
  await answers("question", "question", "Is that by video?");
  assert.deepEqual(await replies("basedOn", visit), ["Is that by video?"]);
  await comes({ ...visit, status: "cancelled" }, "First talk");
  await look("recommended-cancelled");
  assert.ok((await page.innerText("main")).includes(shown[1]), "that it will not be");

  const form = await comes({ ...task(patient, "Please fill in the PHQ-2"), input: [{ type: { text: "questionnaire" },
    valueCanonical: "https://w3id.org/mostik/fhir/Questionnaire/phq-2" }] }, "Please fill in the PHQ-2");
  const back = page.url();
  await press(page, "main a[href='/questionnaires/phq-2']");
  for (const value of ["1", "2"]) {
    await page.check(`[name=answer][value='${value}']`);
    await press(page, "main form.sheet button");
  }
  await press(page, "main form.sheet button");
  const { entry = [] } = await reads(`Observation?patient=${patient}&_count=100`);
  const totals = entry.filter(({ resource }) => resource.code.coding.some(({ code }) => code === "55758-7"));
  assert.deepEqual(totals.map(({ resource }) => resource.valueQuantity.value), [3], "and the clinic has the total");
  await page.goto(back);
  await answers("done");
  assert.equal((await reads(`Task/${form.id}`)).status, "completed");

  await page.goto("/messages");
  await look("recommended-all");
  assert.equal(await page.locator("#messages > li").count(), 7, "one of each kind");
});
