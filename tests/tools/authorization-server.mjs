// An OpenID-certified authorization server behind loopback HTTP: client_credentials with private_key_jwt, JWT tokens.
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

const provider = new Provider(issuer, {
  clients: [
    client("mostik-es384", "ES384", scopes.join(" ")),
    client("mostik-rs384", "RS384", scopes.join(" ")),
    client("mostik-narrow", "ES384", "system/Patient.rs"),
  ],
  jwks: { keys: [{ ...(await exportJWK(own.privateKey)), alg: "ES384", use: "sig", kid: "server" }] },
  scopes,
  clientAuthMethods: ["private_key_jwt"],
  enabledJWA: { clientAuthSigningAlgValues: ["ES384", "RS384"], idTokenSigningAlgValues: ["ES384"] },
  clientDefaults: { id_token_signed_response_alg: "ES384" }, // it wants one, although nobody signs in here
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => audience,
      getResourceServerInfo: () => ({
        scope: scopes.join(" "),
        audience,
        accessTokenTTL: 300,
        accessTokenFormat: "jwt",
        jwt: { sign: { alg: "ES384" } },
      }),
    },
  },
});
provider.listen(port, "127.0.0.1");
