// An OpenID-certified authorization server behind loopback HTTP, JWT tokens: client_credentials with private_key_jwt, and
// SMART standalone launches (code, PKCE, refresh tokens that rotate; one used twice ends them all). Whoever comes there
// is signed in and consents at once; the last word of a client's name says how it differs.
//
//   node authorization-server.mjs PORT JWKS    GET /jwks when ready; JWKS: a file with the clients' public keys

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const require = createRequire(join(root, ".tools/node/package.json"));
const load = (name) => import(pathToFileURL(require.resolve(name)));
const { Provider } = await load("oidc-provider");
const { exportJWK, generateKeyPair } = await load("jose");

const port = Number(process.argv[2]);
const { keys } = JSON.parse(readFileSync(process.argv[3], "utf8"));
const issuer = `http://127.0.0.1:${port}`;
const audience = "urn:mostik:test:fhir";
const scopes = ["system/Observation.cruds", "system/Patient.rs"];
const launchScopes = ["launch/patient", "patient/Observation.cruds", "patient/Patient.r"];
const own = await generateKeyPair("ES384", { extractable: true });

const client = (name, alg, scope) => ({
  client_id: name,
  token_endpoint_auth_method: "private_key_jwt",
  token_endpoint_auth_signing_alg: alg,
  jwks: { keys: keys.filter((key) => key.alg === alg) },
  grant_types: ["client_credentials"],
  redirect_uris: [],
  response_types: [],
  scope,
});

const launcher = (name, authentication) => ({
  client_id: name,
  ...authentication,
  application_type: "web",
  grant_types: ["authorization_code", "refresh_token"],
  redirect_uris: ["https://mostik.example/connected"],
  response_types: ["code"],
});
const nobody = { token_endpoint_auth_method: "none" };
const signed = {
  token_endpoint_auth_method: "private_key_jwt",
  token_endpoint_auth_signing_alg: "ES384",
  jwks: { keys: keys.filter((key) => key.alg === "ES384") },
};

const provider = new Provider(issuer, {
  clients: [
    launcher("launch-public", nobody),
    launcher("launch-signed", signed),
    launcher("launch-narrow", nobody), // may not touch Observations
    launcher("launch-steady", nobody), // its refresh tokens stay, and are not said again
    client("mostik-es384", "ES384", scopes.join(" ")),
    client("mostik-rs384", "RS384", scopes.join(" ")),
    client("mostik-narrow", "ES384", "system/Patient.rs"),
  ],
  jwks: { keys: [{ ...(await exportJWK(own.privateKey)), alg: "ES384", use: "sig", kid: "server" }] },
  scopes: ["offline_access", ...scopes],
  clientAuthMethods: ["private_key_jwt", "none"],
  pkce: { required: () => true },
  rotateRefreshToken: (ctx) => ctx.oidc.client.clientId !== "launch-steady",
  ttl: { Grant: 3600, Interaction: 600, RefreshToken: 3600, Session: 600 },
  cookies: { keys: ["of a test"] },
  findAccount: (ctx, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
  enabledJWA: { clientAuthSigningAlgValues: ["ES384", "RS384"], idTokenSigningAlgValues: ["ES384"] },
  clientDefaults: { id_token_signed_response_alg: "ES384" }, // it wants one, although nobody signs in here
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => audience,
      getResourceServerInfo: () => ({
        scope: [...scopes, ...launchScopes].join(" "),
        audience,
        accessTokenTTL: 300,
        accessTokenFormat: "jwt",
        jwt: { sign: { alg: "ES384" } },
      }),
    },
  },
});

// Signs in whoever comes, and consents to what the client asks for.
provider.use(async (ctx, next) => {
  if (!ctx.path.startsWith("/interaction/")) return next();
  const { params } = await provider.interactionDetails(ctx.req, ctx.res);
  const grant = new provider.Grant({ accountId: "a-member", clientId: params.client_id });
  grant.addOIDCScope("offline_access");
  for (const scope of launchScopes) {
    if (params.client_id === "launch-narrow" && scope.startsWith("patient/Observation")) {
      grant.rejectResourceScope(audience, scope);
    } else {
      grant.addResourceScope(audience, scope);
    }
  }
  const consent = { grantId: await grant.save() };
  await provider.interactionFinished(ctx.req, ctx.res, { login: { accountId: "a-member" }, consent });
  ctx.respond = false;
});

// What SMART adds to a launch's tokens: which Patient. The scope is said as a SMART server says it.
provider.use(async (ctx, next) => {
  await next();
  if (ctx.oidc?.route !== "token" || !ctx.body?.access_token || ctx.oidc.params.grant_type === "client_credentials") return;
  ctx.body.patient = "a-patient";
  if (ctx.oidc.client.clientId === "launch-steady" && ctx.oidc.params.grant_type === "refresh_token") {
    delete ctx.body.refresh_token;
    delete ctx.body.scope;
  }
});
provider.listen(port, "127.0.0.1");
