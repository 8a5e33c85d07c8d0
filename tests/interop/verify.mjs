// Verifies a Sigstore bundle against a trusted root with sigstore-js, and nothing of ci-publish's own.
// usage: node verify.mjs BUNDLE.json TRUSTED_ROOT.json SUBJECT_ALTERNATIVE_NAME ISSUER
// Prints the signed statement; exits with 1 and the reason when the bundle does not verify.
import { readFileSync } from "node:fs";
import { bundleFromJSON } from "@sigstore/bundle";
import { TrustedRoot } from "@sigstore/protobuf-specs";
import { toSignedEntity, toTrustMaterial, Verifier } from "@sigstore/verify";

const [bundlePath, rootPath, subjectAlternativeName, issuer] = process.argv.slice(2);
const read = (path) => JSON.parse(readFileSync(path, "utf8"));

try {
  const bundle = bundleFromJSON(read(bundlePath));
  const trust = toTrustMaterial(TrustedRoot.fromJSON(read(rootPath)));
  const verifier = new Verifier(trust, { ctlogThreshold: 1, tlogThreshold: 1, timestampThreshold: 1 });
  verifier.verify(toSignedEntity(bundle), { subjectAlternativeName, extensions: { issuer } });
  process.stdout.write(bundle.content.dsseEnvelope.payload);
} catch (error) {
  process.stderr.write(`${error.code ?? error.name}: ${error.message}\n`);
  process.exitCode = 1;
}
