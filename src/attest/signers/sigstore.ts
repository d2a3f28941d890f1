// What keyless signing uses of sigstore's library, loaded when something is signed. esbuild gives a CommonJS package that is itself
// imported on demand only its default export, so that one is imported here.
export { DSSEBundleBuilder, FulcioSigner, RekorWitness, TSAWitness } from '@sigstore/sign';
