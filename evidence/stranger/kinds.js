// The kinds of entries and their fields (docs/FORMAT.md sections 1 and 4). A known kind must have all of its fields,
// each possible; more fields, and unknown kinds, are kept.

const COUNT_END = 1n << 63n;
const GRADES = ['unset', 'rtc', 'dock', 'ntp', 'gnss'];
/** Of clocks that somebody other than the recorder itself has set. */
const KNOWN_TIME = ['dock', 'ntp', 'gnss'];
const DOCK = 'dock';

const isWhole = (value, low, high) => typeof value === 'bigint' && low <= value && value < high;
const matching = (pattern) => (value) => typeof value === 'string' && pattern.test(value);
const orNull = (check) => (value) => value === null || check(value);
const isList = (check) => (value) => Array.isArray(value) && value.every(check);

const text = (value) => typeof value === 'string' && value.length > 0 && [...value].length <= 1024;
const count = (value) => isWhole(value, 0n, COUNT_END);
const number = (value) => isWhole(value, -COUNT_END, COUNT_END);
const seqOrNone = (value) => isWhole(value, -1n, COUNT_END);
const flag = (value) => typeof value === 'boolean';
const hash = matching(/^[A-Za-z0-9_-]{43}$/);
const owner = matching(/^[A-Za-z0-9][A-Za-z0-9-]{2,31}$/);
const kindName = matching(/^[a-z][a-z0-9_]{0,63}$/);
const boot = matching(/^[0-9a-f]{32}$/);
const segmentId = matching(/^[0-9a-f]{12}-[0-9]{5}$/);
const recordingId = matching(/^[0-9a-f]{12}-r[0-9]{4}$/);
const interruptionId = matching(/^[0-9a-f]{12}-i[0-9]{4}$/);
const pauseId = matching(/^[0-9a-f]{12}-p[0-9]{4}$/);
const tokenText = matching(/^([A-Za-z0-9_-]+\.){2}[A-Za-z0-9_-]+$/);
const partRow = (value) => Array.isArray(value) && value.length === PART_ROW.length
  && value.every((one, at) => PART_ROW[at](one));
const PART_ROW = [count, hash, count, hash];
const STATEMENT_LIMIT = 49152;
const statement = (value) => tokenText(value) && value.length <= STATEMENT_LIMIT;
const serial = matching(/^[0-9a-f]{1,40}$/);
const month = matching(/^[0-9]{4}-(0[1-9]|1[0-2])$/);
const atLeastOne = (check) => (value) => isList(check)(value) && value.length > 0;
const item = (value) => segmentId(value) || hash(value);
const recordings = isList(recordingId);
const textOrEmpty = (value) => value === '' || text(value);
const matter = (value) => Array.isArray(value) && value.length === 4 && text(value[0]) && value.slice(1).every(textOrEmpty);
const matters = (value) => atLeastOne(matter)(value) && value.length <= 500;
const finding = (value) => Array.isArray(value) && value.length === 3 && value.every(text);

const UTC = /^([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})\.([0-9]{6})Z$/;

/** Days from 1970-01-01 to a date of the Gregorian calendar. */
function daysOf(year, month, day) {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const ofEra = y - era * 400;
  const ofYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  return era * 146097 + ofEra * 365 + Math.floor(ofEra / 4) - Math.floor(ofEra / 100) + ofYear - 719468;
}

