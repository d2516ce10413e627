// Bytes, and what may be wrong with them.

const AUTHENTIC = 'authentic';
const GAPS = 'authentic with gaps';
const NEWER_VERSION = 'newer version';
const UNKNOWN_KEY = 'unknown key';
const NOT_SIGNED = 'not signed';
const NOT_AUTHENTIC = 'not authentic';
/** From best to worst (docs/FORMAT.md section 9). */
const VERDICTS = [AUTHENTIC, GAPS, NEWER_VERSION, UNKNOWN_KEY, NOT_SIGNED, NOT_AUTHENTIC];

/** Something is not as it should be: what it means for the verdict, and the words for it (words.js). */
class Trouble extends Error {
  constructor(verdict, code, args = {}) {
    super(`${verdict}: ${code}`);
    Object.assign(this, { verdict, code, args });
  }
}

function bad(code, args) {
  return new Trouble(NOT_AUTHENTIC, code, args);
}

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const BASE64URL = BASE64.replace('+/', '-_');

function fromBase64(text, alphabet) {
  const out = new Uint8Array(Math.floor((text.length * 3) / 4));
  let bits = 0;
  let held = 0;
  let at = 0;
  for (const character of text) {
    const value = alphabet.indexOf(character);
    if (value < 0) throw bad('jws_unreadable');
    held = ((held << 6) | value) & 0xfff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out[at++] = (held >> bits) & 0xff;
    }
  }
  return { bytes: out, spare: held & ((1 << bits) - 1), bits };
}

/** Base64url without padding, strict: any other spelling of the same bytes is refused (FORMAT section 1). */
function fromBase64url(text) {
  const { bytes, spare, bits } = fromBase64(text, BASE64URL);
  if (spare !== 0 || bits === 6) throw bad('jws_unreadable');
  return bytes;
}

/** Base64 with padding, as certificates stand in `x5c`. */
function fromPaddedBase64(text) {
  if (typeof text !== 'string' || text.length % 4 !== 0) throw bad('x5c_unreadable');
  const bare = text.replace(/={1,2}$/, '');
  try {
    return fromBase64(bare, BASE64).bytes;
  } catch (error) {
    throw bad('x5c_unreadable');
  }
}

function toBase64(bytes, alphabet) {
  let out = '';
  for (let at = 0; at < bytes.length; at += 3) {
    const [a, b = 0, c = 0] = bytes.subarray(at, at + 3);
    const four = [a >> 2, ((a & 3) << 4) | (b >> 4), ((b & 15) << 2) | (c >> 6), c & 63];
    for (let n = 0; n < Math.min(4, bytes.length - at + 1); n++) out += alphabet[four[n]];
  }
  return out;
}

const toBase64url = (bytes) => toBase64(bytes, BASE64URL);
const toHex = (bytes) => Array.from(bytes, (one) => one.toString(16).padStart(2, '0')).join('');
const sameBytes = (a, b) => a.length === b.length && a.every((one, at) => one === b[at]);

/** ASCII text as bytes; null where a character is no ASCII. */
function fromAscii(text) {
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code > 127) return null;
    bytes[at] = code;
  }
  return bytes;
}

const hashText = (ascii) => toBase64url(noble.sha256(fromAscii(ascii)));

const SLICE_BYTES = 4 * 1024 * 1024;

/** SHA-256 of a range of a file, read slice by slice, so that memory does not grow with it; fed to `also`, too. */
async function hashRange(file, offset, length, tick, also = null) {
  // The browser's own is ten times faster, but wants everything at once; that a file of ours may use it is not certain.
  if (length <= SLICE_BYTES && globalThis.crypto && crypto.subtle) {
    const bytes = await file.read(offset, length);
    if (also !== null) also.update(bytes);
    await tick(length);
    return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  }
  const hash = noble.sha256.create();
  for (let at = 0; at < length; at += SLICE_BYTES) {
    const bytes = await file.read(offset + at, Math.min(SLICE_BYTES, length - at));
    hash.update(bytes);
    if (also !== null) also.update(bytes);
    await tick(bytes.length);
  }
  return hash.digest();
}

/** The lines of a text file; throws Trouble for anything but ASCII lines, each ended by a line feed. */
async function* linesOf(file, tick) {
  let held = '';
  let number = 1;
  for (let at = 0; at < file.size; at += SLICE_BYTES) {
    const bytes = await file.read(at, Math.min(SLICE_BYTES, file.size - at));
    // Latin 1 gives every byte a character, so that none is lost and a strange one is seen.
    const lines = (held + LATIN.decode(bytes)).split('\n');
    held = lines.pop();
    for (const line of lines) {
      if (line.length > TOKEN_LIMIT || NO_ASCII.test(line)) throw bad('line_torn', { line: number });
      yield line;
      number += 1;
      await tick(line.length);
    }
    if (held.length > TOKEN_LIMIT) break;
  }
  if (held !== '') throw bad('line_torn', { line: number });
}

const LATIN = new TextDecoder('latin1');
const NO_ASCII = /[^\x00-\x7f]/;
