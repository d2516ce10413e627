// The unit's certificates (RFC 5280): who may sign what. Read strictly in DER (X.690): one spelling and no other.

const ED25519 = '1.3.101.112';
const EC_KEY = '1.2.840.10045.2.1';
const P256 = '1.2.840.10045.3.1.7';
const ECDSA_SHA256 = '1.2.840.10045.4.3.2';
const COMMON_NAME = '2.5.4.3';
const ORGANIZATIONAL_UNIT = '2.5.4.11';
const BASIC_CONSTRAINTS = '2.5.29.19';
const KEY_USAGE = '2.5.29.15';
const UNDERSTOOD = [BASIC_CONSTRAINTS, KEY_USAGE, '2.5.29.37', '2.5.29.17', '2.5.29.14', '2.5.29.35', '2.5.29.31'];
const DIGITAL_SIGNATURE = 0;
const KEY_CERT_SIGN = 5;
const CHAIN_LIMIT = 2;
const TAG = {
  BOOLEAN: 0x01, INTEGER: 0x02, BIT_STRING: 0x03, OCTET_STRING: 0x04, OID: 0x06, UTF8: 0x0c, PRINTABLE: 0x13,
  SEQUENCE: 0x30, SET: 0x31, VERSION: 0xa0, EXTENSIONS: 0xa3,
};
/** The roles of certificates that sign what is kept. */
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

function readExtensions(one) {
  const found = {};
  for (const extension of derItems(derWhole(one.value, TAG.SEQUENCE).value)) {
    const items = derItems(extension.value);
    const critical = items.length === 3;
    if (items.length < 2 || (critical && !(items[1].tag === TAG.BOOLEAN && items[1].value[0] === 0xff))) throw damaged();
    const oid = oidOf(items[0]);
    const value = items[items.length - 1];
    if (value.tag !== TAG.OCTET_STRING || oid in found) throw damaged();
    found[oid] = { critical, value: value.value };
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
  if (!sameBytes(items[0].value, [TAG.INTEGER, 1, 2]) || !sameBytes(items[2].raw, algorithm.raw)) throw damaged();
  return {
    der, signed: tbs.raw, algorithm: algorithmOf(algorithm), signature: bitsOf(signature),
    issuer: items[3].raw, subject: items[5].raw, names: readName(items[5]), key: publicKeyOf(items[6]),
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

function isAuthority(certificate) {
  const constraints = certificate.extensions[BASIC_CONSTRAINTS];
  if (constraints === undefined) return false;
  const [first] = derItems(derWhole(constraints.value, TAG.SEQUENCE).value);
  return first !== undefined && first.tag === TAG.BOOLEAN && first.value[0] === 0xff;
}

function mayUse(certificate, bit) {
  const usage = certificate.extensions[KEY_USAGE];
  if (usage === undefined) return true;
  const { value } = derWhole(usage.value, TAG.BIT_STRING);
  return value.length > 1 && (value[1] & (0x80 >> bit)) !== 0;
}

/** Throws Trouble unless the certificate may do what it is used for: certify others, or sign. */
function checkPurpose(certificate, authority) {
  const { extensions } = certificate;
  const strange = Object.keys(extensions).some((oid) => extensions[oid].critical && !UNDERSTOOD.includes(oid));
  const may = isAuthority(certificate) === authority && mayUse(certificate, authority ? KEY_CERT_SIGN : DIGITAL_SIGNATURE);
  if (strange || !may) throw new Trouble(UNKNOWN_KEY, 'certificate_purpose');
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
      checkPurpose(this.root, true);
    } catch (error) {
      if (error instanceof Trouble) throw bad('root_damaged');
      throw error;
    }
    this.fingerprint = toHex(noble.sha256(der)).toUpperCase().match(/../g).join(':');
    const name = this.root.names.find(([type]) => type === COMMON_NAME);
    this.name = name ? name[1] : '';
  }

  /** Who a chain, the signer's certificate first, belongs to. */
  identify(chain) {
    if (chain.length > CHAIN_LIMIT) throw notIssued();
    const [leaf, ...authorities] = chain.map(readCertificate);
    let issuer = this.root;
    for (const one of authorities) {
      checkIssued(one, issuer);
      checkPurpose(one, true);
      issuer = one;
    }
    checkIssued(leaf, issuer);
    checkPurpose(leaf, false);
    const role = onlyName(leaf, ORGANIZATIONAL_UNIT);
    const name = onlyName(leaf, COMMON_NAME);
    if (!ROLES.includes(role)) throw new Trouble(UNKNOWN_KEY, 'certificate_names');
    if (leaf.key === null) throw bad('certificate_key');
    return { name, role, key: leaf.key };
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
