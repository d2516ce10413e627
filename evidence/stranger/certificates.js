// The unit's certificates (RFC 5280): who may sign what. Read strictly in DER (X.690): one spelling and no other.

const ED25519 = '1.3.101.112';
const EC_KEY = '1.2.840.10045.2.1';
const P256 = '1.2.840.10045.3.1.7';
const ECDSA_SHA256 = '1.2.840.10045.4.3.2';
const COMMON_NAME = '2.5.4.3';
const ORGANIZATIONAL_UNIT = '2.5.4.11';
const BASIC_CONSTRAINTS = '2.5.29.19';
const KEY_USAGE = '2.5.29.15';
const KEY_CERT_SIGN = 5;
/** A leaf and the issuing CA above it. */
const CHAIN_LIMIT = 2;
const TAG = {
  BOOLEAN: 0x01, INTEGER: 0x02, BIT_STRING: 0x03, OCTET_STRING: 0x04, OID: 0x06, UTF8: 0x0c, PRINTABLE: 0x13,
  UTC_TIME: 0x17, GENERALIZED_TIME: 0x18, SEQUENCE: 0x30, SET: 0x31, VERSION: 0xa0, EXTENSIONS: 0xa3,
};
/** What a certificate may be for; `link` and `vault` sign nothing that is kept. */
const ROLES = ['recorder', 'dock', 'link', 'person', 'vault'];

const damaged = () => bad('certificate_damaged');

/** One element of DER: its tag, the bytes of its value, and all of its bytes. */
function derAt(bytes, at) {
  const first = bytes[at + 1];
  let head = 2;
  let length = first;
  if (first === undefined || (bytes[at] & 0x1f) === 0x1f) throw damaged();
  if (first >= 0x80) {
    const digits = first & 0x7f;
    if (digits < 1 || digits > 3) throw damaged();
    length = 0;
    for (let n = 0; n < digits; n++) length = length * 256 + bytes[at + 2 + n];
    if (!(length >= 128 && length >= 256 ** (digits - 1))) throw damaged();
    head += digits;
  }
  const end = at + head + length;
  if (!(end <= bytes.length)) throw damaged();
  return { tag: bytes[at], value: bytes.subarray(at + head, end), raw: bytes.subarray(at, end) };
}

function derWhole(bytes, tag) {
  const one = derAt(bytes, 0);
  if (one.raw.length !== bytes.length || one.tag !== tag) throw damaged();
  return one;
}

/** The elements inside a value; `tags` are what they have to be, where that is fixed. */
function derItems(value, tags) {
  const found = [];
  for (let at = 0; at < value.length; at += found[found.length - 1].raw.length) found.push(derAt(value, at));
  if (tags && (found.length !== tags.length || tags.some((tag, n) => found[n].tag !== tag))) throw damaged();
  return found;
}

function oidOf(one) {
  if (one === undefined || one.tag !== TAG.OID || one.value.length === 0) throw damaged();
  const numbers = [];
  let held = 0;
  one.value.forEach((octet, at) => {
    if (held === 0 && octet === 0x80) throw damaged();
    held = held * 128 + (octet & 0x7f);
    if (octet < 0x80) {
      numbers.push(held);
      held = 0;
    } else if (at === one.value.length - 1) {
      throw damaged();
    }
  });
  const top = Math.min(2, Math.floor(numbers[0] / 40));
  return [top, numbers[0] - 40 * top, ...numbers.slice(1)].join('.');
}

function bitsOf(one) {
  // How many bits are unused is the one byte that no signature covers; ours always use all of them.
  if (one.tag !== TAG.BIT_STRING || one.value[0] !== 0) throw damaged();
  return one.value.subarray(1);
}

/** The algorithm of a signature; anything but the two of the format is refused. */
function algorithmOf(one) {
  const items = derItems(one.value);
  const oid = oidOf(items[0]);
  return items.length === 1 && [ED25519, ECDSA_SHA256].includes(oid) ? oid : null;
}

/** A public key with its JWS algorithm and RFC 7638 thumbprint; null for another kind than Ed25519 and P-256. */
function publicKeyOf(info) {
  const [algorithm, bits] = derItems(info.value, [TAG.SEQUENCE, TAG.BIT_STRING]);
  const items = derItems(algorithm.value);
  const oid = oidOf(items[0]);
  const raw = bitsOf(bits);
  if (oid === ED25519 && items.length === 1 && raw.length === 32) {
    return { alg: 'EdDSA', raw, kid: hashText(`{"crv":"Ed25519","kty":"OKP","x":"${toBase64url(raw)}"}`) };
  }
  if (oid === EC_KEY && items.length === 2 && oidOf(items[1]) === P256 && raw.length === 65 && raw[0] === 4) {
    const [x, y] = [toBase64url(raw.subarray(1, 33)), toBase64url(raw.subarray(33))];
    return { alg: 'ES256', raw, kid: hashText(`{"crv":"P-256","kty":"EC","x":"${x}","y":"${y}"}`) };
  }
  return null;
}

