// A FHIR endpoint that wants tokens, in front of one that wants none: names the authorization server in its SMART
// configuration, and passes on what a token of that server allows (signature, issuer, audience, time, scopes; with
// patient/ scopes, what is about that Patient only).
//
//   node smart-gate.mjs PORT AUTHORIZATION_SERVER FHIR    GET /fhir/metadata when ready

import { createServer } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const require = createRequire(join(root, ".tools/node/package.json"));
const { createRemoteJWKSet, jwtVerify } = await import(pathToFileURL(require.resolve("jose")));

const port = Number(process.argv[2]);
const [server, upstream] = process.argv.slice(3);
const base = `http://127.0.0.1:${port}/fhir`;
const keys = createRemoteJWKSet(new URL(`${server}/jwks`));
const letters = { POST: "c", PUT: "u", PATCH: "u", DELETE: "d" };

// What SMART takes over from OpenID Connect, as the server itself says it.
async function configuration() {
  const said = await (await fetch(`${server}/.well-known/openid-configuration`)).json();
  const same = ["issuer", "jwks_uri", "authorization_endpoint", "token_endpoint", "revocation_endpoint", "scopes_supported",
    "grant_types_supported", "response_types_supported", "code_challenge_methods_supported",
    "authorization_response_iss_parameter_supported", "token_endpoint_auth_methods_supported",
    "token_endpoint_auth_signing_alg_values_supported"];
  return {
    ...Object.fromEntries(same.map((name) => [name, said[name]])),
    scopes_supported: [...said.scopes_supported, "launch/patient", "patient/Observation.cruds", "patient/Patient.r"],
    capabilities: ["launch-standalone", "client-public", "client-confidential-asymmetric", "sso-openid-connect",
      "context-standalone-patient", "permission-offline", "permission-patient", "permission-v2"],
  };
}

// The context in which the scopes let a request through: `patient`, `system`, or nothing.
function context(scopes, type, letter) {
  for (const scope of scopes) {
    const [, of, on, may] = /^(patient|system)\/(\w+|\*)\.([cruds]+)$/.exec(scope) ?? [];
    if (of && (on === type || on === "*") && may.includes(letter)) return of;
  }
}

const isAbout = (resource, patient) =>
  resource.resourceType === "Patient" ? resource.id === patient : resource.subject?.reference === `Patient/${patient}`;

// Why a request does not go through, as a status; or whose resources it may touch.
async function judge(request, path, body) {
  const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1];
  let claims;
  try {
    claims = (await jwtVerify(token, keys, { issuer: server, audience: base })).payload;
  } catch {
    return { status: 401 };
  }
  const [type, id] = path.split("?")[0].split("/").filter(Boolean);
  const letter = letters[request.method] ?? (id ? "r" : "s");
  const granted = context((claims.scope ?? "").split(" "), type, letter);
  if (!granted) return { status: 403 };
  const patient = granted === "patient" ? claims.patient : undefined;
  if (patient && ["c", "u"].includes(letter) && !isAbout(JSON.parse(body), patient)) return { status: 403 };
  return { patient };
}

async function passOn(request, path, body) {
  const names = ["content-type", "accept", "prefer", "if-none-exist", "if-match"];
  const headers = Object.fromEntries(names.filter((name) => request.headers[name]).map((name) => [name, request.headers[name]]));
  const answer = await fetch(upstream + path, { method: request.method, headers, body: body.length ? body : undefined });
  return { answer, text: await answer.text() };
}

// Takes out of an answer what is about somebody else.
function narrow(text, patient) {
  const resource = patient && text ? JSON.parse(text) : {};
  if (resource.resourceType === "Bundle") {
    const entry = (resource.entry ?? []).filter(({ resource: found }) => isAbout(found, patient));
    return { ok: true, text: JSON.stringify({ ...resource, entry, total: entry.length }) };
  }
  const hides = resource.resourceType && resource.resourceType !== "OperationOutcome" && !isAbout(resource, patient);
  return { ok: !hides, text };
}

createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks).toString();
  const path = request.url.replace(/^\/fhir/, "");
  if (path === "/.well-known/smart-configuration") {
    response.setHeader("content-type", "application/json");
    return response.end(JSON.stringify(await configuration()));
  }
  const { status, patient } = path === "/metadata" ? {} : await judge(request, path, body);
  if (status) return response.writeHead(status).end();
  const { answer, text } = await passOn(request, path, body);
  const seen = narrow(text, patient);
  if (!seen.ok) return response.writeHead(404).end();
  for (const name of ["content-type", "location", "etag"]) {
    if (answer.headers.has(name)) response.setHeader(name, answer.headers.get(name).replace(upstream, base));
  }
  response.writeHead(answer.status).end(seen.text);
}).listen(port, "127.0.0.1");