function daysInMonth(year, month) {
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return month === 2 ? (leap ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31;
}

/** Microseconds since 1970 (BigInt) of an RFC 3339 time with six decimals and Z; null where it is none. */
function utcFromText(value) {
  const found = typeof value === 'string' ? UTC.exec(value) : null;
  if (found === null) return null;
  const [year, month, day, hour, minute, second, fraction] = found.slice(1).map(Number);
  const possible = year >= 1 && month >= 1 && month <= 12 && day >= 1 && day <= daysInMonth(year, month)
    && hour < 24 && minute < 60 && second < 60;
  if (!possible) return null;
  const seconds = ((daysOf(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
  return BigInt(seconds) * 1000000n + BigInt(fraction);
}

/** The day of an instant, in UTC. */
const dayOf = (utcUs) => new Date(Number(utcUs / 1000n)).toISOString().slice(0, 10);

const utcTime = (value) => utcFromText(value) !== null;

const TIME_FIELDS = {
  utc: (value) => utcFromText(value) !== null,
  offset_min: (value) => isWhole(value, -1439n, 1440n),
  grade: (value) => GRADES.includes(value),
  error_us: orNull(count),
  boot,
  boot_us: count,
};

const isObject = (value) => value !== null && typeof value === 'object' && !Array.isArray(value)
  && !(value instanceof Fraction);
const time = (value) => isObject(value)
  && Object.entries(TIME_FIELDS).every(([name, check]) => name in value && check(value[name]));

/** A time stamp for counting with; throws Trouble when it is none. */
function readTime(fields) {
  if (!time(fields)) throw bad('time_impossible');
  return {
    utcUs: utcFromText(fields.utc), offsetMin: Number(fields.offset_min), grade: fields.grade,
    errorUs: fields.error_us, boot: fields.boot, bootUs: fields.boot_us,
  };
}

const PART = {
  segment: segmentId, index: count, offset_bytes: count, bytes: count, sha256: hash, stored_bytes: count,
  stored_sha256: hash,
};
const FRAGMENT = { ...PART, pts_us: number, duration_us: count, frames: count, samples: count };
const OFFICER = { officer: text, name: text, unit: text, regime: orNull(text) };
const BLOB = { blob: hash, bytes: count, stored_bytes: count, stored_sha256: hash };
const RECEIVED = { dock: owner, dock_seq: count, dock_hash: hash };
const FROM_TO = { from_boot_us: count, to_boot_us: count };

const KINDS = {
  // the recorder's journal
  journal_opened: { software: text },
  power_on: { software: text, previous_end: text },
  clock: { step_us: number },
  sign_on: OFFICER,
  recording_started: { recording: recordingId, trigger: text, officer: orNull(text) },
  recording_stopped: { recording: recordingId, trigger: text, ended_boot_us: count },
  init: { ...PART, recording: recordingId, epoch_boot_us: count, boot },
  fragment: FRAGMENT,
  recovered: FRAGMENT,
  torn: { segment: segmentId, offset_bytes: count, bytes: count, sha256: hash },
  damaged: { segment: segmentId, what: text },
  dropped: { frames: count, ...FROM_TO },
  skipped: { frames: count, ...FROM_TO },
  sound_lost: FROM_TO,
  segment: {
    segment: segmentId, recording: recordingId, trigger: text, officer: orNull(text), epoch: time,
    bytes: count, sha256: orNull(hash), stored_bytes: count, parts: isList(partRow), frames: count, samples: count,
    duration_us: count, complete: flag,
  },
  interruption: {
    interruption: interruptionId, recording: recordingId, cause: text, part: orNull(text), began: time,
  },
  resumed: { interruption: interruptionId, recording: recordingId },
  reason_asked: { interruption: interruptionId },
  reason: { interruption: interruptionId, reason: text, note: orNull(hash) },
  reported: {
    interruption: interruptionId, recording: recordingId, cause: text, began: time, officer: orNull(text),
    name: orNull(text), unit: orNull(text),
  },
  report_received: { interruption: interruptionId, ...RECEIVED },
  written: { interruption: interruptionId, ...RECEIVED },
  bookmark: { recording: orNull(recordingId) },
  voice_note: {
    ...BLOB, recording: orNull(recordingId), interruption: orNull(interruptionId), ...FROM_TO, speech_ms: count,
  },
  still: {
    ...BLOB, recording: orNull(recordingId), segment: orNull(segmentId), index: orNull(count),
    captured_boot_us: count, width: count, height: count,
  },
  blob_receipt: { blob: hash, ...RECEIVED },
  blob_released: { blob: hash, stored_bytes: count },
  blob_torn: { blob: hash, bytes: count, sha256: hash },
  blob_damaged: { blob: hash, what: text },
  statement_asked: { recording: recordingId, until_boot_us: count },
  statement_heard: { recording: recordingId, from_boot_us: count, speech_ms: count },
  statement_reminded: { recording: recordingId, reminder: count },
  statement_missing: { recording: recordingId, ...FROM_TO },
  paused: { pause: pauseId, recording: orNull(recordingId), limit_s: count },
  pause_reason: { pause: pauseId, reason: text, authority: text },
  pause_reminded: { pause: pauseId, left_s: count },
  pause_ended: { pause: pauseId, trigger: text },
  battery: { level_pct: orNull(count), minutes_left: orNull(count), band: text },
  storage: { free_bytes: count, minutes_left: count, band: text },
  heat: { celsius: orNull(number), throttled: flag, band: text },
  pre_use_check: { fit: flag, findings: isList(finding) },
  tamper: { what: text },
  fault: { part: text, what: text },
  fault_cleared: { part: text },
  docked: {},
  undocked: {},
  receipt: { segment: segmentId, dock: owner, dock_seq: count, dock_hash: hash },
  released: { segment: segmentId, stored_bytes: count },
  power_off: { trigger: text },
  // the dock's journal
  vault_key: { kid: hash },
  dock_key: { kid: hash, why: text },
  enrolled: { recorder: owner, kid: hash, link_serial: serial, replaces: orNull(owner) },
  assignment: { recorder: owner, ...OFFICER },
  stored: {
    recorder: owner, segment: segmentId, sha256: orNull(hash), stored_bytes: count, seal_seq: count, seal_hash: hash,
  },
  rejected: { recorder: owner, what: text, why: text, quarantine: text },
  blob_stored: { recorder: owner, blob: hash, stored_bytes: count, entry_seq: count, entry_hash: hash },
  report_taken: { recorder: owner, interruption: interruptionId, entry_seq: count, entry_hash: hash },
  explanation: { recorder: owner, interruption: interruptionId, author: text, text },
  blocked: { recorder: owner, why: text, entry_seq: count, entry_hash: orNull(hash), other_hash: hash },
  cleared: { recorder: owner, blocked_seq: count, statements: atLeastOne(tokenText) },
  clock_set_back: { recorder: owner, entry_seq: count, entry_hash: hash, back_us: count },
  revoked: { recorder: owner, kid: hash, why: text, last_seq: seqOrNone, last_hash: orNull(hash) },
  person_enrolled: { person: owner, kid: hash, name: text, roles: atLeastOne(text) },
  person_revoked: { person: owner, kid: hash, why: text },
  view_asked: { request: hash, statement },
  view_approved: { request: hash, statement },
  opened: { request: hash, recorder: owner, item, sha256: hash },
  vault_key_split: { kid: hash, shares: count, needed: count },
  classified: {
    recorder: owner, recording: recordingId, unit: text, officer: text, used_from: utcTime, used_to: utcTime,
    party: text, cause: text, author: text,
  },
  reviewed: { recorder: owner, recording: recordingId, said: isList(text), remark: orNull(text), author: text },
  away: { recorder: owner, left: utcTime, returned: orNull(utcTime), reason: text, author: text },
  archived: { month, medium: text, author: text },
  item_list: { matters, author: text },
  case: { case: text, party: text, cause: text, recordings, ended: orNull(utcTime), author: text },
  case_filed: { case: text, years: orNull(count), author: text },
  exhibit: {
    case: text, recording: recordingId, medium: orNull(text), location: orNull(text), notes: isList(text), author: text,
  },
  act: { act: text, situations: isList(text), recordings, excuse: orNull(text), author: text },
  long_term: { recording: recordingId, trigger: text, medium: orNull(text), author: text },
};

/** Check a known kind's fields; unknown kinds pass. */
function checkFields(kind, fields) {
  const known = Object.prototype.hasOwnProperty.call(KINDS, kind) ? KINDS[kind] : {};
  for (const [name, check] of Object.entries(known)) {
    if (!(name in fields)) throw bad('field_missing', { kind, name });
    if (!check(fields[name])) throw bad('field_impossible', { kind, name });
  }
}