/** Whether a raw signature (64 bytes) of a JWS fits. RFC 8032 without the freedoms of ZIP 215; RFC 7518 section 3.4. */
function signatureFits(key, signature, data) {
  if (signature.length !== 64) return false;
  try {
    if (key.alg === 'EdDSA') return noble.ed25519.verify(signature, data, key.raw, { zip215: false });
    return noble.p256.verify(signature, data, key.raw, { format: 'compact', lowS: false, prehash: true });
  } catch (error) {
    return false;
  }
}

/** The two integers of an ECDSA signature in DER as 64 bytes. */
function rawFromDer(der) {
  const raw = new Uint8Array(64);
  derItems(derWhole(der, TAG.SEQUENCE).value, [TAG.INTEGER, TAG.INTEGER]).forEach((one, at) => {
    const padded = one.value[0] === 0;
    if (one.value.length === 0 || one.value[0] >= 0x80 || (padded && one.value.length > 1 && one.value[1] < 0x80)) {
      throw damaged();
    }
    const digits = padded ? one.value.subarray(1) : one.value;
    if (digits.length > 32) throw damaged();
    raw.set(digits, 32 * (at + 1) - digits.length);
  });
  return raw;
}

function readName(name) {
  const found = [];
  for (const set of derItems(name.value)) {
    for (const pair of derItems(set.value)) {
      const [type, value] = derItems(pair.value);
      if (value === undefined) throw damaged();
      const known = value.tag === TAG.UTF8 || value.tag === TAG.PRINTABLE;
      found.push([oidOf(type), known ? new TextDecoder('utf-8').decode(value.value) : null]);
    }
  }
  return found;
}

/** Microseconds since 1970 of a time in a certificate (RFC 5280, 4.1.2.5), which knows whole seconds only. */
function timeOf(one) {
  const digits = LATIN.decode(one.value);
  const found = /^([0-9]{2}|[0-9]{4})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})Z$/.exec(digits);
  const yearDigits = { [TAG.UTC_TIME]: 2, [TAG.GENERALIZED_TIME]: 4 }[one.tag];
  if (found === null || found[1].length !== yearDigits) throw damaged();
  const century = yearDigits === 4 ? '' : found[1] < '50' ? '20' : '19';
  const [year, month, day, hour, minute, second] = found.slice(1);
  const utcUs = utcFromText(`${century}${year}-${month}-${day}T${hour}:${minute}:${second}.000000Z`);
  if (utcUs === null) throw damaged();
  return utcUs;
}

/** From when to when a certificate is valid; the last second is part of it only up to its beginning. */
function validityOf(one) {
  const times = derItems(one.value);
  if (times.length !== 2) throw damaged();
  const [beginsUs, endsUs] = times.map(timeOf);
  return { beginsUs, endsUs };
}

/** The values of extensions by their names: a name that is there twice has two. */
function readExtensions(one) {
  const found = {};
  for (const extension of derItems(derWhole(one.value, TAG.SEQUENCE).value)) {
    const items = derItems(extension.value);
    const critical = items.length === 3;
    if (items.length < 2 || (critical && !(items[1].tag === TAG.BOOLEAN && items[1].value[0] === 0xff))) throw damaged();
    const oid = oidOf(items[0]);
    const value = items[items.length - 1];
    if (value.tag !== TAG.OCTET_STRING) throw damaged();
    found[oid] = [...(found[oid] || []), value.value];
  }
  return found;
}

/** The parts of a certificate that count; throws Trouble for bytes that are none. */
function readCertificate(der) {
  const [tbs, algorithm, signature] = derItems(
    derWhole(der, TAG.SEQUENCE).value, [TAG.SEQUENCE, TAG.SEQUENCE, TAG.BIT_STRING],
  );
  const items = derItems(tbs.value);
  const order = [TAG.VERSION, TAG.INTEGER, TAG.SEQUENCE, TAG.SEQUENCE, TAG.SEQUENCE, TAG.SEQUENCE, TAG.SEQUENCE];
  if (order.some((tag, at) => items[at] === undefined || items[at].tag !== tag)) throw damaged();
  if (items.length > 8 || (items.length === 8 && items[7].tag !== TAG.EXTENSIONS)) throw damaged();
  if (!sameBytes(items[0].value, [TAG.INTEGER, 1, 2])) throw damaged();
  return {
    signed: tbs.raw, algorithm: sameBytes(items[2].raw, algorithm.raw) ? algorithmOf(algorithm) : null,
    signature: bitsOf(signature), issuer: items[3].raw, ...validityOf(items[4]), subject: items[5].raw, names: readName(items[5]), key: publicKeyOf(items[6]),
    extensions: items.length === 8 ? readExtensions(items[7]) : {},
  };
}

const notIssued = () => new Trouble(UNKNOWN_KEY, 'certificate_not_issued');

