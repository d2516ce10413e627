// Recordings, photos and notes against the entry that vouches for them (docs/FORMAT.md section 5).

const SEALED_SUFFIXES = ['.lhs', '.lhb'];
const BLOB_SUFFIXES = { voice_note: ['.m4a'], still: ['.jpg'] };

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
  const whole = noble.sha256.create();
  let place = 0;
  let next = 0;
  for (let index = 0; index < parts.length; index++) {
    const { bytes, sha256 } = parts[index];
    const fits = bytes > 0n && bytes <= BigInt(file.size - place);
    const also = missing.length === 0 ? whole : null;
    if (fits && toBase64url(await hashRange(file, place, Number(bytes), tick, also)) === sha256) {
      place += Number(bytes);
      next = index + 1;
    } else {
      missing.push(index);
    }
  }
  return { missing, next, end: place, whole: missing.length === 0 ? toBase64url(whole.digest()) : null };
}

/** A clip has the init section and one run of fragments; null when what is there is no clip. */
function clipOf(missing, parts) {
  if (missing.length === 0) return null;
  const left = new Set(missing);
  const there = [...Array(parts).keys()].filter((index) => !left.has(index));
  const first = there[1];
  const last = there[there.length - 1];
  if (there[0] !== 0 || first === undefined || last - first + 2 !== there.length) return null;
  return { first, last };
}

const wrongAt = (byte, code, args) => Object.assign(bad(code, args), { byte });

/** Judge a segment's file: what is there, with what is missing noted; throws Trouble at the first wrong byte. */
async function judgeSegment(seal, file, tick) {
  const parts = partsOf(seal, file);
  const { missing, next, end, whole } = await matchParts(parts, file, tick);
  const notes = [];
  if (end !== file.size) {
    if (!seal.fields.complete) notes.push(new Trouble(GAPS, 'seal_incomplete'));
    const trouble = wrongAt(end, next < parts.length ? 'part_wrong' : 'part_after', { part: next, parts: parts.length });
    return { notes: [trouble, ...notes], parts: parts.length, missing, wrong: next };
  }
  const opened = !isSealed(file);
  if (opened && whole !== null && seal.fields.sha256 !== null && seal.fields.sha256 !== whole) {
    throw bad('seal_disagrees', { seq: String(seal.seq) });
  }
  const clip = opened ? clipOf(missing, parts.length) : null;
  if (clip !== null) notes.push(new Trouble(GAPS, 'clip', { ...clip, parts: parts.length }));
  else if (missing.length > 0) notes.push(new Trouble(GAPS, 'parts_missing', missingArgs(missing, parts.length)));
  if (!seal.fields.complete) notes.push(new Trouble(GAPS, 'seal_incomplete'));
  return { notes, parts: parts.length, missing, wrong: null };
}

function missingArgs(missing, parts) {
  return { count: missing.length, parts, listed: missing.slice(0, 8).join(', ') + (missing.length > 8 ? ', ...' : '') };
}

/** Judge a photo or a note; throws Trouble. */
async function judgeBlob(entry, file, tick) {
  const names = isSealed(file) ? ['stored_bytes', 'stored_sha256'] : ['bytes', 'blob'];
  const [length, expected] = names.map((name) => entry.fields[name]);
  const there = length > BigInt(file.size) ? file.size : Number(length);
  const whole = toBase64url(await hashRange(file, 0, there, tick)) === expected;
  if (whole && BigInt(file.size) > length) throw wrongAt(there, 'blob_longer');
  if (whole) return;
  const short = length - BigInt(file.size);
  throw short > 0n ? wrongAt(0, 'blob_short', { bytes: String(short) }) : wrongAt(0, 'blob_wrong');
}
