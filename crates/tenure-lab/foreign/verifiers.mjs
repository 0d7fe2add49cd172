// What jose and aws-jwt-verify say of tokens. Reads one job as JSON on stdin, writes for each verifier a
// list with null for a token that it accepts, else its error's text. The job's time is the clock.
import { readFileSync } from "node:fs";
import { CognitoJwtVerifier } from "aws-jwt-verify";
import { createLocalJWKSet, jwtVerify } from "jose";

const { now, jwks, issuer, audience, clientId, pool, tokens } = JSON.parse(readFileSync(0, "utf8"));
Date.now = () => now * 1000;

const options = { currentDate: new Date(now * 1000), issuer, ...(audience === null ? {} : { audience }) };
const keys = createLocalJWKSet(jwks);

const cognito = (tokenUse) => {
  const verifier = CognitoJwtVerifier.create({ userPoolId: pool, tokenUse, clientId });
  verifier.cacheJwks(jwks);
  return (token) => verifier.verifySync(token);
};

const verifiers = {
  jose: (token) => jwtVerify(token, keys, options),
  "aws-jwt-verify-access": cognito("access"),
  "aws-jwt-verify-id": cognito("id"),
};

const said = {};
for (const [name, verify] of Object.entries(verifiers)) {
  said[name] = [];
  for (const token of tokens) {
    try {
      await verify(token);
      said[name].push(null);
    } catch (error) {
      said[name].push(String(error.message));
    }
  }
}
process.stdout.write(JSON.stringify(said));
