// An OpenID provider on loopback. Whom it knows stands in a file, read anew at each sign-in; any password does.
import { readFileSync } from "node:fs";
import { generateKeyPairSync } from "node:crypto";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [port, people] = process.argv.slice(2);
const { Provider } = await import(
  pathToFileURL(createRequire(`${process.env.NODE_MODULES}/`).resolve("oidc-provider")).href
);

const key = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ format: "jwk" });
const provider = new Provider(`http://127.0.0.1:${port}`, {
  jwks: { keys: [{ ...key, use: "sig", alg: "RS256", kid: "of-the-tests" }] },
  cookies: { keys: ["of the tests"] },
  claims: { openid: ["sub", "oid"], email: ["email", "email_verified"], profile: ["name"] },
  clientAuthMethods: ["client_secret_basic", "client_secret_post", "private_key_jwt"],
  enabledJWA: { clientAuthSigningAlgValues: ["ES256"] },
  features: {
    registration: { enabled: true },
    backchannelLogout: { enabled: true },
    devInteractions: { enabled: true },
  },
  // It refuses to call loopback addresses by itself, which is right anywhere but here.
  fetch: (url, { dispatcher, ...options }) => fetch(url, options),
  async findAccount(_context, id) {
    const claims = JSON.parse(readFileSync(people))[id];
    return claims && { accountId: id, claims: async () => ({ sub: id, ...claims }) };
  },
});
provider.listen(Number(port), "127.0.0.1", () => console.log("ready"));
