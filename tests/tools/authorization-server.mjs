// An OpenID-certified authorization server behind loopback HTTP, JWT tokens: client_credentials with private_key_jwt, and
// SMART standalone launches (code, PKCE, who signed in, refresh tokens that rotate; one used twice ends them all), and
// sign-in to the members' portal and to the staff view (OpenID Connect). Whoever comes there is signed in and consents at once: as the one whom
// the browser's cookie `patient` names, or `a-patient`.
// The last word of a client's name says how it differs.
//
//   node authorization-server.mjs PORT JWKS FHIR    GET /jwks when ready; JWKS: a file with the clients' public keys;
//                                                   FHIR: the FHIR endpoint for which tokens are given (smart-gate.mjs)

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const require = createRequire(join(root, ".tools/node/package.json"));
const load = (name) => import(pathToFileURL(require.resolve(name)));
const { Provider, errors } = await load("oidc-provider");
const { exportJWK, generateKeyPair } = await load("jose");

const port = Number(process.argv[2]);
const { keys } = JSON.parse(readFileSync(process.argv[3], "utf8"));
const issuer = `http://127.0.0.1:${port}`;
const audience = "urn:mostik:test:fhir";
const fhir = process.argv[4];
const scopes = ["system/Observation.cruds", "system/Patient.rs"];
const launchScopes = ["launch/patient", "patient/Observation.cruds", "patient/Patient.r"];
const audienceOf = (params) => params?.aud ?? audience;
const own = await generateKeyPair("ES384", { extractable: true });
const rsa = await generateKeyPair("RS256", { extractable: true });

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
  redirect_uris: ["https://mostik.example/connected", "https://mostik.example/launch/return"],
  response_types: ["code"],
});
const portal = (name, alg, authentication) => ({
  client_id: name,
  ...authentication,
  application_type: "web",
  grant_types: ["authorization_code"],
  redirect_uris: ["https://mostik.example/sign-in/return", "https://mostik.example/clinic/return"],
  response_types: ["code"],
  id_token_signed_response_alg: alg,
});
const secret = { token_endpoint_auth_method: "client_secret_basic", client_secret: "a secret of a test: +/%& and long enough" };
// A bridge on this machine, whatever its port (RFC 8252, section 7.3).
const local = (...paths) => ({
  application_type: "native",
  redirect_uris: paths.flatMap((path) => [`http://127.0.0.1${path}`, `http://localhost${path}`]),
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
    { ...launcher("launch-local", nobody), ...local("/launch/return") },
    portal("portal", "RS256", secret),
    portal("portal-public", "ES384", nobody),
    { ...portal("portal-local", "ES384", nobody), ...local("/sign-in/return", "/clinic/return", "/moderate/return") },
    portal("portal-hs256", "HS256", secret), // signs with the client's secret: the portal believes no such thing
    client("mostik-es384", "ES384", scopes.join(" ")),
    client("mostik-rs384", "RS384", scopes.join(" ")),
    client("mostik-narrow", "ES384", "system/Patient.rs"),
  ],
  jwks: {
    keys: [
      { ...(await exportJWK(own.privateKey)), alg: "ES384", use: "sig", kid: "server" },
      { ...(await exportJWK(rsa.privateKey)), alg: "RS256", use: "sig", kid: "server-rsa" },
    ],
  },
  scopes: ["openid", "profile", "groups", "offline_access", ...scopes],
  claims: { openid: ["sub"], profile: ["preferred_username"], groups: ["groups"], fhirUser: ["fhirUser"] },
  conformIdTokenClaims: false, // there is no other place where somebody would ask for them
  extraParams: {
    aud(ctx, value) {
      if (value !== undefined && value !== audience && value !== fhir) throw new errors.InvalidTarget("unknown aud");
    },
  },
  extraTokenClaims: (ctx, token) => (token.accountId ? { patient: token.accountId } : undefined),
  clientAuthMethods: ["private_key_jwt", "client_secret_basic", "none"],
  pkce: { required: () => true },
  rotateRefreshToken: (ctx) => ctx.oidc.client.clientId !== "launch-steady",
  ttl: { Grant: 3600, Interaction: 600, RefreshToken: 3600, Session: 600 },
  cookies: { keys: ["of a test"] },
  findAccount: (ctx, sub) => ({
    accountId: sub,
    // Whoever is called so is of a clinic's telemedicine, or of a community's moderators.
    claims: () => ({
      sub,
      preferred_username: `name-of-${sub}`,
      groups: ["staff", ...["telemedicine", "moderators"].filter((group) => sub.endsWith(group))],
      fhirUser: `${fhir}/Patient/${sub}`,
    }),
  }),
  enabledJWA: {
    clientAuthSigningAlgValues: ["ES384", "RS384"],
    idTokenSigningAlgValues: ["ES384", "RS256", "HS256"],
  },
  clientDefaults: { id_token_signed_response_alg: "ES384" }, // it wants one, although nobody signs in here
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    revocation: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: (ctx) => audienceOf(ctx.oidc.params),
      useGrantedResource: () => true,
      getResourceServerInfo: (ctx, resource) => ({
        scope: [...scopes, ...launchScopes].join(" "),
        audience: resource,
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
  const accountId = ctx.cookies.get("patient") ?? "a-patient";
  const grant = new provider.Grant({ accountId, clientId: params.client_id });
  grant.addOIDCScope("openid profile groups fhirUser offline_access");
  for (const scope of launchScopes) {
    if (params.client_id === "launch-narrow" && scope.startsWith("patient/Observation")) {
      grant.rejectResourceScope(audienceOf(params), scope);
    } else {
      grant.addResourceScope(audienceOf(params), scope);
    }
  }
  const consent = { grantId: await grant.save() };
  await provider.interactionFinished(ctx.req, ctx.res, { login: { accountId }, consent });
  ctx.respond = false;
});

// What SMART adds to a launch's tokens: which Patient. The scope is said as a SMART server says it.
provider.use(async (ctx, next) => {
  await next();
  if (ctx.oidc?.route !== "token" || !ctx.body?.access_token || ctx.oidc.params.grant_type === "client_credentials") return;
  ctx.body.patient = ctx.oidc.account.accountId;
  if (ctx.oidc.client.clientId === "launch-steady" && ctx.oidc.params.grant_type === "refresh_token") {
    delete ctx.body.refresh_token;
    delete ctx.body.scope;
  }
});
provider.listen(port, "127.0.0.1");