/** Throws Trouble unless `issuer` signed `certificate`. */
function checkIssued(certificate, issuer) {
  const alg = { [ED25519]: 'EdDSA', [ECDSA_SHA256]: 'ES256' }[certificate.algorithm];
  if (!sameBytes(certificate.issuer, issuer.subject) || issuer.key === null || issuer.key.alg !== alg) throw notIssued();
  const raw = alg === 'ES256' ? rawOrNone(certificate.signature) : certificate.signature;
  if (!signatureFits(issuer.key, raw, certificate.signed)) throw notIssued();
}

function rawOrNone(der) {
  try {
    return rawFromDer(der);
  } catch (error) {
    return new Uint8Array(0);
  }
}

/** The value of an extension that has to be there once. */
function onlyExtension(certificate, oid, tag) {
  const values = certificate.extensions[oid] || [];
  if (values.length !== 1) throw notIssued();
  return derWhole(values[0], tag).value;
}

/** Throws Trouble unless the certificate is a CA's that signs certificates (RFC 5280, 6.1.4 (k) and (n)). */
function checkMayIssue(certificate) {
  try {
    const [first] = derItems(onlyExtension(certificate, BASIC_CONSTRAINTS, TAG.SEQUENCE));
    const usage = onlyExtension(certificate, KEY_USAGE, TAG.BIT_STRING);
    const authority = first !== undefined && first.tag === TAG.BOOLEAN && first.value[0] === 0xff;
    if (authority && usage.length > 1 && (usage[1] & (0x80 >> KEY_CERT_SIGN)) !== 0) return;
  } catch (error) {
    if (!(error instanceof Trouble)) throw error;
  }
  throw new Trouble(UNKNOWN_KEY, 'certificate_purpose');
}

/**
 * When an entry was signed, as far as that is known: null for a clock that was unset or ran by itself, because a
 * recorder whose clock woke up in another year must not lose its evidence over the dates in a certificate.
 */
const knownTime = ({ grade, utcUs }) => (KNOWN_TIME.includes(grade) ? utcUs : null);

/** Throws Trouble unless each of the certificates was valid at `utcUs`; null: nobody knows when. */
function checkDates(certificates, utcUs) {
  if (utcUs === null) return;
  for (const { beginsUs, endsUs } of certificates) {
    if (utcUs < beginsUs || utcUs > endsUs) {
      const [at, from, to] = [utcUs, beginsUs, endsUs].map(dayOf);
      throw new Trouble(UNKNOWN_KEY, 'certificate_date', { at, from, to });
    }
  }
}

function onlyName(certificate, oid) {
  const values = certificate.names.filter(([type]) => type === oid);
  if (values.length !== 1 || values[0][1] === null) throw new Trouble(UNKNOWN_KEY, 'certificate_names');
  return values[0][1];
}

/** The unit's root: the one thing that a verifier has to be given. Exactly one self-signed certificate in PEM. */
class Trust {
  constructor(pem) {
    const der = derFromPem(pem);
    try {
      this.root = readCertificate(der);
      checkIssued(this.root, this.root);
    } catch (error) {
      if (error instanceof Trouble) throw bad('root_damaged');
      throw error;
    }
    this.fingerprint = toHex(noble.sha256(der)).toUpperCase().match(/../g).join(':');
    const name = this.root.names.find(([type]) => type === COMMON_NAME);
    this.name = name ? name[1] : '';
  }

  /** Who a chain, the signer's certificate first, belongs to, at a time in microseconds where one is known. */
  identify(chain, utcUs = null) {
    const certificates = chain.slice(0, CHAIN_LIMIT + 1).map(readCertificate);
    if (certificates.length === 0 || certificates.length > CHAIN_LIMIT) throw notIssued();
    certificates.forEach((one, place) => checkIssued(one, certificates[place + 1] || this.root));
    certificates.slice(1).forEach(checkMayIssue);
    checkDates(certificates, utcUs);
    const [leaf] = certificates;
    const role = onlyName(leaf, ORGANIZATIONAL_UNIT);
    const name = onlyName(leaf, COMMON_NAME);
    if (!ROLES.includes(role)) throw new Trouble(UNKNOWN_KEY, 'certificate_names');
    if (leaf.key === null) throw bad('certificate_key');
    return { name, role, key: leaf.key, certificates };
  }
}

const PEM_BEGIN = '-----BEGIN CERTIFICATE-----\n';
const PEM_END = '-----END CERTIFICATE-----\n';

function derFromPem(pem) {
  try {
    const body = pem.slice(PEM_BEGIN.length, -PEM_END.length);
    const der = fromPaddedBase64(body.replace(/\n/g, ''));
    const base64 = toBase64(der, BASE64).padEnd(Math.ceil(der.length / 3) * 4, '=');
    // One spelling only, so that not one bit of the file is free.
    if (pem === PEM_BEGIN + base64.replace(/.{1,64}/g, '$&\n') + PEM_END) return der;
  } catch (error) {
    if (!(error instanceof Trouble)) throw error;
  }
  throw bad('root_damaged');
}
