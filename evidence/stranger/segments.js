// Recordings, photos and notes against the entry that vouches for them (docs/FORMAT.md section 5).

const SEALED_SUFFIXES = ['.lhs', '.lhb'];
const BLOB_SUFFIXES = { voice_note: ['.m4a'], still: ['.jpg', '.jpeg'] };

const suffixOf = (name) => (/\.[A-Za-z0-9]+$/.exec(name) || [''])[0].toLowerCase();
const stemOf = (name) => name.replace(/\.[A-Za-z0-9]+$/, '');
const isSealed = (file) => SEALED_SUFFIXES.includes(suffixOf(file.name));

/** The parts of a seal in the form in which the file is: sealed as it was stored, or opened. */
const partsOf = (seal, file) => seal.fields.parts.map((row) => {
  const [bytes, sha256] = isSealed(file) ? row.slice(0, 2) : row.slice(2);
  return { bytes, sha256 };
});

/** Find parts in a file, in order: `missing` were left out, and up to `end` all bytes are parts. */
async function matchParts(parts, file, tick) {
  const missing = [];
  let place = 0;
  let next = 0;
  for (let index = 0; index < parts.length; index++) {
    const { bytes, sha256 } = parts[index];
    const fits = bytes > 0n && bytes <= BigInt(file.size - place);
    if (fits && toBase64url(await hashRange(file, place, Number(bytes), tick)) === sha256) {
      place += Number(bytes);
      next = index + 1;
    } else {
      missing.push(index);
    }
  }
  return { missing, next, end: place };
}

/** A clip has the init section and one run of fragments; null when what is there is no clip. */
function clipOf(missing, parts) {
  const left = new Set(missing);
  const there = [...Array(parts).keys()].filter((index) => !left.has(index));
  const first = there[1];
  const last = there[there.length - 1];
  if (there[0] !== 0 || first === undefined || last - first + 2 !== there.length) return null;
  return { first, last };
}

/** Judge a segment's file. Gives what is there, or throws Trouble with the byte from which it is not what was signed. */
async function judgeSegment(seal, file, tick) {
  const parts = partsOf(seal, file);
  const { missing, next, end } = await matchParts(parts, file, tick);
  const notes = [];
  if (end !== file.size) {
    throw Object.assign(bad('part_wrong', { part: next, parts: parts.length, byte: end }), { byte: end, part: next });
  }
  const whole = seal.fields.sha256;
  if (missing.length === 0 && !isSealed(file) && whole !== null && whole !== toBase64url(file.digest)) {
    throw bad('seal_disagrees');
  }
  const clip = missing.length > 0 && !isSealed(file) ? clipOf(missing, parts.length) : null;
  if (clip !== null) {
    notes.push(new Trouble(GAPS, 'clip', { ...clip, parts: parts.length }));
  } else if (missing.length > 0) {
    const listed = missing.slice(0, 8).join(', ') + (missing.length > 8 ? ', …' : '');
    notes.push(new Trouble(GAPS, 'parts_missing', { count: missing.length, parts: parts.length, listed }));
  }
  if (!seal.fields.complete) notes.push(new Trouble(GAPS, 'seal_incomplete'));
  return { notes, parts: parts.length, missing, clip };
}

/** Judge a photo or a note; throws Trouble. */
async function judgeBlob(entry, file, tick) {
  const names = isSealed(file) ? ['stored_bytes', 'stored_sha256'] : ['bytes', 'blob'];
  const [length, expected] = names.map((name) => entry.fields[name]);
  const there = length > BigInt(file.size) ? file.size : Number(length);
  const whole = toBase64url(await hashRange(file, 0, there, tick)) === expected;
  if (whole && BigInt(file.size) > length) throw Object.assign(bad('blob_longer', { byte: there }), { byte: there });
  if (whole) return;
  const short = length - BigInt(file.size);
  throw Object.assign(short > 0n ? bad('blob_short', { bytes: String(short) }) : bad('blob_wrong'), { byte: 0 });
}
