export { ed25519 } from '@noble/curves/ed25519.js';
export { p256 } from '@noble/curves/nist.js';
export { sha256, sha512 } from '@noble/hashes/sha2.js';
